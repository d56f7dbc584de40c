//! The server dies in the middle of a task, and nobody who waits for the result notices more than a pause.

use protocol::id::TaskId;
use protocol::outcome::OutcomeReason;
use protocol::task::{TaskStatus, TaskStep};
use tests::{Task, TestEngine, TestRunner, TestServer, TestUser, until};

/// Succeeded once, by one attempt, with every line of the log in its place.
async fn sees_one_clean_success(user: &TestUser, id: TaskId, lines: u32) {
    let task = user.sees_end(id).await;
    assert_eq!(task.status, TaskStatus::Succeeded, "{task:?}");
    assert_eq!(task.attempts.len(), 1, "{task:?}");
    let ends = task
        .timeline
        .iter()
        .filter(|entry| entry.step == TaskStep::Succeeded);
    assert_eq!(ends.count(), 1);
    assert_eq!(task.outcome.expect("an outcome").reason, OutcomeReason::Exited);
    assert_eq!(String::from_utf8_lossy(&user.log(id).await), Task::counted(lines));
}

#[tokio::test]
async fn a_server_killed_at_any_point_of_the_log_loses_nothing() {
    let engine = TestEngine::connect();
    let mut server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    // The first line, the middle, and about the last one.
    for lines_before in [1, 80, 158] {
        let id = user.posts(&Task::counting(160)).await;
        user.sees_log(id, Task::counted(lines_before).len()).await;
        server.kill_nine();
        server.restart().await;
        sees_one_clean_success(&user, id, 160).await;
    }
}

#[tokio::test]
async fn a_server_killed_again_and_again_loses_nothing() {
    let engine = TestEngine::connect();
    let mut server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let id = user.posts(&Task::counting(600)).await;
    for lines_before in [20, 150, 300, 450] {
        user.sees_log(id, Task::counted(lines_before).len()).await;
        server.kill_nine();
        server.restart().await;
    }
    sees_one_clean_success(&user, id, 600).await;
}

#[tokio::test]
async fn a_task_that_ends_while_the_server_is_away_is_delivered_later() {
    let engine = TestEngine::connect();
    let mut server = TestServer::start().await;
    let runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let id = user.posts(&Task::counting(100)).await;
    user.sees_log(id, Task::counted(5).len()).await;
    server.kill_nine();
    until("the container ended and was removed", async || {
        engine.containers_of(runner.id()).is_empty().then_some(())
    })
    .await;
    server.restart().await;
    sees_one_clean_success(&user, id, 100).await;
}

#[tokio::test]
async fn a_task_accepted_just_before_the_kill_is_still_there() {
    let engine = TestEngine::connect();
    let mut server = TestServer::start().await;
    let user = server.user();
    let id = user.posts(&Task::counting(10)).await;
    server.kill_nine();
    server.restart().await;
    assert_eq!(user.task(id).await.status, TaskStatus::Queued);
    let _runner = TestRunner::start(&server, &engine).await;
    sees_one_clean_success(&user, id, 10).await;
}

#[tokio::test]
async fn a_server_killed_while_a_task_starts_runs_it_once() {
    let engine = TestEngine::connect();
    let mut server = TestServer::start().await;
    let runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let id = user.posts(&Task::counting(50)).await;
    user.sees(id, "leased", |task| task.status.is_held()).await;
    server.kill_nine();
    server.restart().await;
    sees_one_clean_success(&user, id, 50).await;
    engine.is_clean_of(runner.id()).await;
}

#[tokio::test]
async fn a_follower_reads_on_over_the_crash() {
    let engine = TestEngine::connect();
    let mut server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let id = user.posts(&Task::counting(200)).await;
    let following = tokio::spawn({
        let user = user.clone();
        async move { user.follows_log(id).await }
    });
    user.sees_log(id, Task::counted(50).len()).await;
    server.kill_nine();
    server.restart().await;
    let log = following.await.unwrap();
    assert_eq!(String::from_utf8(log).unwrap(), Task::counted(200));
}

#[tokio::test]
async fn a_server_told_to_stop_lets_go_in_order() {
    let engine = TestEngine::connect();
    let mut server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let id = user.posts(&Task::counting(100)).await;
    user.sees_log(id, Task::counted(10).len()).await;
    let status = server.terminate().await;
    assert!(status.success(), "{status}");
    server.restart().await;
    sees_one_clean_success(&user, id, 100).await;
}

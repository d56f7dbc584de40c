//! A poster changes their mind.

use protocol::error::ErrorCode;
use protocol::outcome::OutcomeReason;
use protocol::task::{TaskStatus, TaskStep};
use reqwest::Method;
use tests::{Task, TestEngine, TestRunner, TestServer};

#[tokio::test]
async fn a_waiting_task_is_cancelled_at_once_and_never_runs() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let user = server.user();
    let id = user.posts(&Task::running(&["echo", "never"])).await;
    let cancel = user.request(Method::POST, &format!("/api/v1/tasks/{id}/cancel"));
    let answer = user.send(cancel).await;
    assert_eq!(answer.status, 202);
    assert_eq!(user.sees_end(id).await.status, TaskStatus::Cancelled);

    let _runner = TestRunner::start(&server, &engine).await;
    let after = user.posts(&Task::running(&["true"])).await;
    user.sees_end(after).await;
    let task = user.task(id).await;
    assert_eq!((task.status, task.attempts.len()), (TaskStatus::Cancelled, 0));
}

#[tokio::test]
async fn a_running_task_is_stopped_and_its_container_removed() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let script = "trap 'echo goodbye; exit 3' TERM; echo begun; while true; do sleep 0.05; done";
    let id = user.posts(&Task::shell(script)).await;
    user.sees_log(id, 6).await;
    user.cancels(id).await;
    let task = user.sees_end(id).await;
    assert_eq!(task.status, TaskStatus::Cancelled);
    assert_eq!(task.outcome.unwrap().reason, OutcomeReason::Cancelled);
    assert!(
        task.timeline
            .iter()
            .any(|entry| entry.step == TaskStep::CancelRequested)
    );
    assert_eq!(
        user.log(id).await,
        "begun\ngoodbye\n",
        "the command was asked before it was killed"
    );
    engine.is_clean_of(runner.id()).await;
}

#[tokio::test]
async fn a_command_deaf_to_the_request_is_killed() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let id = user
        .posts(&Task::shell(
            "trap '' TERM; echo deaf; while true; do sleep 1; done",
        ))
        .await;
    user.sees_log(id, 5).await;
    user.cancels(id).await;
    assert_eq!(user.sees_end(id).await.status, TaskStatus::Cancelled);
    engine.is_clean_of(runner.id()).await;
}

#[tokio::test]
async fn a_finished_task_cannot_be_cancelled() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let id = user.posts(&Task::running(&["true"])).await;
    let before = user.sees_end(id).await;
    let cancel = user.request(Method::POST, &format!("/api/v1/tasks/{id}/cancel"));
    let answer = user.send(cancel).await;
    assert_eq!((answer.status, answer.problem().code), (409, ErrorCode::Conflict));
    assert_eq!(user.task(id).await, before);
}

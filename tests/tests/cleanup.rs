//! Nothing of a task stays on the runner's machine, however it ended.

use std::fs;
use std::path::Path;

use protocol::id::TaskId;
use protocol::runner::RunnerStatus;
use protocol::task::TaskStatus;
use serde_json::json;
use tests::{RunnerOptions, Task, TestEngine, TestRunner, TestServer, TestUser, until};

/// A task with a volume, so that there is something beside the container to forget.
fn with_volume(task: Task) -> Task {
    task.with("/environment/config/volumes", json!({ "scratch": "/scratch" }))
}

fn files_below(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let names = entries.map(|entry| {
        entry
            .expect("an entry")
            .file_name()
            .to_string_lossy()
            .into_owned()
    });
    names.collect()
}

/// Everything that could be left of the runner's work.
async fn sees_nothing_left(engine: &TestEngine, runner: &TestRunner, networks: &[String]) {
    engine.is_clean_of(runner.id()).await;
    assert_eq!(engine.networks(), networks);
    until("the runner's temporary files are gone", async || {
        files_below(&runner.scratch()).is_empty().then_some(())
    })
    .await;
}

async fn sees_volume(user: &TestUser, engine: &TestEngine, id: TaskId) {
    user.sees_status(id, TaskStatus::Running).await;
    let container = engine.container_of_task(id).await;
    let mounts = container["Mounts"].to_string() + &container["HostConfig"].to_string();
    assert!(mounts.contains("/scratch"), "{mounts}");
}

#[tokio::test]
async fn after_every_kind_of_end_nothing_is_left() {
    let engine = TestEngine::connect();
    let networks = engine.networks();
    let server = TestServer::start().await;
    let runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let write = "echo data > /scratch/file && echo data > /tmp/file";
    for (task, expected) in [
        (Task::shell(write), TaskStatus::Succeeded),
        (Task::shell(&format!("{write}; exit 1")), TaskStatus::Failed),
        (
            Task::running(&["sleep", "60"]).limited(json!({ "timeout": "500ms" })),
            TaskStatus::Failed,
        ),
        (Task::running(&["no-such-program"]), TaskStatus::Failed),
    ] {
        let id = user.posts(&with_volume(task)).await;
        assert_eq!(user.sees_end(id).await.status, expected);
        sees_nothing_left(&engine, &runner, &networks).await;
    }
    let id = user.posts(&with_volume(Task::running(&["sleep", "60"]))).await;
    sees_volume(&user, &engine, id).await;
    user.cancels(id).await;
    assert_eq!(user.sees_end(id).await.status, TaskStatus::Cancelled);
    sees_nothing_left(&engine, &runner, &networks).await;
}

#[tokio::test]
async fn a_runner_that_is_told_to_stop_finishes_its_work_and_leaves_nothing() {
    let engine = TestEngine::connect();
    let networks = engine.networks();
    let server = TestServer::start().await;
    let mut runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let id = user.posts(&with_volume(Task::counting(200))).await;
    sees_volume(&user, &engine, id).await;
    let status = runner.terminate().await;
    assert!(status.success(), "{status}");
    sees_nothing_left(&engine, &runner, &networks).await;
    assert_eq!(user.task(id).await.status, TaskStatus::Succeeded);
    assert_eq!(String::from_utf8_lossy(&user.log(id).await), Task::counted(200));
}

#[tokio::test]
async fn a_runner_that_is_told_twice_stops_at_once_and_leaves_nothing() {
    let engine = TestEngine::connect();
    let networks = engine.networks();
    let server = TestServer::start().await;
    let mut runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let id = user.posts(&with_volume(Task::running(&["sleep", "300"]))).await;
    sees_volume(&user, &engine, id).await;
    runner.asks_to_leave();
    user.sees_runners(RunnerStatus::Draining, 1).await;
    runner.terminate().await;
    sees_nothing_left(&engine, &runner, &networks).await;
    user.sees(id, "back in the queue", |task| task.status == TaskStatus::Queued)
        .await;
}

#[tokio::test]
async fn a_runner_that_died_cleans_up_when_it_comes_back() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let mut runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let id = user.posts(&with_volume(Task::running(&["sleep", "300"]))).await;
    sees_volume(&user, &engine, id).await;
    runner.kill_nine();
    assert_eq!(
        engine.containers_of(runner.id()).len(),
        1,
        "nobody could clean up"
    );
    runner.restart(&server).await;
    user.cancels(id).await;
    user.sees_end(id).await;
    engine.is_clean_of(runner.id()).await;
}

#[tokio::test]
async fn the_containers_of_others_are_left_alone() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let name = format!("parity-test-bystander-{}", server.pid());
    let started = engine.docker(&[
        "run",
        "--detach",
        "--name",
        &name,
        "--network=none",
        "alpine:latest",
        "sleep",
        "600",
    ]);
    assert!(started.status.success(), "{started:?}");
    let options = RunnerOptions::default();
    let mut runner = TestRunner::with_options(&server, &engine, options).await;
    let user = server.user();
    let id = user.posts(&Task::running(&["true"])).await;
    user.sees_end(id).await;
    runner.terminate().await;
    let state = engine.docker(&["inspect", "--format", "{{.State.Status}}", &name]);
    let removed = engine.docker(&["rm", "--force", &name]);
    assert!(removed.status.success(), "{removed:?}");
    assert_eq!(String::from_utf8_lossy(&state.stdout).trim(), "running");
}

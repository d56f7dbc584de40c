//! The request of the README, as somebody types it who has just installed Parity.

use std::process::Command;

use client::LogQuery;
use protocol::outcome::{Fault, OutcomeReason};
use protocol::task::TaskStatus;
use tests::{TestEngine, TestRunner, TestServer};

/// Byte for byte as documented. Only the port is another, because many tests run at once.
const DOCUMENTED: &str = r#"curl -X POST http://localhost:8080/api/tasks -H "Content-Type: application/json" -d '{
  "title": "Docker Task", "type": "docker",
  "config": { "command": ["echo", "hello world"] },
  "environment": { "type": "docker", "config": { "image": "alpine:latest", "workdir": "/app", "env": ["KEY=value"] } },
  "reward": 100 }'"#;

/// Types the command into a shell and returns what `curl` prints, head first.
fn type_documented_command(server: &TestServer) -> String {
    let port = server.address().split_once(':').expect("an address has a port").1;
    let home = tempfile::tempdir().expect("there is a place for temporary files");
    // The answer's head and no progress bar, without a change to the command.
    std::fs::write(home.path().join(".curlrc"), "include\nsilent\n").expect("the folder is writable");
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(DOCUMENTED.replace(":8080", &format!(":{port}")));
    let answer = shell
        .env("CURL_HOME", home.path())
        .output()
        .expect("there is a shell");
    assert!(answer.status.success(), "{answer:?}");
    String::from_utf8(answer.stdout).expect("the answer is text")
}

#[tokio::test]
async fn the_documented_curl_runs_to_its_end() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let runner = TestRunner::start(&server, &engine).await;
    let user = server.user();

    let answer = type_documented_command(&server);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 201 Created\r\n"), "{head}");
    let posted: protocol::task::TaskView = serde_json::from_str(body).unwrap();
    let location = format!("location: /api/v1/tasks/{}", posted.id);
    assert!(head.to_lowercase().lines().any(|line| line == location), "{head}");
    assert_eq!(posted.spec.title, "Docker Task");
    assert_eq!(posted.spec.reward.to_string(), "100 PAR");
    assert_eq!(posted.spec.workdir.as_deref(), Some("/app"));

    let task = user.sees_end(posted.id).await;
    assert_eq!(task.status, TaskStatus::Succeeded);
    assert_eq!(task.attempts.len(), 1);
    assert_eq!(task.attempts[0].runner_id, runner.id());
    assert_eq!(user.log(task.id).await, "hello world\n");
    let outcome = user.client().result(task.id).await.unwrap();
    assert_eq!(
        (outcome.reason, outcome.fault),
        (OutcomeReason::Exited, Fault::None)
    );
    assert_eq!(outcome.exit_code, Some(0));
    assert_eq!(task.outcome, Some(outcome));
}

#[tokio::test]
async fn workdir_and_environment_reach_the_command() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let task = tests::Task::shell("pwd; echo $KEY; echo $OTHER")
        .with("/environment/config/workdir", "/app")
        .with("/environment/config/env", vec!["KEY=value", "OTHER=a=b c"]);
    let id = user.posts(&task).await;
    assert_eq!(user.sees_end(id).await.status, TaskStatus::Succeeded);
    assert_eq!(
        user.log_of(id, &LogQuery::default()).await,
        "/app\nvalue\na=b c\n"
    );
}

//! Limits of the operator and of the task, as the kernel and the engine see them.

use protocol::outcome::{Fault, OutcomeReason};
use protocol::task::TaskStatus;
use serde_json::{Value, json};
use tests::{RunnerOptions, Task, TestEngine, TestRunner, TestServer};

/// The documented keys with values nobody has by default.
const LIMITED: &str = r#"
runner:
  docker:
    memory_limit: "96m"
    cpu_limit: "0.5"
    timeout: "2s"
"#;

fn limited() -> RunnerOptions {
    RunnerOptions {
        config: LIMITED.to_owned(),
        ..RunnerOptions::default()
    }
}

/// Processor time per wall time in thousandths, whichever way the engine was told.
fn cpu_millis(container: &Value) -> i64 {
    let host = &container["HostConfig"];
    match (
        host["NanoCpus"].as_i64(),
        host["CpuQuota"].as_i64(),
        host["CpuPeriod"].as_i64(),
    ) {
        (Some(nanos), ..) if nanos > 0 => nanos / 1_000_000,
        (_, Some(quota), Some(period)) if period > 0 => quota * 1000 / period,
        other => panic!("no processor limit: {other:?}"),
    }
}

#[tokio::test]
async fn limits_of_the_configuration_file_bind_the_container() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let _runner = TestRunner::with_options(&server, &engine, limited()).await;
    let user = server.user();
    let id = user.posts(&Task::running(&["sleep", "60"])).await;
    let container = engine.container_of_task(id).await;
    assert_eq!(container["HostConfig"]["Memory"], 96 * 1024 * 1024);
    assert_eq!(container["HostConfig"]["MemorySwap"], 96 * 1024 * 1024);
    assert_eq!(cpu_millis(&container), 500);

    let task = user.sees_end(id).await;
    let outcome = task.outcome.unwrap();
    assert_eq!(
        (task.status, outcome.reason),
        (TaskStatus::Failed, OutcomeReason::TimedOut)
    );
    assert_eq!(outcome.fault, Fault::Task);
    assert!(outcome.usage.wall_ms >= 2000, "{outcome:?}");
}

#[tokio::test]
async fn a_variable_of_the_environment_overrides_the_file() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let options = RunnerOptions {
        environment: vec![("PARITY_RUNNER__DOCKER__MEMORY_LIMIT", "48m".to_owned())],
        ..limited()
    };
    let _runner = TestRunner::with_options(&server, &engine, options).await;
    let user = server.user();
    let id = user.posts(&Task::running(&["sleep", "60"])).await;
    let container = engine.container_of_task(id).await;
    assert_eq!(container["HostConfig"]["Memory"], 48 * 1024 * 1024);
    assert_eq!(cpu_millis(&container), 500);
    user.cancels(id).await;
    user.sees_end(id).await;
}

#[tokio::test]
async fn limits_of_the_task_bind_its_container() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let limits = json!({ "memory": "32m", "cpus": "0.25", "timeout": "1m", "pids": 20 });
    let id = user.posts(&Task::running(&["sleep", "60"]).limited(limits)).await;
    let container = engine.container_of_task(id).await;
    let host = &container["HostConfig"];
    assert_eq!(host["Memory"], 32 * 1024 * 1024);
    assert_eq!(host["PidsLimit"], 20);
    assert_eq!(cpu_millis(&container), 250);
    user.cancels(id).await;
    user.sees_end(id).await;
}

#[tokio::test]
async fn a_container_is_always_caged() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let id = user.posts(&Task::running(&["sleep", "60"])).await;
    let container = engine.container_of_task(id).await;
    let host = &container["HostConfig"];
    assert_eq!(host["CapDrop"], json!(["ALL"]));
    assert_eq!(host["ReadonlyRootfs"], true);
    assert_eq!(host["NetworkMode"], "none");
    assert_eq!(host["Privileged"], false);
    assert_eq!(host["LogConfig"]["Type"], "none");
    assert_eq!(host["Memory"], 512 * 1024 * 1024, "the documented default");
    assert_eq!(host["MemorySwap"], host["Memory"]);
    assert!(host["PidsLimit"].as_i64().unwrap() > 0);
    let options = host["SecurityOpt"].to_string();
    assert!(options.contains("no-new-privileges"), "{options}");
    let user_of_container = container["Config"]["User"].as_str().unwrap();
    assert!(!["", "0", "root"].contains(&user_of_container.split(':').next().unwrap()));
    let labels = &container["Config"]["Labels"];
    assert_eq!(labels["dev.parity.task"], id.to_string());
    assert_eq!(labels["dev.parity.runner"], runner.id().to_string());
    assert_eq!(labels["dev.parity.epoch"], "1");
    user.cancels(id).await;
    user.sees_end(id).await;
}

#[tokio::test]
async fn a_task_over_its_time_is_killed_and_reported_as_timed_out() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    // Deaf to a polite request to stop.
    let task = Task::shell("trap '' TERM; echo begun; while true; do sleep 1; done");
    let id = user.posts(&task.limited(json!({ "timeout": "1s" }))).await;
    let task = user.sees_end(id).await;
    let outcome = task.outcome.unwrap();
    assert_eq!(
        (task.status, outcome.reason),
        (TaskStatus::Failed, OutcomeReason::TimedOut)
    );
    assert_eq!(outcome.fault, Fault::Task);
    assert_eq!(task.attempts.len(), 1, "a task's own fault is final");
    assert_eq!(user.log(id).await, "begun\n");
    engine.is_clean_of(runner.id()).await;
}

#[tokio::test]
async fn a_task_over_its_memory_is_reported_as_out_of_memory_whatever_its_exit_code() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let greedy = ["dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=1"];
    // The shell outlives its child for a moment: engines before 23 forget a kill they hear of only after the end.
    let careless = format!("{}; usleep 300000; exit 0", greedy.join(" "));
    for (command, exit_code) in [(Task::running(&greedy), 137), (Task::shell(&careless), 0)] {
        let id = user.posts(&command.limited(json!({ "memory": "32m" }))).await;
        let task = user.sees_end(id).await;
        let outcome = task.outcome.unwrap();
        assert_eq!(
            (task.status, outcome.reason),
            (TaskStatus::Failed, OutcomeReason::OutOfMemory)
        );
        assert_eq!((outcome.fault, outcome.exit_code), (Fault::Task, Some(exit_code)));
        assert!(outcome.oom_killed);
    }
}

#[tokio::test]
async fn the_exit_code_of_the_command_is_the_outcome() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let id = user.posts(&Task::shell("exit 42")).await;
    let task = user.sees_end(id).await;
    let outcome = task.outcome.unwrap();
    assert_eq!((task.status, outcome.exit_code), (TaskStatus::Failed, Some(42)));
    assert_eq!(
        (outcome.reason, outcome.fault),
        (OutcomeReason::Exited, Fault::Task)
    );

    let missing = user.posts(&Task::running(&["no-such-program"])).await;
    let task = user.sees_end(missing).await;
    let outcome = task.outcome.unwrap();
    assert_eq!(
        (task.status, outcome.reason),
        (TaskStatus::Failed, OutcomeReason::CommandNotRunnable)
    );
    assert_eq!(task.attempts.len(), 1, "a task's own fault is final");
}

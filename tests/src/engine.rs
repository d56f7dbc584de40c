//! The container engine, seen from outside with the `docker` command.

use std::env;
use std::process::{Command, Output};

use protocol::id::{RunnerId, TaskId};
use serde_json::Value;

use crate::deadline::until;

/// The image of the documented request.
pub const IMAGE: &str = "alpine:latest";

#[derive(Debug, Clone)]
pub struct TestEngine {
    host: String,
}

impl TestEngine {
    /// The engine of the tests.
    pub fn connect() -> Self {
        let host = env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned());
        let engine = Self { host };
        let answer = engine.docker(&["version"]);
        assert!(
            answer.status.success(),
            "this test needs a Docker engine and none answers at {}: run `cargo xtask test`, which brings one, or \
             set DOCKER_HOST\n{}",
            engine.host,
            String::from_utf8_lossy(&answer.stderr)
        );
        assert!(
            engine.docker(&["image", "inspect", IMAGE]).status.success(),
            "the engine at {} has no {IMAGE}: run `cargo xtask test`, which makes one",
            engine.host
        );
        engine
    }

    /// The address for `DOCKER_HOST`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Containers of a runner, whatever their state.
    pub fn containers_of(&self, runner: RunnerId) -> Vec<String> {
        self.ids(
            &["ps", "--all", "--quiet", "--no-trunc"],
            &format!("dev.parity.runner={runner}"),
        )
    }

    pub fn containers_of_task(&self, task: TaskId) -> Vec<String> {
        self.ids(
            &["ps", "--all", "--quiet", "--no-trunc"],
            &format!("dev.parity.task={task}"),
        )
    }

    pub fn volumes_of(&self, runner: RunnerId) -> Vec<String> {
        self.ids(
            &["volume", "ls", "--quiet"],
            &format!("dev.parity.runner={runner}"),
        )
    }

    /// Every network, by name.
    pub fn networks(&self) -> Vec<String> {
        self.lines(&["network", "ls", "--format", "{{.Name}}"])
    }

    /// Everything the engine knows about the container of a running task.
    pub async fn container_of_task(&self, task: TaskId) -> Value {
        until("the task has a running container", async || {
            let id = self.containers_of_task(task).pop()?;
            let inspected = self.docker(&["inspect", &id]);
            let mut list: Vec<Value> = serde_json::from_slice(&inspected.stdout).ok()?;
            let container = list.pop()?;
            (container["State"]["Status"] == "running").then_some(container)
        })
        .await
    }

    /// Waits until nothing is left of a runner's work.
    pub async fn is_clean_of(&self, runner: RunnerId) {
        until("the runner's containers and volumes are gone", async || {
            (self.containers_of(runner).is_empty() && self.volumes_of(runner).is_empty()).then_some(())
        })
        .await;
    }

    /// Removes whatever a runner that is gone has left.
    pub fn removes_all_of(&self, runner: RunnerId) {
        for container in self.containers_of(runner) {
            self.docker(&["rm", "--force", "--volumes", &container]);
        }
        for volume in self.volumes_of(runner) {
            self.docker(&["volume", "rm", "--force", &volume]);
        }
    }

    fn ids(&self, list: &[&str], label: &str) -> Vec<String> {
        let filter = format!("label={label}");
        let words: Vec<&str> = list.iter().copied().chain(["--filter", &filter]).collect();
        self.lines(&words)
    }

    fn lines(&self, words: &[&str]) -> Vec<String> {
        let answer = self.docker(words);
        let said = String::from_utf8_lossy(&answer.stdout);
        assert!(
            answer.status.success(),
            "docker {words:?}: {}",
            String::from_utf8_lossy(&answer.stderr)
        );
        said.lines().map(str::to_owned).collect()
    }

    /// Runs the `docker` command against this engine.
    pub fn docker(&self, words: &[&str]) -> Output {
        let mut command = Command::new("docker");
        command
            .env_remove("DOCKER_CONTEXT")
            .args(["--host", &self.host])
            .args(words);
        command.output().expect("the `docker` command is installed")
    }
}

//! The Docker engine a command works with: the machine's own when it may be used, else a private one.
//!
//! A private engine has its own data, sockets and containerd name space, keeps its images between runs under
//! `target/engine`, and is stopped by its process id. Nothing here ever touches an engine it did not start.

mod abandoned;
mod contents;
mod private;

use std::{env, process::Command, time::Duration};

use anyhow::Context;

pub use contents::Contents;
use private::PrivateEngine;

use crate::process;

/// An engine that answers at `host`; one we started is stopped when this is dropped.
pub struct Engine {
    host: String,
    private: Option<PrivateEngine>,
}

impl Engine {
    /// The engine the machine already runs, else a private one.
    pub fn present_or_private(name: &str) -> anyhow::Result<Self> {
        match answering_host() {
            Some(host) => Ok(Self { host, private: None }),
            None => Self::private(name),
        }
    }

    /// An engine of our own whose images live under `target/engine/<name>`.
    pub fn private(name: &str) -> anyhow::Result<Self> {
        let private = PrivateEngine::start(name).context("cannot start a Docker engine")?;
        Ok(Self {
            host: private.host(),
            private: Some(private),
        })
    }

    /// The address for `DOCKER_HOST`.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn is_private(&self) -> bool {
        self.private.is_some()
    }

    /// The `docker` client talking to this engine.
    pub fn docker(&self) -> Command {
        let mut command = Command::new("docker");
        command.env_remove("DOCKER_CONTEXT").args(["--host", &self.host]);
        command
    }

    /// Containers that carry a label, whatever their state.
    pub fn labelled_containers(&self, label: &str) -> anyhow::Result<Vec<String>> {
        let filter = format!("label={label}");
        let mut list = self.docker();
        let listed =
            process::clean_up(list.args(["ps", "--all", "--quiet", "--no-trunc", "--filter", &filter]))?;
        Ok(listed.lines().map(str::to_owned).collect())
    }

    /// Stops an engine we started; a dropped one is stopped as well, but cannot say what went wrong.
    pub fn stop(mut self) -> anyhow::Result<()> {
        self.private.take().map_or(Ok(()), PrivateEngine::stop)
    }
}

/// Where the engine answers that the `docker` client would talk to.
fn answering_host() -> Option<String> {
    process::find("docker")?;
    if !process::succeeds_within(Command::new("docker").arg("version"), Duration::from_secs(10)) {
        return None;
    }
    if let Some(host) = env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty()) {
        return Some(host);
    }
    let mut inspect = Command::new("docker");
    let host =
        process::capture(inspect.args(["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]));
    Some(host.map_or_else(
        |_| "unix:///var/run/docker.sock".to_owned(),
        |host| host.trim().to_owned(),
    ))
}

//! The section `runner:` of the configuration. Its `docker` limits are the most that the operator lets one task use.

use std::collections::BTreeMap;
use std::path::PathBuf;

use protocol::agent::MAX_SLOTS;
use protocol::quantity::{ByteSize, Cpus, Span};
use protocol::task::Limits;
use serde::{Deserialize, Deserializer};

use crate::server_url::ServerUrl;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunnerConfig {
    /// Where the tasks come from: `http://host:port` or `https://host`.
    pub server: ServerUrl,
    /// What people see; the host's own name when absent.
    pub name: Option<String>,
    /// Where the identity is kept.
    pub data_dir: PathBuf,
    /// Attempts at the same time.
    #[serde(deserialize_with = "slots")]
    pub slots: u32,
    /// Free labels that a task's `requires` can name.
    pub labels: BTreeMap<String, String>,
    pub docker: DockerConfig,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DockerConfig {
    /// `unix:///path` or `tcp://host:port`; absent means `DOCKER_HOST`, and without that Docker's usual socket.
    pub host: Option<String>,
    #[serde(deserialize_with = "memory_limit")]
    pub memory_limit: ByteSize,
    #[serde(deserialize_with = "cpu_limit")]
    pub cpu_limit: Cpus,
    #[serde(deserialize_with = "timeout")]
    pub timeout: Span,
    #[serde(deserialize_with = "pids")]
    pub pids: u32,
    /// Of each writable place.
    #[serde(deserialize_with = "disk")]
    pub disk: ByteSize,
    #[serde(deserialize_with = "output")]
    pub output: ByteSize,
    #[serde(deserialize_with = "log")]
    pub log: ByteSize,
    /// How long a pull may take.
    #[serde(deserialize_with = "timeout")]
    pub pull_timeout: Span,
    /// Image references lead the engine to hosts; it goes to these and to no other.
    pub allowed_registries: Vec<String>,
}

impl Default for RunnerConfig {
    fn default() -> Self {
        Self {
            server: ServerUrl::default(),
            name: None,
            data_dir: PathBuf::from("parity-runner-data"),
            slots: 2,
            labels: BTreeMap::new(),
            docker: DockerConfig::default(),
        }
    }
}

impl Default for DockerConfig {
    fn default() -> Self {
        let limits = Limits::DEFAULT;
        Self {
            host: None,
            memory_limit: limits.memory,
            cpu_limit: limits.cpus,
            timeout: limits.timeout,
            pids: limits.pids,
            disk: limits.disk,
            output: limits.output,
            log: limits.log,
            // Nomad's pull deadline: long for a layer, short for a person who waits.
            pull_timeout: Span::from_secs(5 * 60),
            allowed_registries: ["docker.io", "ghcr.io", "quay.io"].map(str::to_owned).to_vec(),
        }
    }
}

impl DockerConfig {
    /// The caps as the server and the attempts know them.
    pub const fn caps(&self) -> Limits {
        Limits {
            memory: self.memory_limit,
            cpus: self.cpu_limit,
            timeout: self.timeout,
            pids: self.pids,
            disk: self.disk,
            output: self.output,
            log: self.log,
        }
    }
}

fn slots<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    settings::between(deserializer, &1, &MAX_SLOTS)
}

macro_rules! bounded {
    ($($name:ident: $limit:ident $kind:ty;)*) => {
        $(fn $name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<$kind, D::Error> {
            settings::between(deserializer, &Limits::MIN.$limit, &Limits::MAX.$limit)
        })*
    };
}

bounded! {
    memory_limit: memory ByteSize;
    cpu_limit: cpus Cpus;
    timeout: timeout Span;
    pids: pids u32;
    disk: disk ByteSize;
    output: output ByteSize;
    log: log ByteSize;
}

#[cfg(test)]
mod tests {
    use std::fs;

    use settings::{Layers, Section};

    use super::*;

    fn load(text: &str) -> Result<RunnerConfig, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runner.yaml");
        fs::write(&path, text).unwrap();
        let prefix = format!("{}/", folder.path().display());
        Layers::new(Section::Runner)
            .file(Some(&path))
            .load()
            .map_err(|error| error.to_string().replace(&prefix, ""))
    }

    #[test]
    fn the_documented_keys_are_the_caps() {
        let text =
            "runner:\n  docker:\n    memory_limit: \"256m\"\n    cpu_limit: \"0.5\"\n    timeout: \"1m\"\n";
        let caps = load(text).unwrap().docker.caps();
        assert_eq!(caps.memory, ByteSize::mib(256));
        assert_eq!(caps.cpus, Cpus::from_millis(500));
        assert_eq!(caps.timeout, Span::from_secs(60));
        assert_eq!(caps.pids, Limits::DEFAULT.pids);
    }

    #[test]
    fn values_out_of_bounds_are_named() {
        for (text, message) in [
            (
                "runner:\n  slots: 0\n",
                "runner.yaml:2: runner.slots: must be from 1 to 256, not 0",
            ),
            (
                "runner:\n  docker:\n    memory_limit: 1m\n",
                "runner.yaml:3: runner.docker.memory_limit: must be from 6m to 1024g, not 1m",
            ),
            (
                "runner:\n  docker:\n    timeout: 0s\n",
                "runner.yaml:3: runner.docker.timeout: must be from 100ms to 7d, not 0s",
            ),
            (
                "runner:\n  server: ftp://example.com\n",
                "runner.yaml:2: runner.server: must be a URL such as http://localhost:8080 or https://example.com, \
                 not \"ftp://example.com\"",
            ),
            (
                "runner:\n  docker:\n    cpus: 1\n",
                "runner.yaml:3: runner.docker.cpus: no such key; known here: allowed_registries, cpu_limit, disk, \
                 host, log, memory_limit, output, pids, pull_timeout, timeout",
            ),
        ] {
            assert_eq!(load(text).unwrap_err(), message);
        }
    }
}

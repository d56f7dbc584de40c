//! Runners as the server and the pages see them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::RunnerId;
use crate::time::UnixMs;

/// What a runner can do. Sizes are what it offers to tasks, not what the host has.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Capabilities {
    /// As in Go and Docker: `linux`.
    pub os: String,
    /// As in Go and Docker: `amd64`, `arm64`.
    pub arch: String,
    pub cpu_millis: u32,
    pub memory_bytes: u64,
    /// Attempts at the same time.
    pub slots: u32,
    /// Free labels that `requires` of a task can name.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunnerStatus {
    /// Connected and taking work.
    Online,
    /// Connected, finishing what it has.
    Draining,
    Offline,
}

impl RunnerStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Draining => "draining",
            Self::Offline => "offline",
        }
    }
}

/// A runner in lists and events. Apply one only when its `revision` is newer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunnerView {
    pub id: RunnerId,
    pub revision: u64,
    pub name: String,
    pub status: RunnerStatus,
    pub version: String,
    pub capabilities: Capabilities,
    /// Attempts it holds now.
    pub busy: u32,
    pub succeeded: u64,
    pub failed: u64,
    #[serde(rename = "first_seen_at_ms")]
    pub first_seen_at: UnixMs,
    #[serde(rename = "last_seen_at_ms")]
    pub last_seen_at: UnixMs,
}

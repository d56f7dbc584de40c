//! What a poster asks for. Immutable once posted.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ImageRef, RequestedLimits, Requirement};
use crate::amount::Reward;
use crate::quantity::Span;

/// A task as it was accepted: every field checked, defaults of the server filled in where they are part of the
/// deal, limits as asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSpec {
    pub title: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    pub image: ImageRef,
    /// Arguments, no shell. Empty: the image's own CMD.
    #[serde(default)]
    pub command: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workdir: Option<String>,
    #[serde(default)]
    pub env: Vec<EnvVar>,
    /// Volume name to container path: a fresh, empty volume per attempt.
    #[serde(default)]
    pub volumes: BTreeMap<String, String>,
    #[serde(default)]
    pub limits: RequestedLimits,
    pub reward: Reward,
    pub max_attempts: u32,
    #[serde(default)]
    pub pay_on: PayOn,
    #[serde(default)]
    pub requires: Vec<Requirement>,
    /// Given up this long after posting.
    pub give_up_after: Span,
}

/// When the runner is owed the reward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayOn {
    /// Exit code 0.
    #[default]
    Success,
    /// The task ended by its own doing, whatever the exit code.
    Completion,
}

/// `NAME=value`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvVar {
    pub name: String,
    pub value: String,
}

impl fmt::Display for EnvVar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}

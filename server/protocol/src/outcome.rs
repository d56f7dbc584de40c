//! How an attempt ended, whose fault it was, and what it used.

use serde::{Deserialize, Serialize};

use crate::time::UnixMs;

/// Whose fault a failure is. It decides about money and about another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Nobody's: it succeeded, or the poster cancelled it.
    None,
    /// The task's own doing: final.
    Task,
    /// The runner's: another runner gets the task.
    Runner,
    /// Ours: another attempt.
    Platform,
}

/// Why the attempt ended. The exit code alone is no verdict: 137 has three meanings, and an out-of-memory kill of a
/// child can come with exit code 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeReason {
    /// The command ended by itself; see the exit code.
    Exited,
    /// Over its wall-clock limit, killed.
    TimedOut,
    /// The kernel killed it at its own memory limit.
    OutOfMemory,
    /// More log than the task may write, killed.
    LogLimit,
    Cancelled,
    /// The command could not be started: no such file, not executable. The task's fault.
    CommandNotRunnable,
    /// The image reference is not allowed on this runner.
    ImageRefused,
    /// The image does not exist or may not be pulled. The task's fault.
    ImageNotFound,
    /// The registry or the network failed. The runner's fault.
    ImagePullFailed,
    /// The container engine failed or was restarted.
    EngineFailed,
    /// The runner stopped before the end.
    RunnerStopped,
    /// The lease ran out without a word from the runner.
    LeaseExpired,
}

impl OutcomeReason {
    pub const ALL: [Self; 12] = [
        Self::Exited,
        Self::TimedOut,
        Self::OutOfMemory,
        Self::LogLimit,
        Self::Cancelled,
        Self::CommandNotRunnable,
        Self::ImageRefused,
        Self::ImageNotFound,
        Self::ImagePullFailed,
        Self::EngineFailed,
        Self::RunnerStopped,
        Self::LeaseExpired,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exited => "exited",
            Self::TimedOut => "timed_out",
            Self::OutOfMemory => "out_of_memory",
            Self::LogLimit => "log_limit",
            Self::Cancelled => "cancelled",
            Self::CommandNotRunnable => "command_not_runnable",
            Self::ImageRefused => "image_refused",
            Self::ImageNotFound => "image_not_found",
            Self::ImagePullFailed => "image_pull_failed",
            Self::EngineFailed => "engine_failed",
            Self::RunnerStopped => "runner_stopped",
            Self::LeaseExpired => "lease_expired",
        }
    }

    /// Whose fault this reason is, for an attempt that ended with that exit code.
    pub const fn fault(self, exit_code: Option<i64>) -> Fault {
        match self {
            Self::Exited => match exit_code {
                Some(0) => Fault::None,
                _ => Fault::Task,
            },
            Self::Cancelled => Fault::None,
            Self::TimedOut
            | Self::OutOfMemory
            | Self::LogLimit
            | Self::CommandNotRunnable
            | Self::ImageNotFound => Fault::Task,
            Self::ImageRefused
            | Self::ImagePullFailed
            | Self::EngineFailed
            | Self::RunnerStopped
            | Self::LeaseExpired => Fault::Runner,
        }
    }
}

/// What the attempt used, as the runner measured it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// From the command's start to its end.
    pub wall_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory_bytes: Option<u64>,
    /// Bytes of log the command wrote, cut ones included.
    #[serde(default)]
    pub log_bytes: u64,
}

/// The end of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub reason: OutcomeReason,
    pub fault: Fault,
    /// The exit code of the command, or of the signal (128 + n); absent when it never ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
    /// What a person needs beyond the reason, for example the limit that fired and its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The kernel killed something in the container for memory, whatever the exit code says.
    #[serde(default)]
    pub oom_killed: bool,
    /// `sha256:...` of the image that ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_digest: Option<String>,
    #[serde(rename = "started_at_ms", default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<UnixMs>,
    #[serde(rename = "finished_at_ms")]
    pub finished_at: UnixMs,
    #[serde(default)]
    pub usage: Usage,
}

impl Outcome {
    pub fn is_success(&self) -> bool {
        self.reason == OutcomeReason::Exited && self.exit_code == Some(0)
    }

    /// One line for people: `exit code 1`, `timed out: over its limit of 5m`.
    pub fn in_words(&self) -> String {
        let what = match (self.reason, self.exit_code) {
            (OutcomeReason::Exited, Some(code)) => format!("exit code {code}"),
            (reason, _) => reason.as_str().replace('_', " "),
        };
        match &self.detail {
            Some(detail) => format!("{what}: {detail}"),
            None => what,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_a_reason_is_its_wire_form() {
        for reason in OutcomeReason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
    }

    #[test]
    fn exit_codes_decide_only_for_commands_that_ended_by_themselves() {
        assert_eq!(OutcomeReason::Exited.fault(Some(0)), Fault::None);
        assert_eq!(OutcomeReason::Exited.fault(Some(1)), Fault::Task);
        assert_eq!(OutcomeReason::OutOfMemory.fault(Some(0)), Fault::Task);
        assert_eq!(OutcomeReason::EngineFailed.fault(Some(137)), Fault::Runner);
    }
}

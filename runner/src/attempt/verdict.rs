//! What an attempt's end means. Pure, because money depends on it.

use std::time::Duration;

use protocol::outcome::{Outcome, OutcomeReason, Usage};
use protocol::task::Limits;
use protocol::time::UnixMs;

use crate::sandbox::Ended;

/// Why the runner itself ended a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    TimedOut,
    LogLimit,
    /// By the poster: TERM first, KILL after the grace period.
    Cancelled {
        grace: Duration,
    },
    RunnerStopped,
    /// Nobody wants to hear about this attempt any more.
    LeaseLost,
}

impl Cause {
    /// How long the command may take to end by itself.
    pub const fn grace(self) -> Duration {
        match self {
            Self::Cancelled { grace } => grace,
            Self::TimedOut | Self::LogLimit | Self::RunnerStopped | Self::LeaseLost => Duration::ZERO,
        }
    }
}

/// The reason, and what a person needs beyond it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub reason: OutcomeReason,
    pub detail: Option<String>,
}

impl Verdict {
    pub fn new(reason: OutcomeReason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: Some(detail.into()),
        }
    }

    /// Of a command that the runner ended.
    pub fn of_cause(cause: Cause, limits: &Limits) -> Self {
        match cause {
            Cause::TimedOut => Self::new(
                OutcomeReason::TimedOut,
                format!("over its limit of {}", limits.timeout),
            ),
            Cause::LogLimit => Self::new(
                OutcomeReason::LogLimit,
                format!("over its log limit of {}", limits.log),
            ),
            Cause::Cancelled { .. } => Self {
                reason: OutcomeReason::Cancelled,
                detail: None,
            },
            Cause::RunnerStopped => Self::new(OutcomeReason::RunnerStopped, "the runner was stopped"),
            Cause::LeaseLost => Self::new(OutcomeReason::LeaseExpired, "the lease was lost"),
        }
    }

    /// The outcome of an attempt that never began.
    pub fn without_run(self, now: UnixMs) -> Outcome {
        Outcome {
            reason: self.reason,
            fault: self.reason.fault(None),
            exit_code: None,
            detail: self.detail,
            oom_killed: false,
            image_digest: None,
            started_at: None,
            finished_at: now,
            usage: Usage::default(),
        }
    }

    /// Of a command that ended. What the runner did to it comes first: its exit code is the runner's doing then. An
    /// out-of-memory kill counts whatever the exit code says, for it can hit a child and leave 0.
    pub fn of_end(cause: Option<Cause>, ended: &Ended, limits: &Limits) -> Self {
        if let Some(cause) = cause {
            return Self::of_cause(cause, limits);
        }
        if ended.oom_killed {
            let detail = format!("over its memory limit of {}", limits.memory);
            return Self::new(OutcomeReason::OutOfMemory, detail);
        }
        if let Some(why) = &ended.not_runnable {
            return Self::new(OutcomeReason::CommandNotRunnable, why);
        }
        Self {
            reason: OutcomeReason::Exited,
            detail: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(exit_code: i64, oom_killed: bool) -> Ended {
        Ended {
            exit_code,
            oom_killed,
            not_runnable: None,
        }
    }

    #[test]
    fn one_exit_code_has_several_meanings() {
        let limits = Limits::DEFAULT;
        let reason = |cause, ended: &Ended| Verdict::of_end(cause, ended, &limits).reason;
        assert_eq!(
            reason(Some(Cause::TimedOut), &ended(137, false)),
            OutcomeReason::TimedOut
        );
        assert_eq!(reason(None, &ended(137, true)), OutcomeReason::OutOfMemory);
        assert_eq!(reason(None, &ended(0, true)), OutcomeReason::OutOfMemory);
        assert_eq!(reason(None, &ended(137, false)), OutcomeReason::Exited);
        assert_eq!(
            reason(Some(Cause::TimedOut), &ended(137, true)),
            OutcomeReason::TimedOut
        );
    }

    #[test]
    fn the_limit_that_fired_is_named_with_its_value() {
        let limits = Limits::DEFAULT;
        let detail = |cause| Verdict::of_cause(cause, &limits).detail.unwrap();
        assert_eq!(detail(Cause::TimedOut), "over its limit of 5m");
        assert_eq!(detail(Cause::LogLimit), "over its log limit of 16m");
        let oom = Verdict::of_end(None, &ended(137, true), &limits);
        assert_eq!(oom.detail.unwrap(), "over its memory limit of 512m");
    }
}

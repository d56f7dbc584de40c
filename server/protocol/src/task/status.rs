//! The two state machines of a task. Every change of either is one conditional UPDATE that checks `can_become`.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where the work stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    AwaitingFunding,
    Queued,
    /// A runner has it and prepares: pulls the image, makes the container.
    Leased,
    /// The command runs.
    Running,
    Succeeded,
    Failed,
    Cancelled,
    /// Nobody finished it before its deadline.
    Expired,
}

impl TaskStatus {
    pub const ALL: [Self; 8] = [
        Self::AwaitingFunding,
        Self::Queued,
        Self::Leased,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Expired,
    ];

    /// The word on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AwaitingFunding => "awaiting_funding",
            Self::Queued => "queued",
            Self::Leased => "leased",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// Terminal states never change.
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::Expired
        )
    }

    /// A runner holds the task.
    pub const fn is_held(self) -> bool {
        matches!(self, Self::Leased | Self::Running)
    }

    pub const fn can_become(self, next: Self) -> bool {
        match self {
            Self::AwaitingFunding => matches!(next, Self::Queued | Self::Cancelled | Self::Expired),
            Self::Queued => matches!(
                next,
                Self::Leased | Self::Failed | Self::Cancelled | Self::Expired
            ),
            Self::Leased => !matches!(next, Self::AwaitingFunding | Self::Leased),
            Self::Running => !matches!(next, Self::AwaitingFunding | Self::Leased | Self::Running),
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::Expired => false,
        }
    }
}

/// A word that is not a status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be one of awaiting_funding, queued, leased, running, succeeded, failed, cancelled, expired")]
pub struct ParseStatusError;

impl FromStr for TaskStatus {
    type Err = ParseStatusError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(ParseStatusError)
    }
}

/// Where the money stands, apart from the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// No chain is configured: the reward is a number without an escrow behind it.
    Unpriced,
    Unfunded,
    Funded,
    Settling,
    Paid,
    Refunding,
    Refunded,
}

impl PaymentStatus {
    pub const ALL: [Self; 7] = [
        Self::Unpriced,
        Self::Unfunded,
        Self::Funded,
        Self::Settling,
        Self::Paid,
        Self::Refunding,
        Self::Refunded,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unpriced => "unpriced",
            Self::Unfunded => "unfunded",
            Self::Funded => "funded",
            Self::Settling => "settling",
            Self::Paid => "paid",
            Self::Refunding => "refunding",
            Self::Refunded => "refunded",
        }
    }

    pub const fn can_become(self, next: Self) -> bool {
        match self {
            Self::Unpriced | Self::Paid | Self::Refunded => false,
            Self::Unfunded => matches!(next, Self::Funded),
            Self::Funded => matches!(next, Self::Settling | Self::Refunding | Self::Refunded),
            Self::Settling => matches!(next, Self::Paid | Self::Funded),
            Self::Refunding => matches!(next, Self::Refunded | Self::Funded),
        }
    }
}

impl FromStr for PaymentStatus {
    type Err = ParseStatusError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(ParseStatusError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_states_never_change() {
        for from in TaskStatus::ALL {
            for to in TaskStatus::ALL {
                assert!(!(from.is_terminal() && from.can_become(to)), "{from:?} -> {to:?}");
                assert!(!from.can_become(from), "{from:?} to itself");
            }
        }
    }

    #[test]
    fn the_word_is_the_wire_form() {
        for status in TaskStatus::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        for status in PaymentStatus::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
            assert_eq!(status.as_str().parse(), Ok(status));
        }
    }

    #[test]
    fn a_held_task_returns_to_the_queue_and_ends_everywhere_else() {
        for from in [TaskStatus::Leased, TaskStatus::Running] {
            for to in [
                TaskStatus::Queued,
                TaskStatus::Succeeded,
                TaskStatus::Failed,
                TaskStatus::Cancelled,
            ] {
                assert!(from.can_become(to), "{from:?} -> {to:?}");
            }
        }
        assert!(!TaskStatus::Queued.can_become(TaskStatus::Succeeded));
    }
}

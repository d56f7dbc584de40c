//! Tasks as clients read them.

use serde::{Deserialize, Serialize};

use super::{ImageRef, PaymentStatus, TaskSpec, TaskStatus};
use crate::amount::Reward;
use crate::id::{RunnerId, TaskId};
use crate::outcome::Outcome;
use crate::time::UnixMs;

/// A task in lists and events. Apply one only when its `revision` is newer than what is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSummary {
    pub id: TaskId,
    /// Grows with every change of the task.
    pub revision: u64,
    pub title: String,
    pub image: ImageRef,
    pub status: TaskStatus,
    pub payment: PaymentStatus,
    pub reward: Reward,
    /// The number of the current or last attempt; 0 before the first.
    pub epoch: u64,
    #[serde(rename = "posted_at_ms")]
    pub posted_at: UnixMs,
    #[serde(rename = "leased_at_ms", default, skip_serializing_if = "Option::is_none")]
    pub leased_at: Option<UnixMs>,
    #[serde(rename = "started_at_ms", default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<UnixMs>,
    #[serde(rename = "finished_at_ms", default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<UnixMs>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
}

/// Everything about one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskView {
    pub id: TaskId,
    pub revision: u64,
    pub status: TaskStatus,
    pub payment: PaymentStatus,
    pub spec: TaskSpec,
    pub epoch: u64,
    #[serde(rename = "posted_at_ms")]
    pub posted_at: UnixMs,
    /// Given up at this time.
    #[serde(rename = "deadline_at_ms")]
    pub deadline_at: UnixMs,
    #[serde(rename = "leased_at_ms", default, skip_serializing_if = "Option::is_none")]
    pub leased_at: Option<UnixMs>,
    #[serde(rename = "started_at_ms", default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<UnixMs>,
    #[serde(rename = "finished_at_ms", default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<UnixMs>,
    #[serde(
        rename = "cancel_requested_at_ms",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub cancel_requested_at: Option<UnixMs>,
    /// How it ended; absent until it is final.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Oldest first.
    pub attempts: Vec<AttemptView>,
    /// Oldest first.
    pub timeline: Vec<TimelineEntry>,
    /// The global event cursor this view was read at: subscribe from here and nothing is missed.
    pub cursor: i64,
}

impl TaskView {
    pub fn summary(&self) -> TaskSummary {
        TaskSummary {
            id: self.id,
            revision: self.revision,
            title: self.spec.title.clone(),
            image: self.spec.image.clone(),
            status: self.status,
            payment: self.payment,
            reward: self.spec.reward.clone(),
            epoch: self.epoch,
            posted_at: self.posted_at,
            leased_at: self.leased_at,
            started_at: self.started_at,
            finished_at: self.finished_at,
            exit_code: self.outcome.as_ref().and_then(|outcome| outcome.exit_code),
        }
    }
}

/// One lease of the task by one runner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptView {
    pub epoch: u64,
    pub runner_id: RunnerId,
    pub runner_name: String,
    #[serde(rename = "leased_at_ms")]
    pub leased_at: UnixMs,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// A step a task took, in the words of the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStep {
    Posted,
    Leased,
    Pulling,
    Started,
    /// An attempt ended without a final result; the task is in the queue again.
    Requeued,
    CancelRequested,
    Succeeded,
    Failed,
    Cancelled,
    Expired,
}

impl TaskStep {
    pub const ALL: [Self; 10] = [
        Self::Posted,
        Self::Leased,
        Self::Pulling,
        Self::Started,
        Self::Requeued,
        Self::CancelRequested,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Expired,
    ];

    /// The word on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Posted => "posted",
            Self::Leased => "leased",
            Self::Pulling => "pulling",
            Self::Started => "started",
            Self::Requeued => "requeued",
            Self::CancelRequested => "cancel_requested",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// Its place in the global order of events.
    pub cursor: i64,
    #[serde(rename = "at_ms")]
    pub at: UnixMs,
    pub step: TaskStep,
    /// For people: which runner, which exit code, why again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

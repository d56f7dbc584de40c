//! The end of an attempt: the one place where a held task becomes final or returns to the queue.

use std::time::Duration;

use protocol::agent::AttemptKey;
use protocol::id::RunnerId;
use protocol::outcome::{Fault, Outcome, OutcomeReason};
use protocol::task::{TaskSpec, TaskStatus, TaskStep};
use protocol::time::UnixMs;

use super::error::ensure_one;
use super::row::{Columns, to_int, to_json};
use super::tasks::record_step;
use super::{StoreError, Tx, runners};

/// How an attempt ended and what the server makes of it.
#[derive(Debug, Clone)]
pub struct Ended {
    pub attempt: AttemptKey,
    pub runner: RunnerId,
    pub outcome: Outcome,
    /// The end came from the runner, not from a lease that ran out.
    pub reported: bool,
    /// Back-off before the next attempt, should there be one.
    pub retry_after: Duration,
    pub now: UnixMs,
}

/// Ends an attempt: the task becomes final or returns to the queue, in one conditional update.
///
/// # Errors
/// [`StoreError::Conflict`] when the lease is over.
pub async fn end_attempt(tx: &mut Tx, ended: Ended) -> Result<TaskStatus, StoreError> {
    let task = locked_task(tx, &ended).await?;
    let next = task.status_after(&ended);
    debug_assert!(task.status.can_become(next));
    let outcome = to_json(&ended.outcome)?;
    let update = "
        UPDATE tasks
        SET status = $4, revision = revision + 1, runner_id = NULL, lease_expires_at = NULL, not_before = $5,
            finished_at = $6, outcome = $7,
            leased_at = CASE WHEN $6 IS NULL THEN NULL ELSE leased_at END,
            started_at = CASE WHEN $6 IS NULL THEN NULL ELSE started_at END
        WHERE id = $1 AND epoch = $2 AND runner_id = $3 AND status IN ('leased', 'running')";
    let result = sqlx::query(update)
        .bind(ended.attempt.task.to_string())
        .bind(to_int(ended.attempt.epoch))
        .bind(ended.runner.to_string())
        .bind(next.as_str())
        .bind(ended.now.plus(ended.retry_after).0)
        .bind(next.is_terminal().then_some(ended.now.0))
        .bind(next.is_terminal().then_some(outcome.as_str()))
        .execute(tx.connection())
        .await?;
    ensure_one(&result)?;
    close_attempt(tx, &ended, &outcome).await?;
    runners::count_result(tx, ended.runner, ended.outcome.fault == Fault::Runner, ended.now).await?;
    let detail = Some(ended.outcome.in_words());
    record_step(tx, ended.attempt.task, ended.now, step_into(next), detail).await?;
    Ok(next)
}

struct LockedTask {
    status: TaskStatus,
    spec: TaskSpec,
    cancel_requested: bool,
    deadline_at: UnixMs,
}

async fn locked_task(tx: &mut Tx, ended: &Ended) -> Result<LockedTask, StoreError> {
    // The one writer makes this read and the update after it a unit; the update checks its conditions again.
    let select = "
        SELECT status, spec, cancel_requested_at, deadline_at FROM tasks
        WHERE id = $1 AND epoch = $2 AND runner_id = $3 AND status IN ('leased', 'running')";
    let row = sqlx::query(select)
        .bind(ended.attempt.task.to_string())
        .bind(to_int(ended.attempt.epoch))
        .bind(ended.runner.to_string())
        .fetch_optional(tx.connection())
        .await?
        .ok_or(StoreError::Conflict)?;
    let columns = Columns::of("tasks", &row);
    Ok(LockedTask {
        status: columns.parsed("status")?,
        spec: columns.json("spec")?,
        cancel_requested: columns.optional_time("cancel_requested_at")?.is_some(),
        deadline_at: columns.time("deadline_at")?,
    })
}

impl LockedTask {
    fn status_after(&self, ended: &Ended) -> TaskStatus {
        let outcome = &ended.outcome;
        if outcome.reason == OutcomeReason::Cancelled {
            return TaskStatus::Cancelled;
        }
        match outcome.fault {
            Fault::None => TaskStatus::Succeeded,
            Fault::Task => TaskStatus::Failed,
            Fault::Runner | Fault::Platform if self.cancel_requested => TaskStatus::Cancelled,
            Fault::Runner | Fault::Platform if self.deadline_at <= ended.now => TaskStatus::Expired,
            Fault::Runner | Fault::Platform if ended.attempt.epoch >= u64::from(self.spec.max_attempts) => {
                TaskStatus::Failed
            }
            Fault::Runner | Fault::Platform => TaskStatus::Queued,
        }
    }
}

const fn step_into(status: TaskStatus) -> TaskStep {
    match status {
        TaskStatus::Succeeded => TaskStep::Succeeded,
        TaskStatus::Failed => TaskStep::Failed,
        TaskStatus::Cancelled => TaskStep::Cancelled,
        TaskStatus::Expired => TaskStep::Expired,
        TaskStatus::AwaitingFunding | TaskStatus::Queued | TaskStatus::Leased | TaskStatus::Running => {
            TaskStep::Requeued
        }
    }
}

async fn close_attempt(tx: &mut Tx, ended: &Ended, outcome: &str) -> Result<(), StoreError> {
    let update = "
        UPDATE attempts SET ended_at = $3, outcome = $4, result_received = $5
        WHERE task_id = $1 AND epoch = $2 AND ended_at IS NULL";
    let result = sqlx::query(update)
        .bind(ended.attempt.task.to_string())
        .bind(to_int(ended.attempt.epoch))
        .bind(ended.now.0)
        .bind(outcome)
        .bind(i64::from(ended.reported))
        .execute(tx.connection())
        .await?;
    ensure_one(&result)
}

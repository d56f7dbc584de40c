//! How far a held attempt is. Saying the same twice changes nothing, so that no runner can fill the timeline.

use protocol::agent::AttemptKey;
use protocol::id::RunnerId;
use protocol::task::TaskStep;
use protocol::time::UnixMs;

use super::error::ensure_one;
use super::row::to_int;
use super::tasks::record_step;
use super::{StoreError, Tx};

/// The runner pulls the image: shown, not a change of state.
///
/// # Errors
/// [`StoreError::Conflict`] when the lease is over.
pub async fn record_pulling(
    tx: &mut Tx,
    attempt: AttemptKey,
    runner: RunnerId,
    now: UnixMs,
    detail: Option<String>,
) -> Result<(), StoreError> {
    let first = "
        UPDATE attempts SET pulling_at = $4
        WHERE task_id = $1 AND epoch = $2 AND runner_id = $3 AND ended_at IS NULL AND pulling_at IS NULL";
    let result = sqlx::query(first)
        .bind(attempt.task.to_string())
        .bind(to_int(attempt.epoch))
        .bind(runner.to_string())
        .bind(now.0)
        .execute(tx.connection())
        .await?;
    if result.rows_affected() == 0 {
        return ensure_held(tx, attempt, runner).await;
    }
    let update = "UPDATE tasks SET revision = revision + 1 WHERE id = $1 AND epoch = $2";
    let result = sqlx::query(update)
        .bind(attempt.task.to_string())
        .bind(to_int(attempt.epoch))
        .execute(tx.connection())
        .await?;
    ensure_one(&result)?;
    record_step(tx, attempt.task, now, TaskStep::Pulling, detail)
        .await
        .map(|_| ())
}

/// The command runs.
///
/// # Errors
/// [`StoreError::Conflict`] when the lease is over.
pub async fn mark_running(
    tx: &mut Tx,
    attempt: AttemptKey,
    runner: RunnerId,
    now: UnixMs,
) -> Result<(), StoreError> {
    let update = "
        UPDATE tasks SET status = 'running', revision = revision + 1, started_at = $4
        WHERE id = $1 AND epoch = $2 AND runner_id = $3 AND status = 'leased'";
    let result = sqlx::query(update)
        .bind(attempt.task.to_string())
        .bind(to_int(attempt.epoch))
        .bind(runner.to_string())
        .bind(now.0)
        .execute(tx.connection())
        .await?;
    if result.rows_affected() == 0 {
        return ensure_held(tx, attempt, runner).await;
    }
    record_step(tx, attempt.task, now, TaskStep::Started, None)
        .await
        .map(|_| ())
}

async fn ensure_held(tx: &mut Tx, attempt: AttemptKey, runner: RunnerId) -> Result<(), StoreError> {
    let held = "
        SELECT COUNT(*) FROM tasks
        WHERE id = $1 AND epoch = $2 AND runner_id = $3 AND status IN ('leased', 'running')";
    let count: i64 = sqlx::query_scalar(held)
        .bind(attempt.task.to_string())
        .bind(to_int(attempt.epoch))
        .bind(runner.to_string())
        .fetch_one(tx.connection())
        .await?;
    if count == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict)
    }
}

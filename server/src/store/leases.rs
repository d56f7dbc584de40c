//! Leases: who may run what until when. Every statement checks task, epoch and runner, so that a stale call changes
//! nothing.

use protocol::agent::AttemptKey;
use protocol::id::{RunnerId, TaskId};
use protocol::task::{Limits, TaskSpec, TaskStep};
use protocol::time::UnixMs;
use sqlx::AnyConnection;

use super::row::{Columns, to_int};
use super::tasks::record_step;
use super::{StoreError, Tx, runners};

/// A task that may be leased now.
#[derive(Debug, Clone)]
pub struct QueuedTask {
    pub id: TaskId,
    pub spec: TaskSpec,
    pub posted_at: UnixMs,
}

/// The queue in the order it is handed out, from after a task on.
pub async fn queued_tasks(
    connection: &mut AnyConnection,
    now: UnixMs,
    after: Option<&QueuedTask>,
    limit: i64,
) -> Result<Vec<QueuedTask>, StoreError> {
    let select = "
        SELECT id, spec, posted_at FROM tasks
        WHERE status = 'queued' AND not_before <= $1 AND deadline_at > $1
          AND (posted_at > $2 OR (posted_at = $2 AND id > $3))
        ORDER BY posted_at, id LIMIT $4";
    let rows = sqlx::query(select)
        .bind(now.0)
        .bind(after.map_or(i64::MIN, |task| task.posted_at.0))
        .bind(after.map_or_else(String::new, |task| task.id.to_string()))
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let columns = Columns::of("tasks", row);
            Ok(QueuedTask {
                id: columns.parsed("id")?,
                spec: columns.json("spec")?,
                posted_at: columns.time("posted_at")?,
            })
        })
        .collect()
}

/// When the next task leaves its back-off, if one is in it.
pub async fn next_queued_at(
    connection: &mut AnyConnection,
    now: UnixMs,
) -> Result<Option<UnixMs>, StoreError> {
    let select = "SELECT MIN(not_before) FROM tasks WHERE status = 'queued' AND not_before > $1";
    let next: Option<i64> = sqlx::query_scalar(select)
        .bind(now.0)
        .fetch_one(connection)
        .await?;
    Ok(next.map(UnixMs))
}

#[derive(Debug, Clone)]
pub struct LeaseRequest {
    pub task: TaskId,
    pub runner: RunnerId,
    pub now: UnixMs,
    pub expires_at: UnixMs,
}

/// A granted lease.
#[derive(Debug, Clone)]
pub struct Lease {
    pub attempt: AttemptKey,
    pub spec: TaskSpec,
}

/// Leases a queued task, or returns `None` when it is not in the queue any more.
pub async fn lease_task(tx: &mut Tx, request: LeaseRequest) -> Result<Option<Lease>, StoreError> {
    let update = "
        UPDATE tasks
        SET status = 'leased', revision = revision + 1, epoch = epoch + 1, runner_id = $2, leased_at = $3,
            started_at = NULL, lease_expires_at = $4
        WHERE id = $1 AND status = 'queued' AND not_before <= $3 AND deadline_at > $3
        RETURNING epoch, spec";
    let row = sqlx::query(update)
        .bind(request.task.to_string())
        .bind(request.runner.to_string())
        .bind(request.now.0)
        .bind(request.expires_at.0)
        .fetch_optional(tx.connection())
        .await?;
    let Some(row) = row else { return Ok(None) };
    let columns = Columns::of("tasks", &row);
    let lease = Lease {
        attempt: AttemptKey {
            task: request.task,
            epoch: columns.count("epoch")?,
        },
        spec: columns.json("spec")?,
    };
    let name = runners::count_lease(tx, request.runner, request.now).await?;
    let insert = "
        INSERT INTO attempts (task_id, epoch, runner_id, runner_name, leased_at, log_next_seq, log_bytes, log_limit)
        VALUES ($1, $2, $3, $4, $5, 0, 0, $6)";
    sqlx::query(insert)
        .bind(request.task.to_string())
        .bind(to_int(lease.attempt.epoch))
        .bind(request.runner.to_string())
        .bind(&name)
        .bind(request.now.0)
        .bind(to_int(Limits::MAX.applied_to(&lease.spec.limits).log.bytes()))
        .execute(tx.connection())
        .await?;
    record_step(
        tx,
        request.task,
        request.now,
        TaskStep::Leased,
        Some(format!("by {name}")),
    )
    .await?;
    Ok(Some(lease))
}

/// Prolongs the leases a runner says it holds, as far as they are its own.
pub async fn renew_leases(
    tx: &mut Tx,
    runner: RunnerId,
    held: &[AttemptKey],
    expires_at: UnixMs,
) -> Result<(), StoreError> {
    let update = "
        UPDATE tasks SET lease_expires_at = $4
        WHERE id = $1 AND epoch = $2 AND runner_id = $3 AND status IN ('leased', 'running')";
    for attempt in held {
        sqlx::query(update)
            .bind(attempt.task.to_string())
            .bind(to_int(attempt.epoch))
            .bind(runner.to_string())
            .bind(expires_at.0)
            .execute(tx.connection())
            .await?;
    }
    Ok(())
}

/// What a runner holds, in the eyes of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    pub attempt: AttemptKey,
    pub expires_at: UnixMs,
    pub cancel: bool,
}

pub async fn held_by(connection: &mut AnyConnection, runner: RunnerId) -> Result<Vec<Held>, StoreError> {
    let select = "
        SELECT id, epoch, lease_expires_at, cancel_requested_at FROM tasks
        WHERE runner_id = $1 AND status IN ('leased', 'running')";
    let rows = sqlx::query(select)
        .bind(runner.to_string())
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let columns = Columns::of("tasks", row);
            Ok(Held {
                attempt: AttemptKey {
                    task: columns.parsed("id")?,
                    epoch: columns.count("epoch")?,
                },
                expires_at: columns.time("lease_expires_at")?,
                cancel: columns.optional_time("cancel_requested_at")?.is_some(),
            })
        })
        .collect()
}

/// After a server start no lease ends before that time: the runners could not beat while nobody listened.
pub async fn extend_leases(tx: &mut Tx, until: UnixMs) -> Result<u64, StoreError> {
    let update = "
        UPDATE tasks SET lease_expires_at = $1
        WHERE status IN ('leased', 'running') AND lease_expires_at < $1";
    Ok(sqlx::query(update)
        .bind(until.0)
        .execute(tx.connection())
        .await?
        .rows_affected())
}

/// Leases that ran out, at most that many.
pub async fn expired_leases(
    connection: &mut AnyConnection,
    now: UnixMs,
    limit: i64,
) -> Result<Vec<(AttemptKey, RunnerId)>, StoreError> {
    let select = "
        SELECT id, epoch, runner_id FROM tasks
        WHERE status IN ('leased', 'running') AND lease_expires_at <= $1
        ORDER BY lease_expires_at LIMIT $2";
    let rows = sqlx::query(select)
        .bind(now.0)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let columns = Columns::of("tasks", row);
            let attempt = AttemptKey {
                task: columns.parsed("id")?,
                epoch: columns.count("epoch")?,
            };
            Ok((attempt, columns.parsed("runner_id")?))
        })
        .collect()
}

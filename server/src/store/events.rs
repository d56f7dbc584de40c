//! The append-only sequence of events.

use protocol::id::TaskId;
use protocol::live::{EventBody, LiveEvent};
use protocol::runner::RunnerView;
use protocol::task::{TaskStep, TaskSummary};
use protocol::time::UnixMs;
use sqlx::AnyConnection;

use super::row::{Columns, to_json};
use super::{StoreError, Tx};

/// A step of a task, with the task as it is after it.
pub(super) async fn append_task_event(
    tx: &mut Tx,
    at: UnixMs,
    step: TaskStep,
    detail: Option<String>,
    task: TaskSummary,
) -> Result<(), StoreError> {
    let task_id = task.id;
    let body = EventBody::Task {
        step,
        detail: detail.clone(),
        task,
    };
    append(tx, at, Some((task_id, step, detail)), &body).await
}

pub(super) async fn append_runner_event(
    tx: &mut Tx,
    at: UnixMs,
    runner: RunnerView,
) -> Result<(), StoreError> {
    append(tx, at, None, &EventBody::Runner { runner }).await
}

async fn append(
    tx: &mut Tx,
    at: UnixMs,
    about: Option<(TaskId, TaskStep, Option<String>)>,
    body: &EventBody,
) -> Result<(), StoreError> {
    let (task_id, step, detail) = match about {
        Some((id, step, detail)) => (Some(id.to_string()), Some(step.as_str()), detail),
        None => (None, None, None),
    };
    let insert = "
        INSERT INTO events (at, task_id, step, detail, body)
        VALUES ($1, $2, $3, $4, $5)
        RETURNING cursor";
    let cursor: i64 = sqlx::query_scalar(insert)
        .bind(at.0)
        .bind(task_id)
        .bind(step)
        .bind(detail)
        .bind(to_json(body)?)
        .fetch_one(tx.connection())
        .await?;
    tx.appended(cursor);
    Ok(())
}

/// The newest cursor; 0 when nothing ever happened.
pub async fn head_cursor(connection: &mut AnyConnection) -> Result<i64, StoreError> {
    let select = "SELECT COALESCE(MAX(cursor), 0) FROM events";
    Ok(sqlx::query_scalar(select).fetch_one(connection).await?)
}

/// Events after a cursor in order, at most that many.
pub async fn events_after(
    connection: &mut AnyConnection,
    cursor: i64,
    limit: i64,
) -> Result<Vec<LiveEvent>, StoreError> {
    let select = "SELECT cursor, at, body FROM events WHERE cursor > $1 ORDER BY cursor LIMIT $2";
    let rows = sqlx::query(select)
        .bind(cursor)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let columns = Columns::of("events", row);
            Ok(LiveEvent {
                cursor: columns.int("cursor")?,
                at: columns.time("at")?,
                body: columns.json("body")?,
            })
        })
        .collect()
}

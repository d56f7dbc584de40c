//! Posting, reading, listing, cancelling and expiring tasks.

use protocol::id::TaskId;
use protocol::outcome::Outcome;
use protocol::task::{PaymentStatus, TaskSpec, TaskStatus, TaskStep, TaskSummary, TaskView, TimelineEntry};
use protocol::time::UnixMs;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::error::ensure_one;
use super::events::append_task_event;
use super::row::{Columns, to_json};
use super::{StoreError, Tx, attempts, head_cursor};

/// A task to be stored.
#[derive(Debug, Clone)]
pub struct NewTask {
    pub id: TaskId,
    pub spec: TaskSpec,
    pub status: TaskStatus,
    pub payment: PaymentStatus,
    pub posted_at: UnixMs,
}

pub async fn insert_task(tx: &mut Tx, task: NewTask) -> Result<TaskView, StoreError> {
    let deadline_at = task.posted_at.plus(task.spec.give_up_after.0);
    let insert = "
        INSERT INTO tasks (id, revision, status, payment, spec, epoch, posted_at, not_before, deadline_at)
        VALUES ($1, 1, $2, $3, $4, 0, $5, $5, $6)";
    let result = sqlx::query(insert)
        .bind(task.id.to_string())
        .bind(task.status.as_str())
        .bind(task.payment.as_str())
        .bind(to_json(&task.spec)?)
        .bind(task.posted_at.0)
        .bind(deadline_at.0)
        .execute(tx.connection())
        .await?;
    ensure_one(&result)?;
    record_step(tx, task.id, task.posted_at, TaskStep::Posted, None).await?;
    get_task(tx.connection(), task.id)
        .await?
        .ok_or(StoreError::Conflict)
}

/// Appends the event of a change that was just made in this transaction.
pub(super) async fn record_step(
    tx: &mut Tx,
    id: TaskId,
    at: UnixMs,
    step: TaskStep,
    detail: Option<String>,
) -> Result<TaskSummary, StoreError> {
    let summary = get_summary(tx.connection(), id)
        .await?
        .ok_or(StoreError::Conflict)?;
    append_task_event(tx, at, step, detail, summary.clone()).await?;
    Ok(summary)
}

/// A statement that reads what [`TaskRow`] needs.
macro_rules! select_tasks {
    ($rest:literal) => {
        concat!(
            "SELECT id, revision, status, payment, spec, epoch, posted_at, deadline_at, leased_at, started_at, ",
            "finished_at, cancel_requested_at, outcome FROM tasks ",
            $rest
        )
    };
}

/// A task without its history.
struct TaskRow {
    view: TaskView,
}

impl TaskRow {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        let columns = Columns::of("tasks", row);
        let view = TaskView {
            id: columns.parsed("id")?,
            revision: columns.count("revision")?,
            status: columns.parsed("status")?,
            payment: columns.parsed("payment")?,
            spec: columns.json("spec")?,
            epoch: columns.count("epoch")?,
            posted_at: columns.time("posted_at")?,
            deadline_at: columns.time("deadline_at")?,
            leased_at: columns.optional_time("leased_at")?,
            started_at: columns.optional_time("started_at")?,
            finished_at: columns.optional_time("finished_at")?,
            cancel_requested_at: columns.optional_time("cancel_requested_at")?,
            outcome: columns.optional_json::<Outcome>("outcome")?,
            attempts: Vec::new(),
            timeline: Vec::new(),
            cursor: 0,
        };
        Ok(Self { view })
    }
}

async fn get_row(connection: &mut AnyConnection, id: TaskId) -> Result<Option<TaskRow>, StoreError> {
    let select = select_tasks!("WHERE id = $1");
    let row = sqlx::query(select)
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(TaskRow::read).transpose()
}

async fn get_summary(connection: &mut AnyConnection, id: TaskId) -> Result<Option<TaskSummary>, StoreError> {
    Ok(get_row(connection, id).await?.map(|row| row.view.summary()))
}

/// Everything about a task, and the cursor it was read at.
///
/// The cursor is read first: an event between the two reads is then delivered again and dropped by its revision,
/// instead of being missed.
pub async fn get_task(connection: &mut AnyConnection, id: TaskId) -> Result<Option<TaskView>, StoreError> {
    let cursor = head_cursor(connection).await?;
    let Some(TaskRow { mut view }) = get_row(connection, id).await? else {
        return Ok(None);
    };
    view.cursor = cursor;
    view.attempts = attempts::list_attempts(connection, id).await?;
    view.timeline = timeline(connection, id).await?;
    Ok(Some(view))
}

/// The steps of a task in order. A task takes a bounded number of them: few per attempt.
async fn timeline(connection: &mut AnyConnection, id: TaskId) -> Result<Vec<TimelineEntry>, StoreError> {
    let select = "
        SELECT cursor, at, step, detail FROM events
        WHERE task_id = $1 AND step IS NOT NULL
        ORDER BY cursor LIMIT 1000";
    let rows = sqlx::query(select)
        .bind(id.to_string())
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let columns = Columns::of("events", row);
            let step = columns.text("step")?;
            Ok(TimelineEntry {
                cursor: columns.int("cursor")?,
                at: columns.time("at")?,
                step: TaskStep::ALL
                    .into_iter()
                    .find(|known| known.as_str() == step)
                    .ok_or_else(|| StoreError::inconsistent("events", "step", step))?,
                detail: sqlx::Row::try_get(row, "detail")?,
            })
        })
        .collect()
}

/// Which tasks a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct ListTasks {
    pub status: Option<TaskStatus>,
    /// Only tasks posted before this one.
    pub before: Option<TaskId>,
    pub limit: u32,
}

pub async fn list_tasks(
    connection: &mut AnyConnection,
    query: &ListTasks,
) -> Result<Vec<TaskSummary>, StoreError> {
    // Ids are UUIDv7, so their order is the order of posting. An absent cursor is above every id.
    let before = query.before.map_or_else(|| "g".to_owned(), |id| id.to_string());
    let all = select_tasks!("WHERE id < $1 ORDER BY id DESC LIMIT $2");
    let with_status = select_tasks!("WHERE id < $1 AND status = $3 ORDER BY id DESC LIMIT $2");
    let select = match query.status {
        None => sqlx::query(all).bind(before).bind(i64::from(query.limit)),
        Some(status) => sqlx::query(with_status)
            .bind(before)
            .bind(i64::from(query.limit))
            .bind(status.as_str()),
    };
    let rows = select.fetch_all(connection).await?;
    rows.iter()
        .map(|row| TaskRow::read(row).map(|row| row.view.summary()))
        .collect()
}

/// Cancels what no runner holds, and marks what one does: its runner is told and reports the end.
///
/// # Errors
/// [`StoreError::Conflict`] when the task is final already or does not exist.
pub async fn cancel_task(tx: &mut Tx, id: TaskId, now: UnixMs) -> Result<TaskView, StoreError> {
    let unheld = "
        UPDATE tasks SET status = 'cancelled', revision = revision + 1, finished_at = $2,
               cancel_requested_at = COALESCE(cancel_requested_at, $2)
        WHERE id = $1 AND status IN ('awaiting_funding', 'queued')";
    let cancelled = sqlx::query(unheld)
        .bind(id.to_string())
        .bind(now.0)
        .execute(tx.connection())
        .await?
        .rows_affected()
        == 1;
    if cancelled {
        record_step(tx, id, now, TaskStep::Cancelled, None).await?;
    } else {
        request_cancel(tx, id, now).await?;
    }
    get_task(tx.connection(), id).await?.ok_or(StoreError::Conflict)
}

/// Asking twice is the same as asking once.
async fn request_cancel(tx: &mut Tx, id: TaskId, now: UnixMs) -> Result<(), StoreError> {
    let held = "
        UPDATE tasks SET cancel_requested_at = $2, revision = revision + 1
        WHERE id = $1 AND status IN ('leased', 'running') AND cancel_requested_at IS NULL";
    let asked = sqlx::query(held)
        .bind(id.to_string())
        .bind(now.0)
        .execute(tx.connection())
        .await?
        .rows_affected()
        == 1;
    if asked {
        record_step(tx, id, now, TaskStep::CancelRequested, None).await?;
        return Ok(());
    }
    let row = get_row(tx.connection(), id).await?.ok_or(StoreError::Conflict)?;
    if row.view.status.is_terminal() {
        Err(StoreError::Conflict)
    } else {
        Ok(())
    }
}

/// Tasks in the queue whose deadline is over, at most that many.
pub async fn overdue_tasks(
    connection: &mut AnyConnection,
    now: UnixMs,
    limit: i64,
) -> Result<Vec<TaskId>, StoreError> {
    let select = "
        SELECT id FROM tasks
        WHERE status IN ('awaiting_funding', 'queued') AND deadline_at <= $1
        ORDER BY deadline_at LIMIT $2";
    let rows = sqlx::query(select)
        .bind(now.0)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| Columns::of("tasks", row).parsed("id"))
        .collect()
}

/// Gives up a task that nobody took in time. Whether it was still there to give up.
pub async fn expire_queued(tx: &mut Tx, id: TaskId, now: UnixMs) -> Result<bool, StoreError> {
    let update = "
        UPDATE tasks SET status = 'expired', revision = revision + 1, finished_at = $2
        WHERE id = $1 AND status IN ('awaiting_funding', 'queued') AND deadline_at <= $2";
    let result = sqlx::query(update)
        .bind(id.to_string())
        .bind(now.0)
        .execute(tx.connection())
        .await?;
    if result.rows_affected() == 0 {
        return Ok(false);
    }
    let detail = Some("nobody finished it before its deadline".to_owned());
    record_step(tx, id, now, TaskStep::Expired, detail).await?;
    Ok(true)
}

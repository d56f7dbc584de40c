//! The leases a task had.

use protocol::agent::AttemptKey;
use protocol::id::{RunnerId, TaskId};
use protocol::task::AttemptView;
use protocol::time::UnixMs;
use sqlx::AnyConnection;

use super::StoreError;
use super::row::{Columns, to_int};

pub(super) async fn list_attempts(
    connection: &mut AnyConnection,
    id: TaskId,
) -> Result<Vec<AttemptView>, StoreError> {
    let select = "
        SELECT epoch, runner_id, runner_name, leased_at, outcome FROM attempts
        WHERE task_id = $1 ORDER BY epoch";
    let rows = sqlx::query(select)
        .bind(id.to_string())
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let columns = Columns::of("attempts", row);
            Ok(AttemptView {
                epoch: columns.count("epoch")?,
                runner_id: columns.parsed("runner_id")?,
                runner_name: columns.text("runner_name")?,
                leased_at: columns.time("leased_at")?,
                outcome: columns.optional_json("outcome")?,
            })
        })
        .collect()
}

/// How far an attempt of a runner is, as far as the server knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptProgress {
    /// The log chunk that is waited for.
    pub next_seq: u64,
    pub ended_at: Option<UnixMs>,
    /// It ended with a result of the runner, which may therefore forget it.
    pub has_result: bool,
}

/// `None` when this runner never had this attempt.
pub async fn attempt_progress(
    connection: &mut AnyConnection,
    attempt: AttemptKey,
    runner: RunnerId,
) -> Result<Option<AttemptProgress>, StoreError> {
    let select = "
        SELECT log_next_seq, ended_at, result_received FROM attempts
        WHERE task_id = $1 AND epoch = $2 AND runner_id = $3";
    let row = sqlx::query(select)
        .bind(attempt.task.to_string())
        .bind(to_int(attempt.epoch))
        .bind(runner.to_string())
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        let columns = Columns::of("attempts", &row);
        Ok(AttemptProgress {
            next_seq: columns.count("log_next_seq")?,
            ended_at: columns.optional_time("ended_at")?,
            has_result: columns.int("result_received")? == 1,
        })
    })
    .transpose()
}

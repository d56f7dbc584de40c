//! Log chunks: appended once each, contiguous, readable from any chunk or byte.

use protocol::agent::AttemptKey;
use protocol::id::{RunnerId, TaskId};
use protocol::log::{LogChunk, LogStream, max_chunks};
use protocol::quantity::ByteSize;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::row::{Columns, to_int};
use super::{StoreError, Tx};

/// An honest runner cuts a log at its limit and adds a few words of its own.
const SLACK_BYTES: u64 = 64 * 1024;
const SLACK_CHUNKS: u64 = 16;

/// What became of chunks a runner sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Append {
    /// Everything below this number is stored. Lower than what was sent when a chunk is missing in between.
    Stored { next_seq: u64 },
    /// The attempt is over, was never this runner's, or has more log than the task may write.
    LeaseLost,
}

/// Appends the chunks that continue the log, skips repeated ones, and stops at a gap.
pub async fn append_chunks(
    tx: &mut Tx,
    attempt: AttemptKey,
    runner: RunnerId,
    chunks: &[LogChunk],
) -> Result<Append, StoreError> {
    let Some(log) = open_log(tx, attempt, runner).await? else {
        return Ok(Append::LeaseLost);
    };
    let (mut next_seq, mut bytes) = (log.next_seq, log.bytes);
    let mut over_limit = false;
    for chunk in chunks {
        if chunk.seq == next_seq {
            if bytes > log.limit.bytes() + SLACK_BYTES || next_seq > max_chunks(log.limit) + SLACK_CHUNKS {
                over_limit = true;
                break;
            }
            insert_chunk(tx, attempt, chunk, bytes).await?;
            next_seq += 1;
            bytes = bytes.saturating_add(u64::try_from(chunk.data.len()).unwrap_or(u64::MAX));
        }
    }
    if next_seq != log.next_seq {
        let update =
            "UPDATE attempts SET log_next_seq = $3, log_bytes = $4 WHERE task_id = $1 AND epoch = $2";
        sqlx::query(update)
            .bind(attempt.task.to_string())
            .bind(to_int(attempt.epoch))
            .bind(to_int(next_seq))
            .bind(to_int(bytes))
            .execute(tx.connection())
            .await?;
    }
    Ok(if over_limit {
        Append::LeaseLost
    } else {
        Append::Stored { next_seq }
    })
}

/// Where the log of a running attempt goes on.
struct OpenLog {
    next_seq: u64,
    bytes: u64,
    limit: ByteSize,
}

async fn open_log(tx: &mut Tx, attempt: AttemptKey, runner: RunnerId) -> Result<Option<OpenLog>, StoreError> {
    let select = "
        SELECT log_next_seq, log_bytes, log_limit FROM attempts
        WHERE task_id = $1 AND epoch = $2 AND runner_id = $3 AND ended_at IS NULL";
    let row = sqlx::query(select)
        .bind(attempt.task.to_string())
        .bind(to_int(attempt.epoch))
        .bind(runner.to_string())
        .fetch_optional(tx.connection())
        .await?;
    row.map(|row| {
        let columns = Columns::of("attempts", &row);
        Ok(OpenLog {
            next_seq: columns.count("log_next_seq")?,
            bytes: columns.count("log_bytes")?,
            limit: ByteSize(columns.count("log_limit")?),
        })
    })
    .transpose()
}

async fn insert_chunk(
    tx: &mut Tx,
    attempt: AttemptKey,
    chunk: &LogChunk,
    start_offset: u64,
) -> Result<(), StoreError> {
    let insert = "
        INSERT INTO log_chunks (task_id, epoch, seq, stream, at, start_offset, data)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    sqlx::query(insert)
        .bind(attempt.task.to_string())
        .bind(to_int(attempt.epoch))
        .bind(to_int(chunk.seq))
        .bind(i64::from(chunk.stream.code()))
        .bind(chunk.at.0)
        .bind(to_int(start_offset))
        .bind(chunk.data.clone())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// How long the log of an attempt is, and whether it grows on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoredLog {
    /// 0 before the first attempt.
    pub epoch: u64,
    pub next_seq: u64,
    pub bytes: u64,
    /// The attempt is over: this is all of it.
    pub complete: bool,
    /// No further attempt follows.
    pub task_is_final: bool,
}

/// The log of that attempt, or of the newest one. `None` when there is no such task or attempt.
pub async fn log_state(
    connection: &mut AnyConnection,
    task: TaskId,
    epoch: Option<u64>,
) -> Result<Option<StoredLog>, StoreError> {
    let select = "
        SELECT t.status AS status, t.epoch AS current_epoch, a.epoch AS epoch, a.log_next_seq AS log_next_seq,
               a.log_bytes AS log_bytes, a.ended_at AS ended_at
        FROM tasks t LEFT JOIN attempts a ON a.task_id = t.id AND a.epoch = COALESCE($2, t.epoch)
        WHERE t.id = $1";
    let row = sqlx::query(select)
        .bind(task.to_string())
        .bind(epoch.map(to_int))
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let columns = Columns::of("tasks", &row);
    let status: protocol::task::TaskStatus = columns.parsed("status")?;
    let task_is_final = status.is_terminal();
    if sqlx::Row::try_get::<Option<i64>, _>(&row, "epoch")?.is_none() {
        let none_yet = StoredLog {
            complete: task_is_final,
            task_is_final,
            ..StoredLog::default()
        };
        return Ok((epoch.is_none() || epoch == Some(0)).then_some(none_yet));
    }
    Ok(Some(StoredLog {
        epoch: columns.count("epoch")?,
        next_seq: columns.count("log_next_seq")?,
        bytes: columns.count("log_bytes")?,
        complete: columns.optional_time("ended_at")?.is_some(),
        task_is_final,
    }))
}

fn read_chunk(row: &AnyRow) -> Result<LogChunk, StoreError> {
    let columns = Columns::of("log_chunks", row);
    let stream = columns.int("stream")?;
    Ok(LogChunk {
        seq: columns.count("seq")?,
        stream: u8::try_from(stream)
            .ok()
            .and_then(LogStream::from_code)
            .ok_or_else(|| StoreError::inconsistent("log_chunks", "stream", stream.to_string()))?,
        at: columns.time("at")?,
        data: columns.bytes("data")?,
    })
}

/// Chunks from that number on, at most that many. Each holds at most 32 KiB.
pub async fn read_chunks(
    connection: &mut AnyConnection,
    attempt: AttemptKey,
    from_seq: u64,
    limit: i64,
) -> Result<Vec<LogChunk>, StoreError> {
    let select = "
        SELECT seq, stream, at, data FROM log_chunks
        WHERE task_id = $1 AND epoch = $2 AND seq >= $3
        ORDER BY seq LIMIT $4";
    let rows = sqlx::query(select)
        .bind(attempt.task.to_string())
        .bind(to_int(attempt.epoch))
        .bind(to_int(from_seq))
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter().map(read_chunk).collect()
}

/// The number of the chunk that holds the byte at that offset, and where it starts.
pub async fn read_from_offset(
    connection: &mut AnyConnection,
    attempt: AttemptKey,
    offset: u64,
) -> Result<Option<(u64, u64)>, StoreError> {
    // Chunks are contiguous, so their offsets grow with their numbers.
    let select = "
        SELECT seq, start_offset FROM log_chunks
        WHERE task_id = $1 AND epoch = $2 AND start_offset <= $3
        ORDER BY seq DESC LIMIT 1";
    let row = sqlx::query(select)
        .bind(attempt.task.to_string())
        .bind(to_int(attempt.epoch))
        .bind(to_int(offset))
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        let columns = Columns::of("log_chunks", &row);
        Ok((columns.count("seq")?, columns.count("start_offset")?))
    })
    .transpose()
}

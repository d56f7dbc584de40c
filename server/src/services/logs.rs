//! Reading logs: a page for screens, a range or a stream of bytes for programs.

use protocol::agent::AttemptKey;
use protocol::error::ApiError;
use protocol::id::TaskId;
use protocol::log::{LogChunk, LogChunkView, LogPage, LogStream};
use tokio::sync::watch;

use super::{ServiceError, Services};
use crate::live::LogPosition;
use crate::store::{self, StoredLog};

/// Chunks read from the database at once: at most 2 MiB in memory per reader.
const READ_CHUNKS: i64 = 64;

/// Text in one page of a log.
const PAGE_BYTES: usize = 1024 * 1024;

/// Which log, and which part of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogSelection {
    /// The newest attempt when absent.
    pub epoch: Option<u64>,
    pub stream: Option<LogStream>,
    pub range: LogRange,
    /// Go on until the task is over, over further attempts.
    pub follow: bool,
}

/// Bytes of the whole log of the attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogRange {
    pub offset: u64,
    pub limit: Option<u64>,
}

impl Services {
    /// The log of that attempt, or of the newest, from a chunk on, as much as one page holds.
    pub async fn log_page(
        &self,
        task: TaskId,
        epoch: Option<u64>,
        from_seq: u64,
    ) -> Result<LogPage, ServiceError> {
        let mut reader = self.store.read().await?;
        let state = store::log_state(&mut reader, task, epoch)
            .await?
            .ok_or_else(|| not_found(epoch))?;
        let attempt = AttemptKey {
            task,
            epoch: state.epoch,
        };
        let mut page = LogPage {
            epoch: state.epoch,
            next_seq: from_seq,
            ..LogPage::default()
        };
        let mut bytes = 0;
        while bytes < PAGE_BYTES {
            let chunks = store::read_chunks(&mut reader, attempt, page.next_seq, READ_CHUNKS).await?;
            let Some(last) = chunks.last() else { break };
            page.next_seq = last.seq + 1;
            bytes += chunks.iter().map(|chunk| chunk.data.len()).sum::<usize>();
            page.chunks.extend(chunks.iter().map(LogChunkView::from));
        }
        page.complete = state.complete && page.next_seq >= state.next_seq;
        Ok(page)
    }

    /// A reader that yields the selected bytes piece by piece.
    pub async fn read_log(&self, task: TaskId, selection: LogSelection) -> Result<LogReader, ServiceError> {
        // Following starts before the first look, so that no wake-up falls in between.
        let wakes = self.log_watch.follow(task);
        let mut reader = self.store.read().await?;
        let state = store::log_state(&mut reader, task, selection.epoch)
            .await?
            .ok_or_else(|| not_found(selection.epoch))?;
        let attempt = AttemptKey {
            task,
            epoch: state.epoch,
        };
        let start = store::read_from_offset(&mut reader, attempt, selection.range.offset).await?;
        let (seq, position) = start.unwrap_or((0, 0));
        Ok(LogReader {
            services: self.clone(),
            wakes,
            selection,
            attempt,
            seq,
            skip: selection.range.offset - position,
            left: selection.range.limit.unwrap_or(u64::MAX),
        })
    }

    /// How far the log is; `None` when there is no such task or attempt.
    pub async fn log_state(
        &self,
        task: TaskId,
        epoch: Option<u64>,
    ) -> Result<Option<StoredLog>, ServiceError> {
        let mut reader = self.store.read().await?;
        Ok(store::log_state(&mut reader, task, epoch).await?)
    }

    /// Chunks of an attempt from that number on, a bounded number of them.
    pub async fn log_chunks(
        &self,
        attempt: AttemptKey,
        from_seq: u64,
    ) -> Result<Vec<LogChunk>, ServiceError> {
        let mut reader = self.store.read().await?;
        Ok(store::read_chunks(&mut reader, attempt, from_seq, READ_CHUNKS).await?)
    }

    /// Wakes whenever the log of the task changed.
    pub fn follow_log(&self, task: TaskId) -> watch::Receiver<LogPosition> {
        self.log_watch.follow(task)
    }
}

fn not_found(epoch: Option<u64>) -> ApiError {
    ApiError::not_found(if epoch.is_some() {
        "attempt of this task"
    } else {
        "task"
    })
}

/// Yields the bytes of a log in order.
#[derive(Debug)]
pub struct LogReader {
    services: Services,
    wakes: watch::Receiver<LogPosition>,
    selection: LogSelection,
    attempt: AttemptKey,
    seq: u64,
    /// Bytes before the range in the first chunk.
    skip: u64,
    left: u64,
}

impl LogReader {
    /// The next piece, or `None` at the end. When following it waits for more until the task is over.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ServiceError> {
        while self.left > 0 {
            self.wakes.borrow_and_update();
            let state = self.state().await?;
            let chunks = self.services.log_chunks(self.attempt, self.seq).await?;
            if let Some(last) = chunks.last() {
                self.seq = last.seq + 1;
                let piece = self.select(&chunks);
                if piece.is_empty() {
                    continue;
                }
                return Ok(Some(piece));
            }
            if !self.selection.follow || (state.complete && state.task_is_final) {
                return Ok(None);
            }
            if state.complete && self.selection.epoch.is_some() {
                return Ok(None);
            }
            match self.next_attempt().await? {
                Some(note) if note.is_empty() => continue,
                Some(note) => return Ok(Some(note)),
                None => {}
            }
            if self.wakes.changed().await.is_err() {
                return Ok(None);
            }
        }
        Ok(None)
    }

    async fn state(&self) -> Result<StoredLog, ServiceError> {
        let epoch = Some(self.attempt.epoch).filter(|epoch| *epoch != 0);
        Ok(self
            .services
            .log_state(self.attempt.task, epoch)
            .await?
            .unwrap_or_default())
    }

    /// Moves on to a newer attempt, with a line that says so when there was one before.
    async fn next_attempt(&mut self) -> Result<Option<Vec<u8>>, ServiceError> {
        let newest = self
            .services
            .log_state(self.attempt.task, None)
            .await?
            .unwrap_or_default();
        if newest.epoch == self.attempt.epoch || self.selection.epoch.is_some() {
            return Ok(None);
        }
        let had_one = self.attempt.epoch != 0;
        self.attempt.epoch = newest.epoch;
        self.seq = 0;
        let note = format!("--- attempt {} ---\n", newest.epoch);
        Ok(Some(if had_one { note.into_bytes() } else { Vec::new() }))
    }

    fn select(&mut self, chunks: &[LogChunk]) -> Vec<u8> {
        let mut piece = Vec::new();
        for chunk in chunks {
            let skipped = usize::try_from(self.skip)
                .unwrap_or(usize::MAX)
                .min(chunk.data.len());
            self.skip -= u64::try_from(skipped).unwrap_or(0);
            if self.selection.stream.is_some_and(|stream| stream != chunk.stream) {
                continue;
            }
            let rest = chunk.data.get(skipped..).unwrap_or_default();
            let taken = usize::try_from(self.left).unwrap_or(usize::MAX).min(rest.len());
            piece.extend_from_slice(rest.get(..taken).unwrap_or_default());
            self.left -= u64::try_from(taken).unwrap_or(0);
        }
        piece
    }
}

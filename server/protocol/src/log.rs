//! The log of an attempt: numbered chunks of raw bytes, and the binary frame in which a runner sends one.
//!
//! Chunks are numbered from 0 without gaps per (task, epoch); a repeated number is the same chunk again. They hold
//! what the command wrote, byte for byte; only views turn it into text.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::id::TaskId;
use crate::quantity::ByteSize;
use crate::time::UnixMs;

/// The most bytes one chunk carries: large enough to be cheap, small enough to be shown at once.
pub const MAX_CHUNK_BYTES: usize = 32 * 1024;

/// The most chunks a log with that many bytes may have. Each costs something wherever it is kept, so a command that
/// writes single bytes in turn to both streams must not make more of them than its limit has room for.
pub const fn max_chunks(limit: ByteSize) -> u64 {
    /// What a chunk costs besides its bytes.
    const OVERHEAD_BYTES: u64 = 64;
    /// So many are free of that, for tasks with the smallest limits.
    const FREE: u64 = 1024;
    limit.bytes() / OVERHEAD_BYTES + FREE
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogStream {
    Stdout,
    Stderr,
    /// Words of the runner itself, for example that a limit cut the log.
    Runner,
}

impl LogStream {
    /// The number it has in frames and in the database.
    pub const fn code(self) -> u8 {
        match self {
            Self::Stdout => 1,
            Self::Stderr => 2,
            Self::Runner => 3,
        }
    }

    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Stdout),
            2 => Some(Self::Stderr),
            3 => Some(Self::Runner),
            _ => None,
        }
    }
}

/// A chunk as the runner reads it from the container and the server stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogChunk {
    pub seq: u64,
    pub stream: LogStream,
    /// When the runner read it.
    pub at: UnixMs,
    pub data: Vec<u8>,
}

/// A chunk on its way from the runner to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFrame {
    pub task: TaskId,
    pub epoch: u64,
    pub chunk: LogChunk,
}

/// Why bytes are not a log frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeFrameError {
    #[error("the frame is shorter than its header")]
    Truncated,
    #[error("unknown frame kind {0}")]
    UnknownKind(u8),
    #[error("unknown log stream {0}")]
    UnknownStream(u8),
    #[error("a chunk holds 1 to {MAX_CHUNK_BYTES} bytes")]
    BadLength,
}

const KIND_LOG: u8 = 1;
const HEADER_LEN: usize = 1 + 16 + 8 + 8 + 1 + 8;

impl LogFrame {
    /// `kind u8 | task [u8; 16] | epoch u64 | seq u64 | stream u8 | at i64 | data`, numbers big-endian.
    pub fn encode(&self) -> Vec<u8> {
        let mut frame = Vec::with_capacity(HEADER_LEN + self.chunk.data.len());
        frame.push(KIND_LOG);
        frame.extend_from_slice(self.task.as_uuid().as_bytes());
        frame.extend_from_slice(&self.epoch.to_be_bytes());
        frame.extend_from_slice(&self.chunk.seq.to_be_bytes());
        frame.push(self.chunk.stream.code());
        frame.extend_from_slice(&self.chunk.at.0.to_be_bytes());
        frame.extend_from_slice(&self.chunk.data);
        frame
    }

    pub fn decode(frame: &[u8]) -> Result<Self, DecodeFrameError> {
        let mut rest = frame;
        let [kind] = take::<1>(&mut rest)?;
        if kind != KIND_LOG {
            return Err(DecodeFrameError::UnknownKind(kind));
        }
        let task = TaskId::from_uuid(Uuid::from_bytes(take(&mut rest)?));
        let epoch = u64::from_be_bytes(take(&mut rest)?);
        let seq = u64::from_be_bytes(take(&mut rest)?);
        let [stream] = take::<1>(&mut rest)?;
        let stream = LogStream::from_code(stream).ok_or(DecodeFrameError::UnknownStream(stream))?;
        let at = UnixMs(i64::from_be_bytes(take(&mut rest)?));
        if rest.is_empty() || rest.len() > MAX_CHUNK_BYTES {
            return Err(DecodeFrameError::BadLength);
        }
        Ok(Self {
            task,
            epoch,
            chunk: LogChunk {
                seq,
                stream,
                at,
                data: rest.to_vec(),
            },
        })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], DecodeFrameError> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or(DecodeFrameError::Truncated)?;
    *rest = tail;
    Ok(*head)
}

/// A chunk as pages and JSON clients read it: text, with bytes that are not UTF-8 replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogChunkView {
    pub seq: u64,
    pub stream: LogStream,
    #[serde(rename = "at_ms")]
    pub at: UnixMs,
    pub text: String,
}

impl From<&LogChunk> for LogChunkView {
    fn from(chunk: &LogChunk) -> Self {
        let text = String::from_utf8_lossy(&chunk.data).into_owned();
        Self {
            seq: chunk.seq,
            stream: chunk.stream,
            at: chunk.at,
            text,
        }
    }
}

/// A part of a log in order, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogPage {
    /// The attempt this is the log of; 0 before the first.
    pub epoch: u64,
    pub chunks: Vec<LogChunkView>,
    /// The number of the chunk after these.
    pub next_seq: u64,
    /// The attempt is over and this page reaches its end.
    pub complete: bool,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn frames_round_trip(
            task: [u8; 16],
            epoch: u64,
            seq: u64,
            at: i64,
            data in proptest::collection::vec(any::<u8>(), 1..200),
        ) {
            let chunk = LogChunk { seq, stream: LogStream::Stderr, at: UnixMs(at), data };
            let frame = LogFrame { task: TaskId::from_uuid(Uuid::from_bytes(task)), epoch, chunk };
            prop_assert_eq!(LogFrame::decode(&frame.encode()), Ok(frame));
        }

        #[test]
        fn garbage_is_an_error_and_never_a_panic(bytes: Vec<u8>) {
            let _result = LogFrame::decode(&bytes);
        }
    }

    #[test]
    fn each_defect_has_its_error() {
        let chunk = LogChunk {
            seq: 1,
            stream: LogStream::Stdout,
            at: UnixMs(2),
            data: b"x".to_vec(),
        };
        let good = LogFrame {
            task: TaskId::from_uuid(Uuid::nil()),
            epoch: 3,
            chunk,
        }
        .encode();
        assert_eq!(
            LogFrame::decode(&good[..HEADER_LEN - 1]),
            Err(DecodeFrameError::Truncated)
        );
        assert_eq!(
            LogFrame::decode(&good[..HEADER_LEN]),
            Err(DecodeFrameError::BadLength)
        );
        let mut long = good.clone();
        long.resize(HEADER_LEN + MAX_CHUNK_BYTES + 1, b'x');
        assert_eq!(LogFrame::decode(&long), Err(DecodeFrameError::BadLength));
        let mut kind = good.clone();
        kind[0] = 9;
        assert_eq!(LogFrame::decode(&kind), Err(DecodeFrameError::UnknownKind(9)));
        let mut stream = good;
        stream[33] = 7;
        assert_eq!(LogFrame::decode(&stream), Err(DecodeFrameError::UnknownStream(7)));
    }
}

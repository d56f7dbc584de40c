//! The runner's socket, `GET /api/v1/agent`: one outbound WebSocket per runner. JSON in text frames, log chunks in
//! binary frames ([`crate::log::LogFrame`]). A frame is an object with one member, its name: `{"ready": {"free": 2}}`.
//!
//! **Expected behaviour of a runner.**
//! 1. It connects with `Authorization: Bearer <credential>`; the credential is 32 random bytes in hex, made by the
//!    runner at its first start and kept in its data folder.
//! 2. It sends [`FromRunner::Hello`] with every attempt it still holds, and waits for [`ToRunner::Welcome`].
//! 3. It says how many attempts it can take ([`FromRunner::Ready`]), again whenever that number changes. The server
//!    leases at most that many and pushes each at once.
//! 4. It beats every `heartbeat_ms`, from the loop that does the work, and stops every attempt that the reply does
//!    not name. Without a reply before a lease's end it kills the container itself.
//! 5. Log chunks are numbered per attempt from 0. It keeps each until [`ToRunner::LogAck`] covers it and sends the
//!    rest again, in order, after a reconnect. The server answers a gap with the number it waits for.
//! 6. The result goes out after the last chunk and is repeated until [`ToRunner::ResultAck`].
//! 7. [`ToRunner::LeaseLost`] means: kill, clean up, forget; nothing about that attempt is accepted any more.

use serde::{Deserialize, Serialize};

use crate::error::ErrorCode;
use crate::id::{RunnerId, TaskId};
use crate::outcome::Outcome;
use crate::runner::Capabilities;
use crate::task::{Limits, TaskSpec};

/// Raised when a runner of before could not follow any more.
pub const PROTOCOL_VERSION: u32 = 1;

/// Text frames either way: a lease carries a task spec, a heartbeat names every held attempt.
pub const MAX_FRAME_BYTES: usize = 1024 * 1024;
/// The most attempts one runner holds.
pub const MAX_SLOTS: u32 = 256;

/// One attempt, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AttemptKey {
    pub task: TaskId,
    pub epoch: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromRunner {
    Hello {
        protocol: u32,
        runner: RunnerId,
        name: String,
        version: String,
        capabilities: Capabilities,
        /// The most it lets one task use.
        caps: Limits,
        /// What it runs or has results of.
        held: Vec<AttemptKey>,
    },
    /// Free slots now.
    Ready {
        free: u32,
    },
    Heartbeat {
        held: Vec<AttemptKey>,
    },
    Progress {
        attempt: AttemptKey,
        stage: Stage,
        #[serde(default)]
        detail: Option<String>,
    },
    Result {
        attempt: AttemptKey,
        outcome: Box<Outcome>,
        /// How many chunks the log has; the server takes the result only after all of them.
        log_chunks: u64,
    },
    /// It takes no more work and leaves when it has finished.
    Draining,
}

/// How far an attempt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The image is not here and is being pulled.
    Pulling,
    /// The command runs.
    Running,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToRunner {
    Welcome {
        protocol: u32,
        server_version: String,
        heartbeat_ms: u64,
    },
    Lease {
        attempt: AttemptKey,
        spec: Box<TaskSpec>,
        /// The lease ends this long after now unless it is renewed.
        expires_in_ms: u64,
    },
    /// The full desired set: whatever is not in it is to be stopped.
    HeartbeatAck {
        desired: Vec<DesiredAttempt>,
    },
    /// Every chunk below `next_seq` is stored durably; send from there.
    LogAck {
        attempt: AttemptKey,
        next_seq: u64,
    },
    /// The result is stored durably; forget the attempt.
    ResultAck {
        attempt: AttemptKey,
    },
    LeaseLost {
        attempt: AttemptKey,
    },
    /// End the command: TERM, and KILL after the grace period; report the outcome as cancelled.
    Cancel {
        attempt: AttemptKey,
        grace_ms: u64,
    },
    /// The server stops; connect again with back-off, keep working meanwhile.
    Draining,
    Error {
        code: ErrorCode,
        detail: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesiredAttempt {
    pub attempt: AttemptKey,
    pub expires_in_ms: u64,
    /// The poster wants it cancelled.
    #[serde(default)]
    pub cancel: bool,
}

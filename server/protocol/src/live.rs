//! The browser's socket, `GET /api/v1/live`: topics, events with one global cursor, and logs with their own numbers.
//!
//! A message is an object with one member, its name: `{"subscribe": {"topic": "tasks"}}`. That form is read without
//! buffering, which keeps the page's module small.
//!
//! **What a client does.** It paints from a REST answer or the server-rendered page, subscribes with the cursor that
//! came with it, and applies a summary only when its `revision` is newer. After a drop it subscribes again with the
//! last cursor it saw; nothing is lost and nothing comes twice. On `lagged` it reads the page's data again and goes
//! on from the cursor given.

use serde::{Deserialize, Serialize};

use crate::error::ErrorCode;
use crate::id::TaskId;
use crate::log::LogChunkView;
use crate::runner::RunnerView;
use crate::task::{TaskStep, TaskSummary};
use crate::time::UnixMs;

/// Frames from browsers are small; a larger one closes the socket.
pub const MAX_CLIENT_FRAME_BYTES: usize = 4 * 1024;
/// More topics than any page shows.
pub const MAX_TOPICS: usize = 64;

/// What one can follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Every task, for lists.
    Tasks,
    Task {
        id: TaskId,
    },
    Runners,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientMessage {
    /// Events of a topic after a cursor; without one from now on.
    Subscribe {
        topic: Topic,
        #[serde(default)]
        after: Option<i64>,
    },
    Unsubscribe {
        topic: Topic,
    },
    /// The log of a task. `epoch` and `from_seq` say what the client has; 0 and 0 for nothing.
    FollowLog {
        task: TaskId,
        #[serde(default)]
        epoch: u64,
        #[serde(default)]
        from_seq: u64,
    },
    UnfollowLog {
        task: TaskId,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerMessage {
    /// First on every socket.
    Hello {
        server_version: String,
        cursor: i64,
    },
    Subscribed {
        topic: Topic,
        /// Events after this one follow.
        cursor: i64,
    },
    Event(Box<LiveEvent>),
    /// Chunks in order, without a gap to what the client has of this epoch. A new epoch starts again at 0.
    Log {
        task: TaskId,
        epoch: u64,
        chunks: Vec<LogChunkView>,
        next_seq: u64,
    },
    /// The log of a finished task is complete; nothing follows.
    LogEnd {
        task: TaskId,
        epoch: u64,
        next_seq: u64,
    },
    /// Events were skipped because the client reads too slowly: read the data again, then go on from here.
    Lagged {
        topic: Topic,
        cursor: i64,
    },
    Error {
        code: ErrorCode,
        detail: String,
    },
    /// The server stops; connect again.
    Draining,
}

/// One entry of the global, append-only sequence of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveEvent {
    pub cursor: i64,
    #[serde(rename = "at_ms")]
    pub at: UnixMs,
    pub body: EventBody,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventBody {
    Task {
        step: TaskStep,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
        task: TaskSummary,
    },
    Runner {
        runner: RunnerView,
    },
}

impl EventBody {
    /// Whether a subscriber of the topic wants this.
    pub fn is_about(&self, topic: &Topic) -> bool {
        match (self, topic) {
            (Self::Task { .. }, Topic::Tasks) | (Self::Runner { .. }, Topic::Runners) => true,
            (Self::Task { task, .. }, Topic::Task { id }) => task.id == *id,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_messages_have_the_documented_form() {
        let text =
            r#"{"subscribe":{"topic":{"task":{"id":"0198c0de-0000-7000-8000-000000000001"}},"after":7}}"#;
        let message: ClientMessage = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&message).unwrap(), text);
        let tasks: ClientMessage = serde_json::from_str(r#"{"subscribe":{"topic":"tasks"}}"#).unwrap();
        assert_eq!(
            tasks,
            ClientMessage::Subscribe {
                topic: Topic::Tasks,
                after: None
            }
        );
    }
}

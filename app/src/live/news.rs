use std::sync::Arc;

use protocol::live::LiveEvent;
use protocol::log::LogChunkView;

/// How the link to the server stands, in the words of the indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LinkState {
    /// Trying, for the first time or again.
    #[default]
    Connecting,
    /// What is shown is followed.
    Live,
    /// No network, or the server has not answered for a while. Tries go on.
    Offline,
}

impl LinkState {
    /// The value of `data-state`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Offline => "offline",
        }
    }
}

/// What a follower of a topic is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopicNews {
    Event(Arc<LiveEvent>),
    /// Events were skipped: read the data again.
    Stale,
}

/// What a follower of a log is told, in the order of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogNews {
    /// The chunks that follow belong to another attempt and start at its first line.
    Restarted { epoch: u64 },
    /// The next chunks, none missing and none twice.
    Chunks(Vec<LogChunkView>),
    /// The log is complete.
    Ended,
}

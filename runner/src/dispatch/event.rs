//! Everything that can happen to a runner.

use protocol::agent::{AttemptKey, ToRunner};

use super::Link;
use crate::attempt::AttemptEvent;
use crate::sandbox::Leftover;

#[derive(Debug)]
pub enum Event {
    /// The socket is open; the server waits for the hello.
    Connected(Link),
    Message(Box<ToRunner>),
    Disconnected,
    Attempt {
        attempt: AttemptKey,
        event: AttemptEvent,
    },
    /// The engine answers after a failure.
    EngineIsBack,
    /// Every container of this runner that exists.
    Found(Vec<Leftover>),
    /// Somebody asked the process to stop. Once: finish and leave. Again: stop the work, too.
    StopRequested,
}

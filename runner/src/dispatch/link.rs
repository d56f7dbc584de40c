//! What is said to the server, as verbs. Nothing here waits: a link that is stuck is noticed by its silence.

use protocol::agent::{AttemptKey, FromRunner, Stage};
use protocol::log::{LogChunk, LogFrame};
use protocol::outcome::Outcome;
use tokio::sync::mpsc;

/// One message on its way to the socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    Message(Box<FromRunner>),
    Log(LogFrame),
}

/// An open socket. Dropping it closes the socket.
///
/// The queue has no bound of its own: log chunks are bounded by the budget of their attempts, and the rest is a few
/// small messages per heartbeat until the silence is noticed.
#[derive(Debug)]
pub struct Link {
    frames: mpsc::UnboundedSender<Frame>,
}

impl Link {
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Frame>) {
        let (frames, queue) = mpsc::unbounded_channel();
        (Self { frames }, queue)
    }

    pub fn say(&self, message: FromRunner) {
        self.send(Frame::Message(Box::new(message)));
    }

    pub fn progress(&self, attempt: AttemptKey, stage: Stage, detail: Option<String>) {
        self.say(FromRunner::Progress {
            attempt,
            stage,
            detail,
        });
    }

    pub fn log(&self, attempt: AttemptKey, chunk: &LogChunk) {
        self.send(Frame::Log(LogFrame {
            task: attempt.task,
            epoch: attempt.epoch,
            chunk: chunk.clone(),
        }));
    }

    pub fn result(&self, attempt: AttemptKey, outcome: &Outcome, log_chunks: u64) {
        self.say(FromRunner::Result {
            attempt,
            outcome: Box::new(outcome.clone()),
            log_chunks,
        });
    }

    /// A socket that is closing says so by its own event; what is lost with it is sent again on the next.
    fn send(&self, frame: Frame) {
        let _sent = self.frames.send(frame);
    }
}

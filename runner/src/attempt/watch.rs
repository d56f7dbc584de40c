//! While the command runs: its output, its end, its time, and whoever wants it to stop.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::StreamExt;
use protocol::log::LogChunk;
use protocol::task::Limits;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::debug;

use super::report::Reports;
use super::verdict::Cause;
use crate::clock::Clock;
use crate::logs::{self, Chunker};
use crate::outbox::Parcel;
use crate::sandbox::{Cage, Output, OutputStream, SandboxError, Signal};

/// How long the engine may take to end what was killed, before it counts as broken.
const KILL_LIMIT: Duration = Duration::from_secs(10);
/// How long the output of a command that has ended may stay silent without an end.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);

/// How a watched command came to its end.
pub(super) struct Watched {
    /// What the runner ended it for, if it did.
    pub(super) cause: Option<Cause>,
    /// From the start to the end of the command.
    pub(super) wall: Duration,
    pub(super) log_bytes: u64,
}

pub(super) struct Watch<'a> {
    pub(super) cage: &'a dyn Cage,
    pub(super) limits: &'a Limits,
    pub(super) reports: &'a Reports,
    pub(super) clock: &'a dyn Clock,
    pub(super) stop: &'a mut watch::Receiver<Option<Cause>>,
}

/// What changes while it runs.
struct State {
    output: Option<OutputStream>,
    chunker: Chunker,
    /// Chunks that wait for their share of the budget. While there are any, the output is not read: its pipe fills,
    /// and the command waits.
    waiting: VecDeque<LogChunk>,
    budget: Arc<Semaphore>,
    started: Instant,
    ended: Option<Instant>,
    cause: Option<Cause>,
    kill_at: Option<Instant>,
    give_up_at: Option<Instant>,
    drain_until: Option<Instant>,
}

/// One thing that happened.
enum Happening {
    Stop(Cause),
    TimeIsUp,
    KillIsDue,
    EngineIsStuck,
    Exited(Result<(), SandboxError>),
    Output(Option<std::io::Result<Output>>),
    FlushIsDue,
    DrainIsOver,
    Room(OwnedSemaphorePermit),
}

impl Watch<'_> {
    /// Follows a started command until it has ended and all of its output is handed over.
    pub(super) async fn run(mut self, output: OutputStream) -> Result<Watched, SandboxError> {
        let mut state = State::new(output, self.limits);
        let mut exited = std::pin::pin!(self.cage.exited());
        while !state.is_over() {
            let timeout_at = state.started + self.limits.timeout.0;
            let happening = tokio::select! {
                cause = stopped(self.stop), if !matches!(state.cause, Some(Cause::LeaseLost)) => Happening::Stop(cause),
                () = sleep_until(timeout_at), if state.cause.is_none() && state.ended.is_none() => Happening::TimeIsUp,
                () = at(state.kill_at) => Happening::KillIsDue,
                () = at(state.give_up_at) => Happening::EngineIsStuck,
                result = &mut exited, if state.ended.is_none() => Happening::Exited(result),
                piece = next(&mut state.output), if state.waiting.is_empty() => Happening::Output(piece),
                () = at(state.chunker.due()) => Happening::FlushIsDue,
                () = at(state.drain_until), if state.waiting.is_empty() => Happening::DrainIsOver,
                permit = room(&state.budget, state.waiting.front()) => Happening::Room(permit),
            };
            self.follow(&mut state, happening).await?;
        }
        Ok(Watched {
            cause: state.cause,
            wall: state.ended.unwrap_or(state.started) - state.started,
            log_bytes: state.chunker.written(),
        })
    }

    async fn follow(&mut self, state: &mut State, happening: Happening) -> Result<(), SandboxError> {
        match happening {
            Happening::Stop(cause) => self.end(state, cause).await?,
            Happening::TimeIsUp => self.end(state, Cause::TimedOut).await?,
            Happening::KillIsDue => self.kill(state).await?,
            Happening::EngineIsStuck => {
                return Err(SandboxError::Engine {
                    doing: "killing the container",
                    source: "it still runs".into(),
                });
            }
            Happening::Exited(result) => {
                result?;
                state.exited();
            }
            Happening::Output(piece) => self.read(state, piece).await?,
            Happening::FlushIsDue => state.chunker.flush_due(Instant::now(), self.clock.now()),
            Happening::DrainIsOver => state.output = None,
            Happening::Room(budget) => {
                if let Some(chunk) = state.waiting.pop_front() {
                    self.reports.log(Parcel { chunk, budget }).await;
                }
            }
        }
        if state.is_read() {
            state.chunker.flush_all(self.clock.now());
        }
        state.waiting.extend(state.chunker.take_ready());
        Ok(())
    }

    async fn read(
        &mut self,
        state: &mut State,
        piece: Option<std::io::Result<Output>>,
    ) -> Result<(), SandboxError> {
        let output = match piece {
            Some(Ok(output)) => output,
            Some(Err(source)) => {
                return Err(SandboxError::Engine {
                    doing: "reading the container's output",
                    source: Box::new(source),
                });
            }
            None => {
                state.output = None;
                return Ok(());
            }
        };
        let (now, at) = (Instant::now(), self.clock.now());
        state.chunker.write(output.stream, &output.data, now, at);
        state.chunker.flush_due(now, at);
        if state.ended.is_some() {
            state.drain_until = Some(now + DRAIN_LIMIT);
        }
        if state.chunker.is_over_limit() && state.output.take().is_some() {
            let limit = self.limits.log;
            state.chunker.remark(
                &format!("the log limit of {limit} is reached: the rest is cut\n"),
                at,
            );
            self.end(state, Cause::LogLimit).await?;
        }
        Ok(())
    }

    /// Ends the command. The first cause stays, except that a lost lease outdoes everything and a second order to
    /// stop ends the grace of the first.
    async fn end(&mut self, state: &mut State, cause: Cause) -> Result<(), SandboxError> {
        if cause == Cause::LeaseLost {
            state.forget();
        }
        if state.cause.is_none() || cause == Cause::LeaseLost {
            state.cause = Some(cause);
        }
        if state.ended.is_some() {
            return Ok(());
        }
        if cause.grace().is_zero() {
            return self.kill(state).await;
        }
        if state.kill_at.is_none() && state.give_up_at.is_none() {
            state.kill_at = Some(Instant::now() + cause.grace());
            self.signal(Signal::Terminate).await?;
        }
        Ok(())
    }

    async fn kill(&self, state: &mut State) -> Result<(), SandboxError> {
        state.kill_at = None;
        state.give_up_at.get_or_insert(Instant::now() + KILL_LIMIT);
        self.signal(Signal::Kill).await
    }

    async fn signal(&self, signal: Signal) -> Result<(), SandboxError> {
        debug!(?signal, "sending a signal");
        match timeout(KILL_LIMIT, self.cage.signal(signal)).await {
            Ok(result) => result,
            Err(elapsed) => Err(SandboxError::Engine {
                doing: "sending a signal to the container",
                source: Box::new(elapsed),
            }),
        }
    }
}

impl State {
    fn new(output: OutputStream, limits: &Limits) -> Self {
        Self {
            output: Some(output),
            chunker: Chunker::new(limits.log),
            waiting: VecDeque::new(),
            budget: logs::budget(),
            started: Instant::now(),
            ended: None,
            cause: None,
            kill_at: None,
            give_up_at: None,
            drain_until: None,
        }
    }

    fn exited(&mut self) {
        let now = Instant::now();
        self.ended = Some(now);
        self.drain_until = Some(now + DRAIN_LIMIT);
        (self.kill_at, self.give_up_at) = (None, None);
    }

    /// Nobody takes this log any more.
    fn forget(&mut self) {
        self.output = None;
        self.waiting.clear();
        self.chunker = Chunker::new(Limits::MIN.log);
    }

    const fn is_read(&self) -> bool {
        self.ended.is_some() && self.output.is_none()
    }

    fn is_over(&self) -> bool {
        self.is_read() && self.waiting.is_empty() && self.chunker.due().is_none()
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

async fn next(output: &mut Option<OutputStream>) -> Option<std::io::Result<Output>> {
    match output {
        Some(output) => output.next().await,
        None => std::future::pending().await,
    }
}

async fn room(budget: &Arc<Semaphore>, chunk: Option<&LogChunk>) -> OwnedSemaphorePermit {
    let Some(chunk) = chunk else {
        return std::future::pending().await;
    };
    match Arc::clone(budget).acquire_many_owned(logs::cost(chunk)).await {
        Ok(permit) => permit,
        // The budget of an attempt is never closed.
        Err(_) => std::future::pending().await,
    }
}

/// The next order to stop. Without anybody who could give one, there is none.
pub(super) async fn stopped(stop: &mut watch::Receiver<Option<Cause>>) -> Cause {
    loop {
        if stop.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        if let Some(cause) = *stop.borrow_and_update() {
            return cause;
        }
    }
}

//! One container, from creation to removal.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bollard::Docker;
use bollard::container::{AttachContainerResults, LogOutput};
use bollard::errors::Error;
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, EventsOptionsBuilder, KillContainerOptionsBuilder,
    RemoveContainerOptionsBuilder, WaitContainerOptionsBuilder,
};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use protocol::log::LogStream;
use protocol::time::UnixMs;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tracing::warn;

use super::fault;
use crate::sandbox::{Cage, Ended, Output, OutputStream, SandboxError, Signal};

/// What the engine's init process says, on standard error and before anything else, when it cannot run the command.
const INIT_COMPLAINT: &str = "[FATAL tini (";
/// Longer than that complaint with any file name.
const FIRST_WORDS: usize = 512;

/// 128 + SIGKILL, by which a shell tells that a signal ended the command.
const KILLED: i64 = 137;
/// The kernel's word of a kill for memory has been seen late by milliseconds; nobody waits longer for it than this.
const OOM_WORD_WITHIN: Duration = Duration::from_millis(500);

pub(super) struct DockerCage {
    docker: Docker,
    id: String,
    command: Vec<String>,
    /// Behind a lock only because the cage is shared and a stream is not.
    output: Mutex<Option<OutputStream>>,
    first_words: Arc<Mutex<FirstWords>>,
    /// The runner itself killed it.
    is_killed: AtomicBool,
    is_removed: bool,
    runtime: Handle,
}

/// The beginning of what the container wrote, to tell the init's complaint from the command's own words.
struct FirstWords {
    text: Vec<u8>,
    is_all: bool,
    is_stderr: bool,
}

impl DockerCage {
    /// Takes charge of a container that was just created; from here on dropping it removes it.
    pub(super) fn new(docker: Docker, id: String, command: Vec<String>) -> Self {
        Self {
            docker,
            id,
            command,
            output: Mutex::default(),
            first_words: Arc::new(Mutex::new(FirstWords::new())),
            is_killed: AtomicBool::new(false),
            is_removed: false,
            runtime: Handle::current(),
        }
    }

    /// Connects the output. Before the start, because nothing keeps what nobody reads.
    pub(super) async fn attach(&mut self) -> Result<(), SandboxError> {
        let options = AttachContainerOptionsBuilder::default()
            .stdout(true)
            .stderr(true)
            .stream(true)
            .build();
        let AttachContainerResults { output, input } = self
            .docker
            .attach_container(&self.id, Some(options))
            .await
            .map_err(fault::engine("connecting the container's output"))?;
        let words = Arc::clone(&self.first_words);
        // The half that writes is kept as long as the one that reads: closing it would end the connection.
        let pieces = stream::unfold((output, input), move |(mut output, input)| {
            let words = Arc::clone(&words);
            async move {
                let piece = read(output.next().await?);
                if let Ok(piece) = &piece {
                    words.lock().unwrap_or_else(PoisonError::into_inner).note(piece);
                }
                Some((piece, (output, input)))
            }
        });
        self.output = Mutex::new(Some(pieces.boxed()));
        Ok(())
    }

    /// Somebody killed the command, and it was not this runner. The kernel's word that it was for want of memory can
    /// reach the engine after the word of the exit; the engine's verdict then lacks it for good, but its events do not.
    async fn was_out_of_memory(&self, started_at: Option<String>) -> bool {
        // The engine reads whole seconds here; its other answers are RFC 3339.
        let started_at = started_at.as_deref().and_then(UnixMs::from_rfc3339);
        let seconds = started_at.unwrap_or_default().0 / 1000;
        let filters = HashMap::from([("container", vec![self.id.as_str()]), ("event", vec!["oom"])]);
        let options = EventsOptionsBuilder::default()
            .since(&seconds.to_string())
            .filters(&filters)
            .build();
        let mut events = std::pin::pin!(self.docker.events(Some(options)));
        matches!(timeout(OOM_WORD_WITHIN, events.next()).await, Ok(Some(Ok(_))))
    }

    /// The init process starts also for a command that does not exist, and ends with the shell's 126 or 127 then.
    fn not_runnable(&self, exit_code: i64) -> Option<String> {
        let words = self.first_words.lock().unwrap_or_else(PoisonError::into_inner);
        if ![126, 127].contains(&exit_code) || !words.are_a_complaint_of_init() {
            return None;
        }
        let name = self.command.first().map_or("the image's command", String::as_str);
        let text = String::from_utf8_lossy(&words.text);
        let why = text.trim_end().rsplit(": ").next().unwrap_or_default();
        Some(format!("{name}: {}", why.to_lowercase()))
    }
}

#[async_trait]
impl Cage for DockerCage {
    fn output(&mut self) -> OutputStream {
        let output = self.output.get_mut().unwrap_or_else(PoisonError::into_inner);
        output.take().unwrap_or_else(|| stream::empty().boxed())
    }

    async fn start(&self) -> Result<(), SandboxError> {
        let started = self.docker.start_container(&self.id, None).await;
        started.map_err(|error| match fault::not_runnable(&error, &self.command) {
            Some(why) => SandboxError::NotRunnable(why),
            None => fault::engine("starting the container")(error),
        })
    }

    async fn exited(&self) -> Result<(), SandboxError> {
        let options = WaitContainerOptionsBuilder::default()
            .condition("not-running")
            .build();
        let mut answers = std::pin::pin!(self.docker.wait_container(&self.id, Some(options)));
        match answers.next().await {
            // bollard reports an exit code other than 0 as an error.
            Some(Ok(_) | Err(Error::DockerContainerWaitError { .. })) => Ok(()),
            Some(Err(error)) => Err(fault::engine("waiting for the container")(error)),
            None => Err(SandboxError::Engine {
                doing: "waiting for the container",
                source: "the connection ended".into(),
            }),
        }
    }

    async fn ended(&self) -> Result<Ended, SandboxError> {
        let details = self
            .docker
            .inspect_container(&self.id, None)
            .await
            .map_err(fault::engine("asking how the container ended"))?;
        let state = details.state.unwrap_or_default();
        let exit_code = state.exit_code.unwrap_or(-1);
        let mut oom_killed = state.oom_killed.unwrap_or_default();
        if exit_code == KILLED && !oom_killed && !self.is_killed.load(Ordering::Relaxed) {
            oom_killed = self.was_out_of_memory(state.started_at).await;
        }
        Ok(Ended {
            exit_code,
            oom_killed,
            not_runnable: self.not_runnable(exit_code),
        })
    }

    async fn signal(&self, signal: Signal) -> Result<(), SandboxError> {
        let name = match signal {
            Signal::Terminate => "SIGTERM",
            Signal::Kill => {
                self.is_killed.store(true, Ordering::Relaxed);
                "SIGKILL"
            }
        };
        let options = KillContainerOptionsBuilder::default().signal(name).build();
        match self.docker.kill_container(&self.id, Some(options)).await {
            Ok(()) => Ok(()),
            // It has ended by itself, or is gone.
            Err(error) if matches!(fault::status(&error), Some(404 | 409)) => Ok(()),
            Err(error) => Err(fault::engine("sending a signal to the container")(error)),
        }
    }

    async fn remove(&mut self) -> Result<(), SandboxError> {
        remove(&self.docker, &self.id).await?;
        self.is_removed = true;
        Ok(())
    }
}

impl Drop for DockerCage {
    fn drop(&mut self) {
        if self.is_removed {
            return;
        }
        let (docker, id) = (self.docker.clone(), self.id.clone());
        self.runtime.spawn(async move {
            if let Err(error) = remove(&docker, &id).await {
                warn!(container = id, error = %crate::chain(&error), "left a container to the janitor");
            }
        });
    }
}

/// Removes a container and its anonymous volumes, running or not; no error when it is gone.
pub(super) async fn remove(docker: &Docker, id: &str) -> Result<(), SandboxError> {
    let options = RemoveContainerOptionsBuilder::default()
        .force(true)
        .v(true)
        .build();
    match docker.remove_container(id, Some(options)).await {
        Ok(()) => Ok(()),
        // 409: the engine is removing it already.
        Err(error) if matches!(fault::status(&error), Some(404 | 409)) => Ok(()),
        Err(error) => Err(fault::engine("removing the container")(error)),
    }
}

fn read(piece: Result<LogOutput, Error>) -> io::Result<Output> {
    let output = |stream, data: Bytes| Ok(Output { stream, data });
    match piece.map_err(io::Error::other)? {
        LogOutput::StdOut { message } => output(LogStream::Stdout, message),
        LogOutput::StdErr { message } => output(LogStream::Stderr, message),
        LogOutput::StdIn { .. } | LogOutput::Console { .. } => {
            Err(io::Error::other("the engine broke off the output"))
        }
    }
}

impl FirstWords {
    const fn new() -> Self {
        Self {
            text: Vec::new(),
            is_all: true,
            is_stderr: true,
        }
    }

    fn note(&mut self, piece: &Output) {
        if !self.is_all {
            return;
        }
        let room = FIRST_WORDS.saturating_sub(self.text.len());
        self.is_all = piece.data.len() <= room;
        self.is_stderr &= piece.stream == LogStream::Stderr;
        self.text
            .extend_from_slice(&piece.data[..piece.data.len().min(room)]);
    }

    fn are_a_complaint_of_init(&self) -> bool {
        let text = String::from_utf8_lossy(&self.text);
        self.is_all && self.is_stderr && text.starts_with(INIT_COMPLAINT) && text.lines().count() == 1
    }
}

//! One runner's socket: hello, then leases out, heartbeats, logs and results in.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use protocol::agent::{AttemptKey, FromRunner, PROTOCOL_VERSION, ToRunner};
use protocol::error::{ApiError, ErrorCode};
use protocol::id::RunnerId;
use protocol::log::{LogChunk, LogFrame};
use protocol::outcome::Outcome;
use protocol::runner::RunnerStatus;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::services::{AgentHello, Greeting, Reported, RunnerHandle, RunnerOffer, ServiceError, Services};
use crate::store::Append;

/// From the upgrade to the hello.
const HELLO_WITHIN: Duration = Duration::from_secs(10);

/// A runner beats every few seconds; one that says nothing for this long is gone.
const SILENCE: Duration = Duration::from_mins(1);

/// Frames on their way to one runner.
const OUTBOX: usize = 1024;

/// Frames that arrived together and are handled together, so that their log chunks share a commit.
const BATCH: usize = 64;

/// How a session ends: by the peer, or by an error it is told.
enum End {
    Gone,
    Refused(ApiError),
}

impl From<ServiceError> for End {
    fn from(error: ServiceError) -> Self {
        Self::Refused(error.into_api())
    }
}

pub(super) async fn run(
    socket: WebSocket,
    services: Services,
    credential: String,
    draining: CancellationToken,
) {
    let (sink, mut stream) = socket.split();
    let (outbox, frames) = mpsc::channel(OUTBOX);
    let writer = tokio::spawn(write_frames(sink, frames));
    let end = match greet(&mut stream, &services, credential, &outbox).await {
        Ok((session, greeting)) => session.serve(stream, greeting, draining).await,
        Err(end) => end,
    };
    if let End::Refused(error) = end {
        tracing::warn!(error.code = ?error.code, error.detail = error.detail, "a runner was refused");
        // A full outbox means it would not read this either.
        let _full = outbox.try_send(ToRunner::Error {
            code: error.code,
            detail: error.detail,
        });
    }
    drop(outbox);
    // The writer ends with its channel; a failure of it is the peer being gone.
    let _ended = writer.await;
}

async fn write_frames(mut sink: SplitSink<WebSocket, Message>, mut frames: mpsc::Receiver<ToRunner>) {
    while let Some(frame) = frames.recv().await {
        let Ok(text) = serde_json::to_string(&frame) else {
            continue;
        };
        if !matches!(
            tokio::time::timeout(SILENCE, sink.send(Message::Text(text.into()))).await,
            Ok(Ok(()))
        ) {
            return;
        }
    }
    let frame = CloseFrame {
        code: close_code::NORMAL,
        reason: "".into(),
    };
    // The peer may be gone already.
    let _gone = sink.send(Message::Close(Some(frame))).await;
}

async fn greet(
    stream: &mut SplitStream<WebSocket>,
    services: &Services,
    credential: String,
    outbox: &mpsc::Sender<ToRunner>,
) -> Result<(AgentSession, Greeting), End> {
    let first = tokio::time::timeout(HELLO_WITHIN, stream.next()).await;
    let Ok(Some(Ok(Message::Text(text)))) = first else {
        return Err(End::Gone);
    };
    let FromRunner::Hello {
        protocol,
        runner,
        name,
        version,
        capabilities,
        caps,
        held,
    } = parse(&text)?
    else {
        return Err(End::Refused(ApiError::new(
            ErrorCode::Malformed,
            "the first frame must be a hello",
        )));
    };
    let offer = RunnerOffer {
        capabilities: capabilities.clone(),
        caps,
    };
    let hello = AgentHello {
        protocol,
        runner,
        credential,
        name,
        version,
        capabilities,
        caps,
        held,
    };
    let greeting = services.greet(hello).await?;
    let assigned = greeting.open.iter().map(|(attempt, _)| *attempt).collect();
    let replaced = CancellationToken::new();
    let handle = RunnerHandle {
        offer,
        outbox: outbox.clone(),
        assigned,
        replaced: replaced.clone(),
    };
    let session = services.dispatcher().connect(runner, handle);
    tracing::info!(runner.id = %runner, "a runner connected");
    let session = AgentSession {
        services: services.clone(),
        runner,
        session,
        outbox: outbox.clone(),
        replaced,
        draining: false,
    };
    Ok((session, greeting))
}

fn parse(text: &str) -> Result<FromRunner, End> {
    serde_json::from_str(text).map_err(|error| {
        End::Refused(ApiError::new(
            ErrorCode::Malformed,
            format!("not a runner's frame: {error}"),
        ))
    })
}

struct AgentSession {
    services: Services,
    runner: RunnerId,
    session: u64,
    outbox: mpsc::Sender<ToRunner>,
    /// A newer connection of the same runner took the place of this one.
    replaced: CancellationToken,
    draining: bool,
}

impl AgentSession {
    async fn welcome(&self, greeting: Greeting) -> Result<(), End> {
        let heartbeat_ms = u64::try_from(self.services.times().heartbeat.as_millis()).unwrap_or(u64::MAX);
        self.send(ToRunner::Welcome {
            protocol: PROTOCOL_VERSION,
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
            heartbeat_ms,
        })
        .await?;
        for (attempt, next_seq) in greeting.open {
            self.send(ToRunner::LogAck { attempt, next_seq }).await?;
        }
        for attempt in greeting.done {
            self.send(ToRunner::ResultAck { attempt }).await?;
        }
        for attempt in greeting.lost {
            self.send(ToRunner::LeaseLost { attempt }).await?;
        }
        Ok(())
    }

    async fn serve(
        mut self,
        stream: SplitStream<WebSocket>,
        greeting: Greeting,
        draining: CancellationToken,
    ) -> End {
        let end = match self.welcome(greeting).await {
            Ok(()) => self.listen(stream, draining).await,
            Err(end) => end,
        };
        self.leave().await;
        end
    }

    async fn listen(&mut self, stream: SplitStream<WebSocket>, draining: CancellationToken) -> End {
        let mut batches = stream.ready_chunks(BATCH);
        let replaced = self.replaced.clone();
        loop {
            let batch = tokio::select! {
                batch = tokio::time::timeout(SILENCE, batches.next()) => batch,
                () = replaced.cancelled() => {
                    let detail = "another connection of this runner took over";
                    return End::Refused(ApiError::new(ErrorCode::Conflict, detail));
                }
                () = draining.cancelled() => {
                    // A full outbox does not matter: the closing socket says the same.
                    let _full = self.outbox.try_send(ToRunner::Draining);
                    return End::Gone;
                }
            };
            let Ok(Some(frames)) = batch else {
                return End::Gone;
            };
            if let Err(end) = self.handle(frames).await {
                return end;
            }
        }
    }

    /// Only the runner's current connection says that it is offline; its work goes on until the leases end.
    async fn leave(&self) {
        if self.services.dispatcher().disconnect(self.runner, self.session) {
            tracing::info!(runner.id = %self.runner, "a runner disconnected");
            if let Err(error) = self
                .services
                .set_runner_status(self.runner, RunnerStatus::Offline)
                .await
            {
                tracing::debug!(error = %error, "a runner could not be marked offline");
            }
        }
    }

    /// Handles what arrived together, in order; log chunks in a row are stored at once.
    async fn handle(&mut self, frames: Vec<Result<Message, axum::Error>>) -> Result<(), End> {
        let mut logs = LogBatch::default();
        for frame in frames {
            match frame {
                Ok(Message::Binary(bytes)) => {
                    let frame = LogFrame::decode(&bytes).map_err(|error| {
                        End::Refused(ApiError::new(
                            ErrorCode::Malformed,
                            format!("not a log frame: {error}"),
                        ))
                    })?;
                    if let Some((attempt, chunks)) = logs.add(frame) {
                        self.store_log(attempt, chunks).await?;
                    }
                }
                Ok(Message::Text(text)) => {
                    if let Some((attempt, chunks)) = logs.take() {
                        self.store_log(attempt, chunks).await?;
                    }
                    self.obey(parse(&text)?).await?;
                }
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(Message::Close(_)) | Err(_) => return Err(End::Gone),
            }
        }
        if let Some((attempt, chunks)) = logs.take() {
            self.store_log(attempt, chunks).await?;
        }
        Ok(())
    }

    async fn obey(&mut self, frame: FromRunner) -> Result<(), End> {
        match frame {
            FromRunner::Hello { .. } => Err(End::Refused(ApiError::new(
                ErrorCode::Malformed,
                "a second hello on one socket",
            ))),
            FromRunner::Ready { free } => {
                let free = if self.draining { 0 } else { free };
                self.services
                    .dispatcher()
                    .set_ready(self.runner, self.session, free);
                Ok(())
            }
            FromRunner::Heartbeat { held } => {
                let desired = self.services.heartbeat(self.runner, held).await?;
                self.send(ToRunner::HeartbeatAck { desired }).await
            }
            FromRunner::Progress {
                attempt,
                stage,
                detail,
            } => {
                if !self
                    .services
                    .progress(self.runner, attempt, stage, detail)
                    .await?
                {
                    self.send(ToRunner::LeaseLost { attempt }).await?;
                }
                Ok(())
            }
            FromRunner::Result {
                attempt,
                outcome,
                log_chunks,
            } => self.report(attempt, *outcome, log_chunks).await,
            FromRunner::Draining => {
                self.draining = true;
                self.services.dispatcher().set_ready(self.runner, self.session, 0);
                Ok(self
                    .services
                    .set_runner_status(self.runner, RunnerStatus::Draining)
                    .await?)
            }
        }
    }

    async fn store_log(&self, attempt: AttemptKey, chunks: Vec<LogChunk>) -> Result<(), End> {
        let answer = match self.services.append_log(self.runner, attempt, chunks).await? {
            Append::Stored { next_seq } => ToRunner::LogAck { attempt, next_seq },
            Append::LeaseLost => ToRunner::LeaseLost { attempt },
        };
        self.send(answer).await
    }

    async fn report(&self, attempt: AttemptKey, outcome: Outcome, log_chunks: u64) -> Result<(), End> {
        let reported = self
            .services
            .report(self.runner, attempt, outcome, log_chunks)
            .await?;
        self.send(match reported {
            Reported::Accepted => ToRunner::ResultAck { attempt },
            Reported::LogMissing { next_seq } => ToRunner::LogAck { attempt, next_seq },
            Reported::LeaseLost => ToRunner::LeaseLost { attempt },
        })
        .await
    }

    async fn send(&self, frame: ToRunner) -> Result<(), End> {
        self.outbox.send(frame).await.map_err(|_| End::Gone)
    }
}

/// Chunks of one attempt that arrived in a row.
#[derive(Default)]
struct LogBatch {
    attempt: Option<AttemptKey>,
    chunks: Vec<LogChunk>,
}

impl LogBatch {
    /// Adds a chunk; gives back what was gathered when it belongs to another attempt.
    fn add(&mut self, frame: LogFrame) -> Option<(AttemptKey, Vec<LogChunk>)> {
        let attempt = AttemptKey {
            task: frame.task,
            epoch: frame.epoch,
        };
        let before = if self.attempt == Some(attempt) {
            None
        } else {
            self.take()
        };
        self.attempt = Some(attempt);
        self.chunks.push(frame.chunk);
        before
    }

    fn take(&mut self) -> Option<(AttemptKey, Vec<LogChunk>)> {
        self.attempt
            .take()
            .map(|attempt| (attempt, std::mem::take(&mut self.chunks)))
    }
}

//! What runners say, and what becomes of it. Every call is fenced by task, epoch and runner.

use protocol::agent::{AttemptKey, DesiredAttempt, MAX_SLOTS, PROTOCOL_VERSION, Stage};
use protocol::error::{ApiError, ErrorCode};
use protocol::id::RunnerId;
use protocol::log::LogChunk;
use protocol::outcome::Outcome;
use protocol::runner::{Capabilities, RunnerStatus};
use protocol::task::Limits;
use protocol::time::UnixMs;
use sha2::{Digest, Sha256};

use super::lease_ends::back_off;
use super::{ServiceError, Services};
use crate::store::{self, Append, Ended, RunnerHello, StoreError};

/// Longer names and labels are nobody's.
const MAX_NAME: usize = 100;
const MAX_LABELS: usize = 64;

/// A runner's hello with the credential of its connection.
#[derive(Debug)]
pub struct AgentHello {
    pub protocol: u32,
    pub runner: RunnerId,
    pub credential: String,
    pub name: String,
    pub version: String,
    pub capabilities: Capabilities,
    pub caps: Limits,
    pub held: Vec<AttemptKey>,
}

/// What the server makes of the attempts a runner says it holds.
#[derive(Debug, Default)]
pub struct Greeting {
    /// Still its own; the log goes on from the number.
    pub open: Vec<(AttemptKey, u64)>,
    /// Their results are stored.
    pub done: Vec<AttemptKey>,
    pub lost: Vec<AttemptKey>,
}

/// What became of a reported result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported {
    /// Stored now or earlier.
    Accepted,
    /// Log chunks before it are missing, from this number on.
    LogMissing {
        next_seq: u64,
    },
    LeaseLost,
}

impl Services {
    /// Lets a runner in and settles what it held when it was last here.
    pub async fn greet(&self, hello: AgentHello) -> Result<Greeting, ServiceError> {
        check_hello(&hello)?;
        let record = RunnerHello {
            id: hello.runner,
            credential_sha256: format!("{:x}", Sha256::digest(hello.credential.as_bytes())),
            name: hello.name,
            version: hello.version,
            capabilities: hello.capabilities,
        };
        let now = self.clock.now();
        let recorded = self
            .store
            .write(move |tx| Box::pin(store::record_hello(tx, record, now)))
            .await;
        match recorded {
            Ok(_) => {}
            Err(StoreError::Conflict) => {
                let detail = "this runner id belongs to another credential";
                return Err(ServiceError::refused(ErrorCode::Unauthorized, detail));
            }
            Err(error) => return Err(error.into()),
        }
        self.end_forgotten(hello.runner, &hello.held).await?;
        let greeting = self.sort_held(hello.runner, &hello.held).await?;
        let open: Vec<AttemptKey> = greeting.open.iter().map(|(attempt, _)| *attempt).collect();
        self.renew(hello.runner, open).await?;
        Ok(greeting)
    }

    /// What the server thinks the runner holds and the runner knows nothing of will never end by itself.
    async fn end_forgotten(&self, runner: RunnerId, held: &[AttemptKey]) -> Result<(), ServiceError> {
        let known = {
            let mut reader = self.store.read().await?;
            store::held_by(&mut reader, runner).await?
        };
        for forgotten in known.iter().filter(|known| !held.contains(&known.attempt)) {
            let why = "the runner came back without it";
            self.end_as_runner_stopped(forgotten.attempt, runner, why).await?;
        }
        Ok(())
    }

    async fn sort_held(&self, runner: RunnerId, held: &[AttemptKey]) -> Result<Greeting, ServiceError> {
        let mut greeting = Greeting::default();
        let mut reader = self.store.read().await?;
        for attempt in held {
            match store::attempt_progress(&mut reader, *attempt, runner).await? {
                Some(progress) if progress.ended_at.is_none() => {
                    greeting.open.push((*attempt, progress.next_seq));
                }
                Some(progress) if progress.has_result => greeting.done.push(*attempt),
                _ => greeting.lost.push(*attempt),
            }
        }
        Ok(greeting)
    }

    /// A sign of life: renews the leases named, and answers with everything the runner should be running.
    pub async fn heartbeat(
        &self,
        runner: RunnerId,
        held: Vec<AttemptKey>,
    ) -> Result<Vec<DesiredAttempt>, ServiceError> {
        self.renew(runner, held).await?;
        let now = self.clock.now();
        let mut reader = self.store.read().await?;
        let desired = store::held_by(&mut reader, runner)
            .await?
            .into_iter()
            .map(|held| DesiredAttempt {
                attempt: held.attempt,
                expires_in_ms: u64::try_from(held.expires_at.since(now).as_millis()).unwrap_or(u64::MAX),
                cancel: held.cancel,
            });
        Ok(desired.collect())
    }

    async fn renew(&self, runner: RunnerId, held: Vec<AttemptKey>) -> Result<(), ServiceError> {
        let now = self.clock.now();
        let expires_at = now.plus(self.times.lease);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    store::touch_runner(tx, runner, now).await?;
                    store::renew_leases(tx, runner, &held, expires_at).await
                })
            })
            .await?;
        Ok(())
    }

    /// How far an attempt is. `false` when the lease is over.
    pub async fn progress(
        &self,
        runner: RunnerId,
        attempt: AttemptKey,
        stage: Stage,
        detail: Option<String>,
    ) -> Result<bool, ServiceError> {
        let now = self.clock.now();
        let detail = detail.map(|detail| detail.chars().take(500).collect());
        let result = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    match stage {
                        Stage::Pulling => store::record_pulling(tx, attempt, runner, now, detail).await,
                        Stage::Running => store::mark_running(tx, attempt, runner, now).await,
                    }
                })
            })
            .await;
        match result {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Stores log chunks durably and wakes who follows.
    pub async fn append_log(
        &self,
        runner: RunnerId,
        attempt: AttemptKey,
        chunks: Vec<LogChunk>,
    ) -> Result<Append, ServiceError> {
        let append = self
            .store
            .write(move |tx| {
                Box::pin(async move { store::append_chunks(tx, attempt, runner, &chunks).await })
            })
            .await?;
        self.log_watch.wake(attempt.task);
        Ok(append)
    }

    /// Takes the result of an attempt. Repeating it changes nothing.
    pub async fn report(
        &self,
        runner: RunnerId,
        attempt: AttemptKey,
        outcome: Outcome,
        log_chunks: u64,
    ) -> Result<Reported, ServiceError> {
        let progress = {
            let mut reader = self.store.read().await?;
            store::attempt_progress(&mut reader, attempt, runner).await?
        };
        match progress {
            None => return Ok(Reported::LeaseLost),
            Some(progress) if progress.ended_at.is_some() => {
                return Ok(if progress.has_result {
                    Reported::Accepted
                } else {
                    Reported::LeaseLost
                });
            }
            Some(progress) if progress.next_seq < log_chunks => {
                return Ok(Reported::LogMissing {
                    next_seq: progress.next_seq,
                });
            }
            Some(_) => {}
        }
        let now = self.clock.now();
        let ended = Ended {
            attempt,
            runner,
            outcome: judged(outcome, now),
            reported: true,
            retry_after: back_off(attempt.epoch),
            now,
        };
        let result = self.end(ended).await;
        match result {
            Ok(()) => Ok(Reported::Accepted),
            Err(ServiceError::Store(StoreError::Conflict)) => Ok(Reported::LeaseLost),
            Err(error) => Err(error),
        }
    }

    pub async fn set_runner_status(
        &self,
        runner: RunnerId,
        status: RunnerStatus,
    ) -> Result<(), ServiceError> {
        let now = self.clock.now();
        self.store
            .write(move |tx| Box::pin(store::set_runner_status(tx, runner, status, now)))
            .await?;
        Ok(())
    }
}

/// The server, not the runner, decides whose fault an outcome is, and it does not believe unbounded texts.
fn judged(outcome: Outcome, now: UnixMs) -> Outcome {
    let fault = outcome.reason.fault(outcome.exit_code);
    let detail = outcome.detail.map(|detail| detail.chars().take(2000).collect());
    let image_digest = outcome.image_digest.filter(|digest| digest.len() <= 200);
    Outcome {
        fault,
        detail,
        image_digest,
        finished_at: now,
        ..outcome
    }
}

fn check_hello(hello: &AgentHello) -> Result<(), ApiError> {
    if hello.protocol != PROTOCOL_VERSION {
        let detail = format!(
            "this server speaks protocol {PROTOCOL_VERSION}, the runner {}: upgrade the older",
            hello.protocol
        );
        return Err(ApiError::new(ErrorCode::Malformed, detail));
    }
    let is_short =
        |text: &str| !text.is_empty() && text.len() <= MAX_NAME && !text.chars().any(char::is_control);
    if !is_short(&hello.name) || !is_short(&hello.version) {
        let detail = format!("name and version must have 1 to {MAX_NAME} bytes without control characters");
        return Err(ApiError::new(ErrorCode::Malformed, detail));
    }
    let labels = &hello.capabilities.labels;
    if labels.len() > MAX_LABELS
        || !labels
            .iter()
            .all(|(name, value)| is_short(name) && value.len() <= MAX_NAME)
    {
        let detail = format!("at most {MAX_LABELS} labels of at most {MAX_NAME} bytes");
        return Err(ApiError::new(ErrorCode::Malformed, detail));
    }
    let slots = usize::try_from(MAX_SLOTS).unwrap_or(usize::MAX);
    if hello.capabilities.slots > MAX_SLOTS || hello.held.len() > slots.saturating_mul(4) {
        return Err(ApiError::new(
            ErrorCode::Malformed,
            format!("at most {MAX_SLOTS} slots"),
        ));
    }
    Ok(())
}

//! The steps of an attempt, in order.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use protocol::agent::AttemptKey;
use protocol::outcome::{Outcome, OutcomeReason, Usage};
use protocol::task::{Limits, TaskSpec};
use protocol::time::UnixMs;
use tokio::sync::watch;
use tracing::{Instrument, error, info, info_span, warn};

use super::report::Reports;
use super::verdict::{Cause, Verdict};
use super::watch::{Watch, stopped};
use crate::clock::Clock;
use crate::sandbox::limits::clean_path;
use crate::sandbox::{Cage, CageSpec, Ended, LocalImage, Sandbox, SandboxError};

/// A removal that fails is tried again after these; then it is the janitor's.
const REMOVE_AGAIN_AFTER: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// What there is to run.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub key: AttemptKey,
    pub spec: Arc<TaskSpec>,
    /// What really applies.
    pub limits: Limits,
    pub slot: u32,
}

/// What an attempt runs with.
pub struct Surroundings {
    pub sandbox: Arc<dyn Sandbox>,
    pub clock: Arc<dyn Clock>,
    pub reports: Reports,
    /// Orders to stop it, and why.
    pub stop: watch::Receiver<Option<Cause>>,
}

/// Starts an attempt in a task of its own. It reports its end and its clean-up, also when it panics.
pub fn spawn(attempt: Attempt, around: Surroundings) {
    let span = info_span!("attempt", task = %attempt.key.task, epoch = attempt.key.epoch);
    let (reports, clock) = (around.reports.clone(), Arc::clone(&around.clock));
    let guarded = async move {
        let run = Run {
            attempt,
            around,
            facts: Facts::default(),
        };
        if AssertUnwindSafe(run.finish()).catch_unwind().await.is_err() {
            error!("the attempt panicked; its container is removed");
            let verdict = Verdict::new(OutcomeReason::RunnerStopped, "the runner failed");
            reports.ended(verdict.without_run(clock.now())).await;
        }
        reports.cleaned_up().await;
    };
    tokio::spawn(guarded.instrument(span));
}

struct Run {
    attempt: Attempt,
    around: Surroundings,
    facts: Facts,
}

/// What is known of an attempt before its verdict.
#[derive(Debug, Clone, Default)]
struct Facts {
    image_digest: Option<String>,
    started_at: Option<UnixMs>,
    ended: Option<Ended>,
    usage: Usage,
}

/// Why it went no further.
enum Stopped {
    By(Cause),
    Failed(SandboxError),
}

impl From<SandboxError> for Stopped {
    fn from(error: SandboxError) -> Self {
        Self::Failed(error)
    }
}

impl Run {
    async fn finish(mut self) {
        let mut cage = None;
        let result = self.until_verdict(&mut cage).await;
        match result {
            Err(Stopped::By(Cause::LeaseLost)) => info!("the lease is lost: cleaning up"),
            Err(Stopped::By(cause)) => {
                self.report(Verdict::of_cause(cause, &self.attempt.limits)).await;
            }
            Err(Stopped::Failed(failure)) => self.report_failure(&failure).await,
            Ok(verdict) => self.report(verdict).await,
        }
        if let Some(cage) = cage {
            clean_up(cage).await;
        }
    }

    async fn until_verdict(&mut self, kept: &mut Option<Box<dyn Cage>>) -> Result<Verdict, Stopped> {
        let image = self.image().await?;
        self.facts.image_digest = Some(image.digest.clone());
        self.check_stop()?;
        let spec = self.cage_spec(image)?;
        // From here on the cage is kept where the clean-up finds it, whatever goes wrong next.
        let cage = kept.insert(self.around.sandbox.create(&spec).await?);
        let output = cage.output();
        self.check_stop()?;
        cage.start().await?;
        self.facts.started_at = Some(self.around.clock.now());
        self.around.reports.running().await;
        let watch = Watch {
            cage: cage.as_ref(),
            limits: &self.attempt.limits,
            reports: &self.around.reports,
            clock: self.around.clock.as_ref(),
            stop: &mut self.around.stop,
        };
        let watched = watch.run(output).await?;
        self.facts.usage = Usage {
            wall_ms: u64::try_from(watched.wall.as_millis()).unwrap_or(u64::MAX),
            log_bytes: watched.log_bytes,
            ..Usage::default()
        };
        if watched.cause == Some(Cause::LeaseLost) {
            return Err(Stopped::By(Cause::LeaseLost));
        }
        let ended = cage.ended().await?;
        let verdict = Verdict::of_end(watched.cause, &ended, &self.attempt.limits);
        self.facts.ended = Some(ended);
        Ok(verdict)
    }

    async fn image(&mut self) -> Result<LocalImage, Stopped> {
        self.check_stop()?;
        let image = &self.attempt.spec.image;
        let reports = self.around.reports.clone();
        let on_pull = || {
            info!(%image, "pulling the image");
            reports.pulling(image.as_str());
        };
        tokio::select! {
            result = self.around.sandbox.image(image, &on_pull) => Ok(result?),
            cause = stopped(&mut self.around.stop) => Err(Stopped::By(cause)),
        }
    }

    /// Orders that came while nobody could be interrupted.
    fn check_stop(&self) -> Result<(), Stopped> {
        match *self.around.stop.borrow() {
            Some(cause) => Err(Stopped::By(cause)),
            None => Ok(()),
        }
    }

    fn cage_spec(&self, image: LocalImage) -> Result<CageSpec, SandboxError> {
        let spec = &self.attempt.spec;
        Ok(CageSpec {
            attempt: self.attempt.key,
            image,
            command: spec.command.clone(),
            workdir: spec.workdir.as_deref().map(workdir).transpose()?,
            env: spec.env.clone(),
            volumes: spec
                .volumes
                .values()
                .map(|path| usable(path))
                .collect::<Result<_, _>>()?,
            limits: self.attempt.limits,
            slot: self.attempt.slot,
        })
    }

    async fn report_failure(&self, failure: &SandboxError) {
        warn!(error = %crate::chain(failure), "the attempt failed");
        self.report(Verdict::new(failure.reason(), failure.to_string()))
            .await;
    }

    async fn report(&self, verdict: Verdict) {
        let outcome = self.facts.clone().outcome(verdict, self.around.clock.now());
        info!(outcome = outcome.in_words(), "the attempt ended");
        self.around.reports.ended(outcome).await;
    }
}

impl Facts {
    fn outcome(self, verdict: Verdict, now: UnixMs) -> Outcome {
        let ran = self
            .ended
            .filter(|_| verdict.reason != OutcomeReason::CommandNotRunnable);
        let exit_code = ran.as_ref().map(|ended| ended.exit_code);
        Outcome {
            reason: verdict.reason,
            fault: verdict.reason.fault(exit_code),
            exit_code,
            detail: verdict.detail,
            oom_killed: ran.is_some_and(|ended| ended.oom_killed),
            image_digest: self.image_digest,
            started_at: self.started_at,
            finished_at: now,
            usage: self.usage,
        }
    }
}

/// The server checked these paths, too; a runner does not rely on that.
fn usable(path: &str) -> Result<String, SandboxError> {
    clean_path(path).ok_or_else(|| SandboxError::NotRunnable(format!("{path}: not a path for a task")))
}

fn workdir(path: &str) -> Result<String, SandboxError> {
    if path.trim_matches('/').is_empty() {
        return Ok("/".to_owned());
    }
    usable(path)
}

async fn clean_up(mut cage: Box<dyn Cage>) {
    for pause in REMOVE_AGAIN_AFTER {
        match cage.remove().await {
            Ok(()) => return,
            Err(failure) => warn!(error = %crate::chain(&failure), "will try again to remove the container"),
        }
        tokio::time::sleep(pause).await;
    }
    // Dropped, it tries once more by itself.
}

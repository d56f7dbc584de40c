//! How leases end without a word of the runner, and what every end does.

use std::time::Duration;

use protocol::agent::AttemptKey;
use protocol::id::RunnerId;
use protocol::outcome::{Fault, Outcome, OutcomeReason, Usage};

use super::{ServiceError, Services};
use crate::store::{self, Ended, StoreError};

/// The first retry waits this long, each further one twice as long.
const FIRST_BACK_OFF: Duration = Duration::from_secs(1);
const MAX_BACK_OFF: Duration = Duration::from_mins(1);

/// Leases ended in one pass.
const EXPIRE_BATCH: i64 = 100;

impl Services {
    pub(super) async fn end_as_runner_stopped(
        &self,
        attempt: AttemptKey,
        runner: RunnerId,
        why: &str,
    ) -> Result<(), ServiceError> {
        self.end_without_report(attempt, runner, OutcomeReason::RunnerStopped, why)
            .await
    }

    async fn end_without_report(
        &self,
        attempt: AttemptKey,
        runner: RunnerId,
        reason: OutcomeReason,
        why: &str,
    ) -> Result<(), ServiceError> {
        let now = self.clock.now();
        let outcome = Outcome {
            reason,
            fault: Fault::Runner,
            exit_code: None,
            detail: Some(why.to_owned()),
            oom_killed: false,
            image_digest: None,
            started_at: None,
            finished_at: now,
            usage: Usage::default(),
        };
        let retry_after = back_off(attempt.epoch);
        let ended = Ended {
            attempt,
            runner,
            outcome,
            reported: false,
            retry_after,
            now,
        };
        match self.end(ended).await {
            // It ended in the meantime, which is what was wanted.
            Err(ServiceError::Store(StoreError::Conflict)) => Ok(()),
            other => other,
        }
    }

    pub(super) async fn end(&self, ended: Ended) -> Result<(), ServiceError> {
        let (runner, attempt) = (ended.runner, ended.attempt);
        self.store
            .write(move |tx| Box::pin(store::end_attempt(tx, ended)))
            .await?;
        self.dispatcher.release(runner, attempt);
        self.log_watch.wake(attempt.task);
        Ok(())
    }

    /// One pass over the leases that ran out. How many it ended.
    pub async fn expire_leases_once(&self) -> Result<usize, ServiceError> {
        let now = self.clock.now();
        let expired = {
            let mut reader = self.store.read().await?;
            store::expired_leases(&mut reader, now, EXPIRE_BATCH).await?
        };
        for (attempt, runner) in &expired {
            let why = "no word from the runner";
            self.end_without_report(*attempt, *runner, OutcomeReason::LeaseExpired, why)
                .await?;
        }
        Ok(expired.len())
    }

    /// After a start: nobody is connected yet, and no lease may end for what happened while nobody listened.
    pub async fn recover(&self) -> Result<(), ServiceError> {
        let until = self.clock.now().plus(self.times.failover_grace);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    store::mark_all_runners_offline(tx).await?;
                    store::extend_leases(tx, until).await.map(|_| ())
                })
            })
            .await?;
        Ok(())
    }

    /// How long until the next task leaves its back-off.
    pub async fn next_queued_in(&self) -> Result<Option<Duration>, ServiceError> {
        let now = self.clock.now();
        let mut reader = self.store.read().await?;
        Ok(store::next_queued_at(&mut reader, now)
            .await?
            .map(|at| at.since(now)))
    }
}

/// Doubles with every attempt; the jitter keeps tasks that failed together from coming back together.
pub(super) fn back_off(epoch: u64) -> Duration {
    let doublings = u32::try_from(epoch.saturating_sub(1).min(6)).unwrap_or(6);
    let base = FIRST_BACK_OFF.saturating_mul(1 << doublings).min(MAX_BACK_OFF);
    let mut byte = [0_u8; 1];
    // Without randomness there is no jitter, which is no reason to fail.
    let _no_jitter = getrandom::fill(&mut byte);
    base + base / 256 * u32::from(byte[0]) / 2
}

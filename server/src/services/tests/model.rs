//! What the queue must do, in the plainest terms: maps in memory, no database, no concurrency.

use std::collections::HashMap;
use std::time::Duration;

use protocol::id::TaskId;
use protocol::outcome::{Fault, OutcomeReason};
use protocol::task::TaskStatus;
use protocol::time::UnixMs;

use crate::services::{LeaseTimes, Reported};
use crate::store::Append;

pub(super) const SLOTS: usize = 2;
const MAX_ATTEMPTS: u64 = 3;

/// A task as the model sees it.
#[derive(Debug)]
pub(super) struct ModelTask {
    pub(super) id: TaskId,
    pub(super) status: TaskStatus,
    pub(super) epoch: u64,
    pub(super) holder: Option<usize>,
    pub(super) expires_at: UnixMs,
    pub(super) deadline_at: UnixMs,
    /// The back-off ends between these two; where exactly is chance.
    pub(super) not_before: (UnixMs, UnixMs),
    pub(super) next_seq: u64,
    cancel_requested: bool,
    /// Attempts that are over: whose, and whether their runner reported the end.
    ended: HashMap<u64, (usize, bool)>,
    /// Results that decided the task. Never more than one.
    pub(super) decisions: u32,
}

impl ModelTask {
    pub(super) fn new(id: TaskId, now: UnixMs, deadline: Duration) -> Self {
        Self {
            id,
            status: TaskStatus::Queued,
            epoch: 0,
            holder: None,
            expires_at: now,
            deadline_at: now.plus(deadline),
            not_before: (now, now),
            next_seq: 0,
            cancel_requested: false,
            ended: HashMap::new(),
            decisions: 0,
        }
    }

    pub(super) fn is_held_by(&self, runner: usize, epoch: u64) -> bool {
        self.status.is_held() && self.holder == Some(runner) && self.epoch == epoch
    }

    /// May be leased, as far as chance lets one say.
    pub(super) fn may_be_leased(&self, now: UnixMs) -> bool {
        self.status == TaskStatus::Queued && self.not_before.0 <= now && self.deadline_at > now
    }

    pub(super) fn must_be_leased(&self, now: UnixMs) -> bool {
        self.may_be_leased(now) && self.not_before.1 <= now
    }

    pub(super) fn lease(&mut self, runner: usize, now: UnixMs) {
        self.status = TaskStatus::Leased;
        self.epoch += 1;
        self.holder = Some(runner);
        self.expires_at = now.plus(LeaseTimes::default().lease);
        self.next_seq = 0;
    }

    pub(super) fn start(&mut self, runner: usize, epoch: u64) -> bool {
        let held = self.is_held_by(runner, epoch);
        if held {
            self.status = TaskStatus::Running;
        }
        held
    }

    pub(super) fn append(&mut self, runner: usize, epoch: u64, seq: u64) -> Append {
        if !self.is_held_by(runner, epoch) {
            return Append::LeaseLost;
        }
        if seq == self.next_seq {
            self.next_seq += 1;
        }
        Append::Stored {
            next_seq: self.next_seq,
        }
    }

    pub(super) fn report(
        &mut self,
        runner: usize,
        epoch: u64,
        reason: OutcomeReason,
        chunks: u64,
        now: UnixMs,
    ) -> Reported {
        if let Some((by, reported)) = self.ended.get(&epoch) {
            let known = *by == runner && *reported;
            return if known {
                Reported::Accepted
            } else {
                Reported::LeaseLost
            };
        }
        if !self.is_held_by(runner, epoch) {
            return Reported::LeaseLost;
        }
        if self.next_seq < chunks {
            return Reported::LogMissing {
                next_seq: self.next_seq,
            };
        }
        self.end(reason, true, now);
        Reported::Accepted
    }

    /// The attempt is over, for this reason, with exit code 0 if it has one.
    pub(super) fn end(&mut self, reason: OutcomeReason, reported: bool, now: UnixMs) {
        let Some(holder) = self.holder.take() else { return };
        self.ended.insert(self.epoch, (holder, reported));
        self.status = match reason.fault(Some(0)) {
            _ if reason == OutcomeReason::Cancelled => TaskStatus::Cancelled,
            Fault::None => TaskStatus::Succeeded,
            Fault::Task => TaskStatus::Failed,
            Fault::Runner | Fault::Platform if self.cancel_requested => TaskStatus::Cancelled,
            Fault::Runner | Fault::Platform if self.deadline_at <= now => TaskStatus::Expired,
            Fault::Runner | Fault::Platform if self.epoch >= MAX_ATTEMPTS => TaskStatus::Failed,
            Fault::Runner | Fault::Platform => TaskStatus::Queued,
        };
        if self.status.is_terminal() {
            self.decisions += 1;
        }
        let base = Duration::from_secs(1 << (self.epoch - 1));
        self.not_before = (now.plus(base), now.plus(base.mul_f64(1.5)));
    }

    /// Whether there was anything left to cancel.
    pub(super) fn cancel(&mut self) -> bool {
        match self.status {
            TaskStatus::Queued => self.status = TaskStatus::Cancelled,
            status if status.is_held() => self.cancel_requested = true,
            _ => return false,
        }
        true
    }

    pub(super) fn expire(&mut self, now: UnixMs) {
        if self.status == TaskStatus::Queued && self.deadline_at <= now {
            self.status = TaskStatus::Expired;
        }
    }
}

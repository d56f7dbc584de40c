//! One attempt as the dispatcher knows it, from its lease to the acknowledged result.

use std::sync::Arc;

use protocol::agent::{AttemptKey, Stage};
use protocol::outcome::Outcome;
use protocol::task::TaskSpec;
use tokio::sync::watch;

use super::Link;
use crate::attempt::Cause;
use crate::clock::BootTime;
use crate::outbox::{Acknowledged, MemoryOutbox, Outbox, Parcel};

/// What the server still has to do with an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It waits for our words about it.
    Awaited,
    /// It has the result.
    Delivered,
    /// It gave it up, or we did before it could.
    Lost,
}

pub(super) struct Held {
    pub(super) key: AttemptKey,
    pub(super) spec: Arc<TaskSpec>,
    pub(super) standing: Standing,
    /// The slot that its container fills; absent before the start and after the clean-up.
    pub(super) slot: Option<u32>,
    /// When it is killed unless the lease is renewed.
    pub(super) fence_at: BootTime,
    pub(super) stop: watch::Sender<Option<Cause>>,
    stage: Option<(Stage, Option<String>)>,
    outbox: Box<dyn Outbox>,
    /// When anything of it last went out.
    sent_at: BootTime,
}

impl Held {
    pub(super) fn new(key: AttemptKey, spec: Arc<TaskSpec>, fence_at: BootTime) -> Self {
        Self {
            key,
            spec,
            standing: Standing::Awaited,
            slot: None,
            fence_at,
            stop: watch::Sender::new(None),
            stage: None,
            outbox: Box::new(MemoryOutbox::default()),
            sent_at: BootTime::default(),
        }
    }

    pub(super) fn is_awaited(&self) -> bool {
        self.standing == Standing::Awaited
    }

    /// Its command has not ended, as far as anybody knows.
    pub(super) fn is_unfinished(&self) -> bool {
        self.outbox.outcome().is_none()
    }

    /// Nothing of it is left here and nobody asks for it.
    pub(super) fn is_done(&self) -> bool {
        !self.is_awaited() && self.slot.is_none()
    }

    /// Orders its end, unless an order of that kind was given.
    pub(super) fn stop(&self, cause: Cause) {
        self.stop.send_if_modified(|ordered| {
            let is_new = ordered.is_none() || (*ordered != Some(cause) && cause.grace().is_zero());
            if is_new {
                *ordered = Some(cause);
            }
            is_new
        });
    }

    pub(super) fn is_ordered_to_stop(&self) -> bool {
        self.stop.borrow().is_some()
    }

    pub(super) fn reached(&mut self, stage: Stage, detail: Option<String>, link: Option<&Link>) {
        if let Some(link) = link.filter(|_| self.is_awaited()) {
            link.progress(self.key, stage, detail.clone());
        }
        self.stage = Some((stage, detail));
    }

    pub(super) fn logged(&mut self, parcel: Parcel, link: Option<&Link>, now: BootTime) {
        if !self.is_awaited() {
            return;
        }
        if let Some(link) = link {
            link.log(self.key, &parcel.chunk);
            self.sent_at = now;
        }
        self.outbox.push(parcel);
    }

    pub(super) fn ended(&mut self, outcome: Outcome, link: Option<&Link>, now: BootTime) {
        if !self.is_awaited() || !self.is_unfinished() {
            return;
        }
        self.outbox.set_outcome(outcome);
        if let Some(link) = link {
            self.send_result(link, now);
        }
    }

    pub(super) fn acknowledge(&mut self, next_seq: u64) -> Acknowledged {
        self.outbox.acknowledge(next_seq)
    }

    /// Says everything that the server has not acknowledged, in order: how far it is, its log, its result.
    pub(super) fn send_all(&mut self, link: &Link, now: BootTime) {
        if let Some((stage, detail)) = self.stage.clone() {
            link.progress(self.key, stage, detail);
        }
        for chunk in self.outbox.pending() {
            link.log(self.key, chunk);
        }
        self.sent_at = now;
        self.send_result(link, now);
    }

    /// How long ago anything of it went out.
    pub(super) fn quiet_for(&self, now: BootTime) -> std::time::Duration {
        now.since(self.sent_at)
    }

    fn send_result(&mut self, link: &Link, now: BootTime) {
        if let Some(outcome) = self.outbox.outcome() {
            link.result(self.key, outcome, self.outbox.chunks());
            self.sent_at = now;
        }
    }
}

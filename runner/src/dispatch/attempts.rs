//! What attempts report, and how they begin.

use std::sync::Arc;

use protocol::agent::AttemptKey;
use protocol::outcome::OutcomeReason;
use tokio::sync::mpsc;
use tracing::{info, warn};

use super::Event;
use super::dispatcher::Dispatcher;
use crate::attempt::verdict::Verdict;
use crate::attempt::{self, Attempt, AttemptEvent, Cause, Reports, Surroundings};
use crate::sandbox::{Leftover, Sandbox};

impl Dispatcher {
    pub(super) fn hear(&mut self, key: AttemptKey, event: AttemptEvent) {
        let now = self.now();
        let link = self.connection.link();
        let Some(held) = self.held.get_mut(&key) else {
            return;
        };
        match event {
            AttemptEvent::Stage { stage, detail } => held.reached(stage, detail, link),
            AttemptEvent::Log(parcel) => held.logged(parcel, link, now),
            AttemptEvent::Ended(outcome) => {
                let is_engines_fault = outcome.reason == OutcomeReason::EngineFailed;
                held.ended(*outcome, link, now);
                if is_engines_fault {
                    self.engine_failed();
                }
            }
            AttemptEvent::CleanedUp => self.free_slots.extend(held.slot.take()),
        }
    }

    /// Starts what waits, as far as there are slots.
    pub(super) fn start_waiting(&mut self) {
        while let Some(slot) = self.free_slots.first().copied().filter(|_| self.engine_answers) {
            let Some(key) = self.queue.pop_front() else {
                return;
            };
            if let Some(held) = self.held.get_mut(&key) {
                self.free_slots.remove(&slot);
                held.slot = Some(slot);
                let attempt = Attempt {
                    key,
                    limits: self.profile.caps.applied_to(&held.spec.limits),
                    spec: Arc::clone(&held.spec),
                    slot,
                };
                let surroundings = Surroundings {
                    sandbox: Arc::clone(&self.sandbox),
                    clock: Arc::clone(&self.clock),
                    reports: Reports::new(key, self.events.clone()),
                    stop: held.stop.subscribe(),
                };
                info!(task = %key.task, epoch = key.epoch, slot, title = held.spec.title, "starting an attempt");
                attempt::spawn(attempt, surroundings);
            }
        }
    }

    /// Ends an attempt that waits for a slot.
    pub(super) fn end_unstarted(&mut self, key: AttemptKey, cause: Cause) {
        self.queue.retain(|waiting| *waiting != key);
        let (now, wall) = (self.now(), self.clock.now());
        if let Some(held) = self.held.get_mut(&key) {
            let verdict = Verdict::of_cause(cause, &self.profile.caps);
            held.ended(verdict.without_run(wall), self.connection.link(), now);
        }
    }

    /// Asks the engine, beside the loop, what there is.
    pub(super) fn look_for_leftovers(&self) {
        tokio::spawn(find(Arc::clone(&self.sandbox), self.events.clone()));
    }

    /// Removes the containers that no attempt minds. Decided here and not where they were listed, because an attempt
    /// may have begun in between.
    pub(super) fn remove_leftovers(&self, found: Vec<Leftover>) {
        let is_minded =
            |leftover: &Leftover| leftover.attempt.is_some_and(|key| self.held.contains_key(&key));
        let nobodys: Vec<_> = found.into_iter().filter(|one| !is_minded(one)).collect();
        if !nobodys.is_empty() {
            tokio::spawn(remove_all(Arc::clone(&self.sandbox), nobodys));
        }
    }
}

async fn find(sandbox: Arc<dyn Sandbox>, events: mpsc::Sender<Event>) {
    match sandbox.cages().await {
        Ok(found) => {
            let _sent = events.send(Event::Found(found)).await;
        }
        Err(error) => warn!(error = %crate::chain(&error), "could not look for leftovers"),
    }
}

/// Removes each; what cannot be removed is found again at the next look.
pub async fn remove_all(sandbox: Arc<dyn Sandbox>, leftovers: Vec<Leftover>) {
    for leftover in leftovers {
        match sandbox.remove(&leftover).await {
            Ok(()) => info!(
                container = leftover.id,
                "removed a container that was left behind"
            ),
            Err(error) => {
                warn!(container = leftover.id, error = %crate::chain(&error), "could not remove a leftover");
            }
        }
    }
}

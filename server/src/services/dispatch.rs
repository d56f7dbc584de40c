//! Matching: which queued task goes to which connected runner, pushed at once.
//!
//! A runner's credit is what it last said it has free, less what was pushed since, and never more than its slots
//! less what it holds. So a word of it that crossed a lease on the wire cannot overcommit it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::agent::{AttemptKey, ToRunner};
use protocol::id::RunnerId;
use protocol::runner::Capabilities;
use protocol::task::{Limits, TaskSpec, TaskView};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::{ServiceError, Services};
use crate::store::{self, Lease, LeaseRequest, QueuedTask};

/// Queued tasks looked at in one step.
const LOOK_AHEAD: i64 = 64;

/// What a runner can take.
#[derive(Debug, Clone)]
pub struct RunnerOffer {
    pub capabilities: Capabilities,
    pub caps: Limits,
}

impl RunnerOffer {
    fn fits(&self, spec: &TaskSpec) -> bool {
        self.caps.admits(&spec.limits)
            && spec
                .requires
                .iter()
                .all(|requirement| requirement.holds_for(&self.capabilities.labels))
    }
}

/// The connection of one runner, as the dispatcher knows it.
#[derive(Debug)]
pub struct RunnerHandle {
    pub offer: RunnerOffer,
    /// Frames to the runner's socket.
    pub outbox: mpsc::Sender<ToRunner>,
    /// What it held when it connected.
    pub assigned: HashSet<AttemptKey>,
    /// Cancelled when a newer connection of the same runner takes its place.
    pub replaced: CancellationToken,
}

#[derive(Debug)]
struct Connected {
    session: u64,
    handle: RunnerHandle,
    ready: u32,
}

impl Connected {
    fn credit(&self) -> u32 {
        let assigned = u32::try_from(self.handle.assigned.len()).unwrap_or(u32::MAX);
        self.ready
            .min(self.handle.offer.capabilities.slots.saturating_sub(assigned))
    }
}

#[derive(Debug, Default)]
struct Connections {
    next_session: u64,
    runners: HashMap<RunnerId, Connected>,
}

/// Who is connected with which credit, and the bell that wakes the matching.
#[derive(Debug, Clone, Default)]
pub struct Dispatcher {
    connections: Arc<Mutex<Connections>>,
    bell: Arc<Notify>,
}

impl Dispatcher {
    /// A runner connected. An older connection of the same runner loses its place and its socket ends.
    pub fn connect(&self, runner: RunnerId, handle: RunnerHandle) -> u64 {
        let mut connections = self.lock();
        connections.next_session += 1;
        let session = connections.next_session;
        let connected = Connected {
            session,
            handle,
            ready: 0,
        };
        if let Some(older) = connections.runners.insert(runner, connected) {
            older.handle.replaced.cancel();
        }
        session
    }

    /// Whether this connection was still the runner's current one.
    pub fn disconnect(&self, runner: RunnerId, session: u64) -> bool {
        let mut connections = self.lock();
        let current = connections
            .runners
            .get(&runner)
            .is_some_and(|connected| connected.session == session);
        if current {
            connections.runners.remove(&runner);
        }
        current
    }

    pub fn set_ready(&self, runner: RunnerId, session: u64, free: u32) {
        self.with(runner, |connected| {
            if connected.session == session {
                connected.ready = free;
            }
        });
        self.wake();
    }

    /// The attempt is over: its slot may be used again.
    pub fn release(&self, runner: RunnerId, attempt: AttemptKey) {
        self.with(runner, |connected| {
            connected.handle.assigned.remove(&attempt);
        });
        self.wake();
    }

    /// There may be something to match.
    pub fn wake(&self) {
        self.bell.notify_one();
    }

    pub async fn woken(&self) {
        self.bell.notified().await;
    }

    /// Tells the runner that holds the task to end it.
    pub fn cancel(&self, task: &TaskView) {
        let Some(attempt) = task.attempts.last().filter(|_| task.status.is_held()) else {
            return;
        };
        let key = AttemptKey {
            task: task.id,
            epoch: attempt.epoch,
        };
        self.send(
            attempt.runner_id,
            ToRunner::Cancel {
                attempt: key,
                grace_ms: CANCEL_GRACE_MS,
            },
        );
    }

    /// Runners with an open socket.
    pub fn connected(&self) -> usize {
        self.lock().runners.len()
    }

    /// Tells every runner that the server stops.
    pub fn announce_drain(&self) {
        for connected in self.lock().runners.values() {
            // A full outbox means the socket is about to be closed anyway.
            let _full = connected.handle.outbox.try_send(ToRunner::Draining);
        }
    }

    /// Whether the frame found a place. A heartbeat repeats what a full outbox refused.
    fn send(&self, runner: RunnerId, frame: ToRunner) -> bool {
        let outbox = self
            .lock()
            .runners
            .get(&runner)
            .map(|connected| connected.handle.outbox.clone());
        outbox.is_some_and(|outbox| outbox.try_send(frame).is_ok())
    }

    fn with(&self, runner: RunnerId, change: impl FnOnce(&mut Connected)) {
        if let Some(connected) = self.lock().runners.get_mut(&runner) {
            change(connected);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Pairs tasks with runners, oldest task first, each to the runner with the most credit left.
    fn pair(&self, tasks: &[QueuedTask]) -> Vec<(RunnerId, QueuedTask)> {
        let connections = self.lock();
        let mut credit: Vec<(RunnerId, &RunnerOffer, u32)> = connections
            .runners
            .iter()
            .map(|(id, connected)| (*id, &connected.handle.offer, connected.credit()))
            .collect();
        let mut pairs = Vec::new();
        for task in tasks {
            let best = credit
                .iter_mut()
                .filter(|(_, offer, credit)| *credit > 0 && offer.fits(&task.spec))
                .max_by_key(|(_, _, credit)| *credit);
            if let Some((runner, _, credit)) = best {
                *credit -= 1;
                pairs.push((*runner, task.clone()));
            }
        }
        pairs
    }

    fn has_credit(&self) -> bool {
        self.lock()
            .runners
            .values()
            .any(|connected| connected.credit() > 0)
    }

    fn assign(&self, runner: RunnerId, lease: &Lease, expires_in_ms: u64) -> bool {
        self.with(runner, |connected| {
            connected.ready = connected.ready.saturating_sub(1);
            connected.handle.assigned.insert(lease.attempt);
        });
        let spec = Box::new(lease.spec.clone());
        self.send(
            runner,
            ToRunner::Lease {
                attempt: lease.attempt,
                spec,
                expires_in_ms,
            },
        )
    }
}

/// From TERM to KILL. The same for everybody until tasks can name their own.
pub(super) const CANCEL_GRACE_MS: u64 = 10_000;

impl Services {
    /// One pass over the queue: leases what fits to whoever is free, and pushes it. How many it leased.
    pub async fn dispatch_once(&self) -> Result<usize, ServiceError> {
        let mut after: Option<QueuedTask> = None;
        let mut leased = 0;
        while self.dispatcher.has_credit() {
            let now = self.clock.now();
            let tasks = {
                let mut reader = self.store.read().await?;
                store::queued_tasks(&mut reader, now, after.as_ref(), LOOK_AHEAD).await?
            };
            let Some(last) = tasks.last().cloned() else { break };
            leased += self.lease_pairs(self.dispatcher.pair(&tasks)).await?;
            after = Some(last);
        }
        Ok(leased)
    }

    async fn lease_pairs(&self, pairs: Vec<(RunnerId, QueuedTask)>) -> Result<usize, ServiceError> {
        let mut leased = 0;
        let now = self.clock.now();
        let expires_at = now.plus(self.times.lease);
        let requests: Vec<LeaseRequest> = pairs
            .into_iter()
            .map(|(runner, task)| LeaseRequest {
                task: task.id,
                runner,
                now,
                expires_at,
            })
            .collect();
        if requests.is_empty() {
            return Ok(0);
        }
        let granted = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let mut granted = Vec::with_capacity(requests.len());
                    for request in requests {
                        let runner = request.runner;
                        if let Some(lease) = store::lease_task(tx, request).await? {
                            granted.push((runner, lease));
                        }
                    }
                    Ok(granted)
                })
            })
            .await?;
        let lease_ms = u64::try_from(self.times.lease.as_millis()).unwrap_or(u64::MAX);
        for (runner, lease) in granted {
            self.log_watch.wake(lease.attempt.task);
            if self.dispatcher.assign(runner, &lease, lease_ms) {
                leased += 1;
            } else {
                // Nobody heard of this lease, so it need not run out first.
                self.end_as_runner_stopped(lease.attempt, runner, "the runner was gone")
                    .await?;
            }
        }
        Ok(leased)
    }
}

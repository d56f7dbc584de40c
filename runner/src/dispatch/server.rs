//! What the server says, and what it is told.

use std::sync::Arc;
use std::time::Duration;

use protocol::agent::{AttemptKey, DesiredAttempt, FromRunner, MAX_SLOTS, PROTOCOL_VERSION, ToRunner};
use protocol::task::TaskSpec;
use tracing::{debug, info, warn};

use super::dispatcher::{Dispatcher, every};
use super::held::Held;
use super::lease::fence_at;
use super::{Event, Link};
use crate::attempt::Cause;
use crate::clock::BootTime;
use crate::outbox::Acknowledged;

/// A heartbeat is answered within milliseconds; a server that misses this many of them is not there.
const MISSED_BEATS: u32 = 3;

/// A result without an answer, or a chunk that the server still waits for, is sent again no sooner than this.
const SAY_AGAIN_AFTER: Duration = Duration::from_secs(5);
const CHUNKS_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Time to end by itself for an attempt whose cancellation comes with a heartbeat, which names none.
const CANCEL_GRACE: Duration = Duration::from_secs(10);

/// The bounds of a heartbeat that a server may ask for.
const SHORTEST_BEAT_MS: u64 = 50;
const LONGEST_BEAT_MS: u64 = 60_000;

/// How things stand with the server.
pub(super) enum Connection {
    Down,
    /// The hello is out.
    Greeting {
        link: Link,
        since: BootTime,
    },
    Up {
        link: Link,
        /// When the server was last heard.
        heard_at: BootTime,
        /// The free slots that it knows of.
        announced: u32,
    },
}

/// A heartbeat that waits for its answer.
pub(super) struct Beat {
    sent_at: BootTime,
    held: Vec<AttemptKey>,
}

impl Connection {
    pub(super) const fn link(&self) -> Option<&Link> {
        match self {
            Self::Up { link, .. } => Some(link),
            Self::Down | Self::Greeting { .. } => None,
        }
    }
}

impl Dispatcher {
    pub(super) fn connected(&mut self, link: Link) {
        let profile = self.profile.clone();
        link.say(FromRunner::Hello {
            protocol: PROTOCOL_VERSION,
            runner: profile.runner,
            name: profile.name,
            version: profile.version,
            capabilities: profile.capabilities,
            caps: profile.caps,
            held: self.awaited(),
        });
        self.connection = Connection::Greeting {
            link,
            since: self.now(),
        };
        self.beats.clear();
    }

    pub(super) fn disconnected(&mut self) {
        self.connection = Connection::Down;
        self.beats.clear();
    }

    pub(super) fn obey(&mut self, message: ToRunner) {
        let now = self.now();
        if let Connection::Up { heard_at, .. } = &mut self.connection {
            *heard_at = now;
        }
        match message {
            ToRunner::Welcome { heartbeat_ms, .. } => self.welcomed(heartbeat_ms),
            ToRunner::Lease {
                attempt,
                spec,
                expires_in_ms,
            } => self.leased(attempt, *spec, fence_at(now, expires_in_ms)),
            ToRunner::HeartbeatAck { desired } => self.renewed(&desired),
            ToRunner::LogAck { attempt, next_seq } => self.log_acknowledged(attempt, next_seq),
            ToRunner::ResultAck { attempt } => {
                if let Some(held) = self.held.get_mut(&attempt) {
                    held.standing = super::held::Standing::Delivered;
                }
            }
            ToRunner::LeaseLost { attempt } => {
                info!(task = %attempt.task, epoch = attempt.epoch, "the server took the lease back");
                self.lose(attempt);
            }
            ToRunner::Cancel { attempt, grace_ms } => {
                self.cancel(attempt, Duration::from_millis(grace_ms));
            }
            ToRunner::Draining => info!("the server is stopping; the work goes on meanwhile"),
            ToRunner::Error { code, detail } => warn!(?code, detail, "the server complains"),
        }
    }

    /// Says everything again that may have been lost with the last connection.
    fn welcomed(&mut self, heartbeat_ms: u64) {
        let now = self.now();
        let Connection::Greeting { link, .. } = std::mem::replace(&mut self.connection, Connection::Down)
        else {
            warn!("a welcome without a hello");
            return;
        };
        for held in self.held.values_mut().filter(|held| held.is_awaited()) {
            held.send_all(&link, now);
        }
        if self.phase.is_leaving() {
            link.say(FromRunner::Draining);
        }
        self.connection = Connection::Up {
            link,
            heard_at: now,
            announced: 0,
        };
        self.heartbeat = every(Duration::from_millis(
            heartbeat_ms.clamp(SHORTEST_BEAT_MS, LONGEST_BEAT_MS),
        ));
        // At once, because the leases were not renewed while nobody was there.
        self.beat();
    }

    fn leased(&mut self, key: AttemptKey, spec: TaskSpec, fence_at: BootTime) {
        if let Some(held) = self.held.get_mut(&key) {
            held.fence_at = fence_at;
            return;
        }
        let most = usize::try_from(2 * MAX_SLOTS).unwrap_or(usize::MAX);
        if self.held.len() >= most {
            warn!(task = %key.task, "more leases than any runner has slots: ignored");
            return;
        }
        self.held.insert(key, Held::new(key, Arc::new(spec), fence_at));
        if self.phase.is_leaving() {
            self.end_unstarted(key, Cause::RunnerStopped);
        } else {
            self.queue.push_back(key);
        }
    }

    /// The desired set. Only an attempt that its heartbeat named can be missing from it: a lease may have been on its
    /// way. A result that is missing from it is still sent until the server says that it has it or wants it no more.
    fn renewed(&mut self, desired: &[DesiredAttempt]) {
        let beat = self.beats.pop_front();
        let asked_at = beat.as_ref().map_or_else(|| self.now(), |beat| beat.sent_at);
        for wanted in desired {
            if let Some(held) = self.held.get_mut(&wanted.attempt) {
                held.fence_at = fence_at(asked_at, wanted.expires_in_ms);
            }
            if wanted.cancel {
                self.cancel(wanted.attempt, CANCEL_GRACE);
            }
        }
        for key in beat.map(|beat| beat.held).unwrap_or_default() {
            let is_unwanted = desired.iter().all(|wanted| wanted.attempt != key);
            if is_unwanted && self.held.get(&key).is_some_and(Held::is_unfinished) {
                info!(task = %key.task, epoch = key.epoch, "the server does not want this attempt any more");
                self.lose(key);
            }
        }
    }

    fn log_acknowledged(&mut self, key: AttemptKey, next_seq: u64) {
        let now = self.now();
        let (Some(held), Some(link)) = (self.held.get_mut(&key), self.connection.link()) else {
            return;
        };
        let is_stuck = held.acknowledge(next_seq) == Acknowledged::Repeated;
        if is_stuck && held.is_awaited() && held.quiet_for(now) >= CHUNKS_AGAIN_AFTER {
            debug!(task = %key.task, next_seq, "the server waits for a chunk: sending again");
            held.send_all(link, now);
        }
    }

    fn cancel(&mut self, key: AttemptKey, grace: Duration) {
        let Some(held) = self.held.get(&key).filter(|held| held.is_unfinished()) else {
            return;
        };
        if self.queue.contains(&key) {
            self.end_unstarted(key, Cause::Cancelled { grace });
        } else if !held.is_ordered_to_stop() {
            info!(task = %key.task, epoch = key.epoch, "the attempt is cancelled");
            held.stop(Cause::Cancelled { grace });
        }
    }

    /// Sends a heartbeat, unless the server has been silent for so long that it is not there.
    pub(super) fn beat(&mut self) {
        let (now, held) = (self.now(), self.awaited());
        let heard_at = match &self.connection {
            Connection::Down => return,
            Connection::Greeting { since, .. } => *since,
            Connection::Up { heard_at, .. } => *heard_at,
        };
        if now.since(heard_at) > self.heartbeat.period() * MISSED_BEATS {
            warn!("the server is silent: connecting again");
            return self.disconnected();
        }
        let Connection::Up { link, .. } = &self.connection else {
            return;
        };
        link.say(FromRunner::Heartbeat { held: held.clone() });
        for held in self.held.values_mut() {
            let is_overdue =
                held.is_awaited() && !held.is_unfinished() && held.quiet_for(now) >= SAY_AGAIN_AFTER;
            if is_overdue {
                held.send_all(link, now);
            }
        }
        self.beats.push_back(Beat { sent_at: now, held });
    }

    /// Says how many slots are free when there are more than the server knows of. That there are fewer it knows,
    /// because it filled them; saying so would cross with the next lease and count twice. Only that there is no
    /// engine it cannot know.
    pub(super) fn say_ready(&mut self) {
        if self.phase.is_leaving() {
            return;
        }
        let slots = if self.engine_answers {
            self.free_slots.len()
        } else {
            0
        };
        let free = u32::try_from(slots).unwrap_or(MAX_SLOTS);
        if let Connection::Up { link, announced, .. } = &mut self.connection {
            if free > *announced || (!self.engine_answers && *announced > 0) {
                link.say(FromRunner::Ready { free });
            }
            *announced = free;
        }
    }

    /// What the server has to be told about, in hello and heartbeat.
    fn awaited(&self) -> Vec<AttemptKey> {
        let awaited = self.held.values().filter(|held| held.is_awaited());
        awaited.map(|held| held.key).collect()
    }
}

impl From<ToRunner> for Event {
    fn from(message: ToRunner) -> Self {
        Self::Message(Box::new(message))
    }
}

//! The loop.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use protocol::agent::AttemptKey;
use protocol::id::RunnerId;
use protocol::runner::Capabilities;
use protocol::task::Limits;
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior, interval_at};

use super::held::Held;
use super::leaving::Phase;
use super::server::{Beat, Connection};
use super::{Event, Link};
use crate::attempt::Cause;
use crate::clock::{BootTime, Clock, Sleep};
use crate::sandbox::Sandbox;

/// Between two looks for containers that nobody minds. Nomad sweeps as often; a leak waits no longer than a person.
const SWEEP_EVERY: Duration = Duration::from_mins(5);

/// Until the server says how often it wants to hear a heartbeat.
pub(super) const FIRST_HEARTBEAT: Duration = Duration::from_secs(5);

/// What the runner says of itself in every hello.
#[derive(Debug, Clone)]
pub struct Profile {
    pub runner: RunnerId,
    pub name: String,
    pub version: String,
    pub capabilities: Capabilities,
    pub caps: Limits,
}

pub struct Dispatcher {
    pub(super) profile: Profile,
    pub(super) sandbox: Arc<dyn Sandbox>,
    pub(super) clock: Arc<dyn Clock>,
    /// Given to everything that reports here.
    pub(super) events: mpsc::Sender<Event>,
    pub(super) connection: Connection,
    pub(super) heartbeat: Interval,
    /// Heartbeats without an answer yet, in order.
    pub(super) beats: VecDeque<Beat>,
    pub(super) held: BTreeMap<AttemptKey, Held>,
    /// Leased, and waiting for a slot.
    pub(super) queue: VecDeque<AttemptKey>,
    pub(super) free_slots: BTreeSet<u32>,
    pub(super) phase: Phase,
    pub(super) engine_answers: bool,
    fence: Fence,
}

impl Dispatcher {
    /// Must be called inside the runtime. `events` is where everything that happens is sent.
    pub fn new(
        profile: Profile,
        sandbox: Arc<dyn Sandbox>,
        clock: Arc<dyn Clock>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        Self {
            free_slots: (0..profile.capabilities.slots).collect(),
            profile,
            sandbox,
            clock,
            events,
            connection: Connection::Down,
            heartbeat: every(FIRST_HEARTBEAT),
            beats: VecDeque::new(),
            held: BTreeMap::new(),
            queue: VecDeque::new(),
            phase: Phase::Working,
            engine_answers: true,
            fence: Fence::default(),
        }
    }

    /// Runs until it was asked to stop and has nothing left to do.
    pub async fn run(mut self, mut events: mpsc::Receiver<Event>) {
        let mut sweep = every(SWEEP_EVERY);
        loop {
            self.fence.set(self.next_fence(), self.clock.as_ref());
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.handle(event),
                    None => break,
                },
                _ = self.heartbeat.tick() => self.beat(),
                () = self.fence.reached() => self.fence_off(),
                _ = sweep.tick() => self.look_for_leftovers(),
                () = self.phase.leave() => break,
            }
            self.settle();
            if self.phase.is_over() {
                break;
            }
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Connected(link) => self.connected(link),
            Event::Message(message) => self.obey(*message),
            Event::Disconnected => self.disconnected(),
            Event::Attempt { attempt, event } => self.hear(attempt, event),
            Event::EngineIsBack => self.engine_is_back(),
            Event::Found(found) => self.remove_leftovers(found),
            Event::StopRequested => self.stop_requested(),
        }
    }

    /// What follows from what just happened, whatever it was.
    fn settle(&mut self) {
        self.held.retain(|_, held| !held.is_done());
        self.start_waiting();
        self.say_ready();
        self.advance_phase();
    }

    pub(super) fn now(&self) -> BootTime {
        self.clock.boot()
    }

    /// The link, once the server has answered the hello.
    pub(super) const fn link(&self) -> Option<&Link> {
        self.connection.link()
    }

    fn next_fence(&self) -> Option<BootTime> {
        self.at_risk().map(|held| held.fence_at).min()
    }

    /// Attempts that may still be doing something.
    fn at_risk(&self) -> impl Iterator<Item = &Held> {
        self.held
            .values()
            .filter(|held| held.is_awaited() && held.is_unfinished())
    }

    /// Nobody renewed these leases: the server may give the tasks to others now, so they end here first.
    fn fence_off(&mut self) {
        let now = self.now();
        let over: Vec<_> = self
            .at_risk()
            .filter(|held| held.fence_at <= now)
            .map(|held| held.key)
            .collect();
        for key in over {
            tracing::warn!(task = %key.task, epoch = key.epoch, "the lease was not renewed: stopping the attempt");
            self.lose(key);
        }
        self.fence = Fence::default();
    }

    /// Ends an attempt that nobody wants to hear about any more.
    pub(super) fn lose(&mut self, key: AttemptKey) {
        if let Some(held) = self.held.get_mut(&key) {
            held.standing = super::held::Standing::Lost;
            held.stop(Cause::LeaseLost);
            self.queue.retain(|waiting| *waiting != key);
        }
    }
}

/// The next self-fencing. The timer is made anew only when its moment changes.
#[derive(Default)]
struct Fence {
    moment: Option<BootTime>,
    sleep: Option<Sleep>,
}

impl Fence {
    fn set(&mut self, moment: Option<BootTime>, clock: &dyn Clock) {
        if self.moment != moment {
            self.moment = moment;
            self.sleep = moment.map(|moment| clock.sleep_until(moment));
        }
    }

    async fn reached(&mut self) {
        match &mut self.sleep {
            Some(sleep) => sleep.await,
            None => std::future::pending().await,
        }
    }
}

/// Ticks from one period after now; late ticks are not made up for.
pub(super) fn every(period: Duration) -> Interval {
    let mut ticks = interval_at(tokio::time::Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

//! How the runner stops: first it finishes, asked again it stops the work, and it leaves when the server has every
//! result or has had time to take it.

use std::time::Duration;

use protocol::agent::{AttemptKey, FromRunner};
use tokio::time::{Instant, sleep_until};
use tracing::info;

use super::dispatcher::Dispatcher;
use super::held::Held;
use crate::attempt::Cause;

/// How long results wait for their acknowledgement when nothing else is left to do. Without it the leases end and
/// the tasks go to others.
const DELIVER_WITHIN: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Working,
    /// Finishing what runs.
    Draining,
    /// Nothing runs; results are on their way.
    Delivering {
        until: Instant,
    },
    Over,
}

impl Phase {
    pub(super) fn is_leaving(self) -> bool {
        self != Self::Working
    }

    pub(super) fn is_over(self) -> bool {
        self == Self::Over
    }

    /// Comes when the time to deliver is over.
    pub(super) async fn leave(self) {
        match self {
            Self::Delivering { until } => sleep_until(until).await,
            Self::Working | Self::Draining | Self::Over => std::future::pending().await,
        }
    }
}

impl Dispatcher {
    pub(super) fn stop_requested(&mut self) {
        match self.phase {
            Phase::Working => self.drain(),
            Phase::Draining => {
                info!("stopping the attempts");
                self.held
                    .values()
                    .for_each(|held| held.stop(Cause::RunnerStopped));
            }
            Phase::Delivering { .. } | Phase::Over => self.phase = Phase::Over,
        }
    }

    fn drain(&mut self) {
        self.phase = Phase::Draining;
        if let Some(link) = self.link() {
            link.say(FromRunner::Draining);
        }
        let waiting: Vec<AttemptKey> = self.queue.iter().copied().collect();
        for key in waiting {
            self.end_unstarted(key, Cause::RunnerStopped);
        }
        let running = self.held.values().filter(|held| held.slot.is_some()).count();
        if running > 0 {
            info!(running, "finishing what runs; a second signal stops it");
        }
    }

    pub(super) fn advance_phase(&mut self) {
        let is_idle = self.held.values().all(|held| held.slot.is_none());
        if self.phase == Phase::Draining && is_idle {
            let until = Instant::now() + DELIVER_WITHIN;
            self.phase = Phase::Delivering { until };
        }
        let is_delivered = !self.held.values().any(Held::is_awaited);
        if matches!(self.phase, Phase::Delivering { .. }) && is_delivered {
            self.phase = Phase::Over;
        }
    }
}

//! The use cases. Each opens its unit of work in the store and wakes whoever follows, after the commit.
//!
//! Requests, sockets, pages and jobs call these and nothing below them.

mod agents;
mod dispatch;
mod error;
mod lease_ends;
mod logs;

mod tasks;
mod watching;

use std::sync::Arc;
use std::time::Duration;

use protocol::task::SpecPolicy;

pub use agents::{AgentHello, Greeting, Reported};
pub use dispatch::{Dispatcher, RunnerHandle, RunnerOffer};
pub use error::ServiceError;
pub use logs::{LogRange, LogReader, LogSelection};

use crate::clock::SharedClock;
use crate::live::{Feed, LogWatch};
use crate::store::Store;

/// How long things last.
#[derive(Debug, Clone, Copy)]
pub struct LeaseTimes {
    /// From a renewal to the end of the lease.
    pub lease: Duration,
    pub heartbeat: Duration,
    /// After a server start no lease ends for this long.
    pub failover_grace: Duration,
}

impl Default for LeaseTimes {
    /// A lease survives two lost heartbeats; a dead runner's task moves within half a minute.
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            heartbeat: Duration::from_secs(10),
            failover_grace: Duration::from_mins(1),
        }
    }
}

/// Everything a use case needs. Cloning is cheap.
#[derive(Clone)]
pub struct Services {
    store: Store,
    clock: SharedClock,
    policy: Arc<SpecPolicy>,
    times: LeaseTimes,
    feed: Feed,
    log_watch: LogWatch,
    dispatcher: Dispatcher,
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services")
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}

impl Services {
    /// Must be called inside a tokio runtime: the event feed starts here.
    pub fn new(store: Store, clock: SharedClock, policy: SpecPolicy, times: LeaseTimes) -> Self {
        let feed = Feed::start(store.clone());
        Self {
            store,
            clock,
            policy: Arc::new(policy),
            times,
            feed,
            log_watch: LogWatch::default(),
            dispatcher: Dispatcher::default(),
        }
    }

    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    pub fn policy(&self) -> &SpecPolicy {
        &self.policy
    }

    pub fn times(&self) -> LeaseTimes {
        self.times
    }

    pub fn dispatcher(&self) -> &Dispatcher {
        &self.dispatcher
    }

    /// Whether the database answers.
    pub async fn is_ready(&self) -> bool {
        match self.store.read().await {
            Ok(mut reader) => crate::store::head_cursor(&mut reader).await.is_ok(),
            Err(_) => false,
        }
    }
}

#[cfg(test)]
mod tests;

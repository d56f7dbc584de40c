//! Where time comes from. Everything that needs the time takes a [`Clock`]; nothing reads the system's by itself.

use std::sync::Arc;
#[cfg(test)]
use std::sync::atomic::{AtomicI64, Ordering};

use protocol::id::TaskId;
use protocol::time::UnixMs;
use uuid::{NoContext, Timestamp, Uuid};

pub trait Clock: Send + Sync {
    fn now(&self) -> UnixMs;
}

pub type SharedClock = Arc<dyn Clock>;

/// The system's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's clock"
    )]
    fn now(&self) -> UnixMs {
        let since_epoch = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        UnixMs::default().plus(since_epoch)
    }
}

/// A clock that a test moves by hand.
#[cfg(test)]
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

#[cfg(test)]
impl ManualClock {
    pub fn at(now: UnixMs) -> Self {
        Self(AtomicI64::new(now.0))
    }

    pub fn advance(&self, span: std::time::Duration) {
        let moved = self.now().plus(span);
        self.0.store(moved.0, Ordering::SeqCst);
    }
}

#[cfg(test)]
impl Clock for ManualClock {
    fn now(&self) -> UnixMs {
        UnixMs(self.0.load(Ordering::SeqCst))
    }
}

/// A new task id: UUIDv7 (RFC 9562), so that ids sort by time of creation.
pub fn new_task_id(now: UnixMs) -> TaskId {
    let ms = u64::try_from(now.0).unwrap_or(0);
    let nanos = u32::try_from(ms % 1000).unwrap_or(0) * 1_000_000;
    TaskId::from_uuid(Uuid::new_v7(Timestamp::from_unix(NoContext, ms / 1000, nanos)))
}

//! Time as a parameter: the wall clock for what people read, and a clock that counts suspend for leases.

use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::time::UnixMs;
use rustix::time::{
    DynamicClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec,
    clock_gettime_dynamic, timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// A moment since boot, time spent asleep included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct BootTime(pub Duration);

impl BootTime {
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// A sleep that ends at a moment of [`Clock::boot`].
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> UnixMs;

    /// The clock that leases are measured by. A laptop that slept through its lease must notice when it wakes, and
    /// the clock behind [`std::time::Instant`] stands still while it sleeps.
    fn boot(&self) -> BootTime;

    fn sleep_until(&self, moment: BootTime) -> Sleep;
}

/// The clocks of the kernel.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where the injected clock reads the real one"
    )]
    fn now(&self) -> UnixMs {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMs(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    fn boot(&self) -> BootTime {
        // Linux has had this clock since 2.6.39; where it is missing every lease seems to have just begun, and the
        // server's own expiry is what ends it.
        let time = clock_gettime_dynamic(DynamicClockId::Boottime).unwrap_or(Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        });
        BootTime(Duration::new(
            u64::try_from(time.tv_sec).unwrap_or_default(),
            u32::try_from(time.tv_nsec).unwrap_or_default(),
        ))
    }

    fn sleep_until(&self, moment: BootTime) -> Sleep {
        match boot_timer(moment) {
            Ok(timer) => Box::pin(async move {
                let _readable = timer.readable().await;
            }),
            // Without the timer the sleep is right except across a suspend.
            Err(_) => Box::pin(tokio::time::sleep(moment.since(self.boot()))),
        }
    }
}

/// A kernel timer that fires at a moment since boot, also right after a suspend that it slept through.
#[expect(
    deprecated,
    reason = "its successor is unsafe to call; the descriptor is owned by the timer and never another one"
)]
fn boot_timer(moment: BootTime) -> io::Result<AsyncFd<OwnedFd>> {
    let timer = timerfd_create(
        TimerfdClockId::Boottime,
        TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
    )?;
    let never = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // An all-zero moment would disarm the timer instead of firing at once.
    let moment = moment.0.max(Duration::from_nanos(1));
    let at = Timespec {
        tv_sec: i64::try_from(moment.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(moment.subsec_nanos()),
    };
    let spec = Itimerspec {
        it_interval: never,
        it_value: at,
    };
    timerfd_settime(&timer, TimerfdTimerFlags::ABSTIME, &spec)?;
    AsyncFd::new(timer)
}

/// A clock that follows tokio's, which tests pause and advance.
#[cfg(test)]
pub(crate) struct TestClock(tokio::time::Instant);

#[cfg(test)]
impl TestClock {
    pub(crate) fn start() -> Self {
        Self(tokio::time::Instant::now())
    }
}

#[cfg(test)]
impl Clock for TestClock {
    fn now(&self) -> UnixMs {
        UnixMs(1_800_000_000_000).plus(self.0.elapsed())
    }

    fn boot(&self) -> BootTime {
        BootTime(self.0.elapsed())
    }

    fn sleep_until(&self, moment: BootTime) -> Sleep {
        Box::pin(tokio::time::sleep_until(self.0 + moment.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_kernel_timer_ends_at_its_moment_and_not_before() {
        let clock = SystemClock;
        let moment = clock.boot().plus(Duration::from_millis(20));
        clock.sleep_until(moment).await;
        assert!(clock.boot() >= moment);
        clock.sleep_until(BootTime::default()).await;
    }
}

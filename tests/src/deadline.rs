//! Waiting for what is to happen, with a bound on the patience and never for a fixed time.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// Far above what anything takes here, so that only what never happens fails, also on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// How often a condition is looked at that tells nobody when it comes true.
const GLANCE: Duration = Duration::from_millis(20);

/// Waits for a future.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let ended = timeout(PATIENCE, future).await;
    ended.unwrap_or_else(|_| panic!("{what}: did not happen within {PATIENCE:?}"))
}

/// Looks again and again until `look` has found something.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    let mut glances = interval(GLANCE);
    glances.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while began.elapsed() < PATIENCE {
        glances.tick().await;
        if let Some(found) = look().await {
            return found;
        }
    }
    panic!("{what}: did not happen within {PATIENCE:?}")
}

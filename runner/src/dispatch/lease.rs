//! When a lease must be given up.

use std::time::Duration;

use crate::clock::BootTime;

/// The longest time before the end of a lease at which the container is killed: a kill takes a moment, and clocks
/// drift apart by less.
const MAX_MARGIN: Duration = Duration::from_secs(3);

/// The moment at which an attempt fences itself, for a lease that was said to last that long, counted from `since`:
/// the moment the runner asked, so that the time the answer took is not counted as leased.
pub(super) fn fence_at(since: BootTime, expires_in_ms: u64) -> BootTime {
    let lasts = Duration::from_millis(expires_in_ms);
    since.plus(lasts.saturating_sub(MAX_MARGIN.min(lasts / 10)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fence_stands_before_the_end() {
        let since = BootTime(Duration::from_secs(100));
        assert_eq!(fence_at(since, 1000).since(since), Duration::from_millis(900));
        assert_eq!(fence_at(since, 60_000).since(since), Duration::from_secs(57));
        assert_eq!(fence_at(since, 0), since);
    }
}

//! Lines of the probe on their way: each carries its number and the time it was printed.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::error::BenchError;
use super::samples::Samples;

/// Receives lines in pieces of any size and notes how old each was.
#[derive(Debug, Default)]
pub struct Lines {
    pending: String,
    seen: u32,
    pub ages: Samples,
}

impl Lines {
    /// Takes what has just arrived. A line that is missing, comes twice or out of order is an error.
    pub fn arrive(&mut self, text: &str) -> Result<(), BenchError> {
        self.arrive_at(text, now())
    }

    fn arrive_at(&mut self, text: &str, now: Duration) -> Result<(), BenchError> {
        self.pending.push_str(text);
        while let Some((line, rest)) = self.pending.split_once('\n') {
            let (number, printed) =
                read(line).ok_or_else(|| BenchError::wrong("a line", format!("{line:?}")))?;
            if number != self.seen + 1 {
                return Err(BenchError::wrong(
                    "a line",
                    format!("{number} after {}", self.seen),
                ));
            }
            self.seen = number;
            self.ages.add(now.saturating_sub(printed));
            self.pending = rest.to_owned();
        }
        Ok(())
    }

    /// Whether all have come.
    pub fn check_complete(&self, contender: &str, expected: u32) -> Result<(), BenchError> {
        if self.seen == expected && self.pending.is_empty() {
            Ok(())
        } else {
            Err(BenchError::wrong(
                contender,
                format!("{} of {expected} lines came", self.seen),
            ))
        }
    }
}

fn read(line: &str) -> Option<(u32, Duration)> {
    let (number, printed) = line.trim_end().split_once(' ')?;
    Some((number.parse().ok()?, Duration::from_nanos(printed.parse().ok()?)))
}

/// The clock of the probe: monotonic, and one for everything on this kernel, containers included.
fn now() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_pieces_are_put_together_and_dated() {
        let mut lines = Lines::default();
        let now = Duration::from_nanos(1500);
        lines.arrive_at("1 1000   \n2 12", now).unwrap();
        lines.arrive_at("00 \n", now).unwrap();
        lines.check_complete("test", 2).unwrap();
        assert_eq!(lines.ages.percentile(0), Duration::from_nanos(300));
        assert_eq!(lines.ages.percentile(100), Duration::from_nanos(500));
    }

    #[test]
    fn what_is_lost_or_comes_twice_is_noticed() {
        let mut lines = Lines::default();
        lines.arrive("1 1000\n").unwrap();
        assert!(lines.arrive("1 1000\n").is_err());
        assert!(Lines::default().arrive("2 1000\n").is_err());
        assert!(lines.check_complete("test", 2).is_err());
    }

    #[test]
    fn the_clock_is_the_one_of_the_probe() {
        let mut lines = Lines::default();
        let printed = now();
        lines
            .arrive(&format!("1 {}{:09}\n", printed.as_secs(), printed.subsec_nanos()))
            .unwrap();
        assert!(lines.ages.percentile(100) < Duration::from_mins(1));
    }
}

//! How long to wait before the next try.

use std::time::Duration;

/// Short enough that a restart of the server goes unnoticed.
const FIRST: Duration = Duration::from_millis(400);
/// Long enough that a forgotten tab costs a server nothing.
const LONGEST: Duration = Duration::from_secs(30);

/// The pause after so many failures in a row. `random` from 0 to 1 spreads it over its upper half, so that the tabs a
/// restart threw out do not all come back in the same instant.
pub fn pause_after(failures: u32, random: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(10);
    let full = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    full.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        assert_eq!(pause_after(1, 1.0), FIRST);
        assert_eq!(pause_after(2, 1.0), FIRST * 2);
        assert_eq!(pause_after(3, 1.0), FIRST * 4);
        assert_eq!(pause_after(20, 1.0), LONGEST);
        assert_eq!(pause_after(u32::MAX, 1.0), LONGEST);
    }

    #[test]
    fn chance_moves_a_pause_within_its_upper_half() {
        assert_eq!(pause_after(1, 0.0), FIRST / 2);
        assert_eq!(pause_after(1, 0.5), FIRST * 3 / 4);
        assert_eq!(pause_after(1, f64::INFINITY), FIRST);
    }
}

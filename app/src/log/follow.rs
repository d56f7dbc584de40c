//! Whether the view runs along with the end of the log.

/// A reader this near the end is at the end: zoomed pages have fractions of pixels.
const NEAR_PX: i32 = 24;

/// Runs along until the reader scrolls up, and again once the reader is back at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowMode {
    pub is_on: bool,
    last_top: i32,
}

impl FollowMode {
    pub const fn new(is_on: bool) -> Self {
        Self { is_on, last_top: 0 }
    }

    /// After a scroll, by the reader or by the view itself. Growth below does not move the top, so only a smaller top
    /// means that somebody scrolled up.
    #[must_use]
    pub fn scrolled(self, top: i32, visible: i32, height: i32) -> Self {
        let is_at_end = height - top - visible <= NEAR_PX;
        Self {
            is_on: is_at_end || (self.is_on && top >= self.last_top),
            last_top: top,
        }
    }

    /// By the button.
    #[must_use]
    pub const fn toggled(self) -> Self {
        Self {
            is_on: !self.is_on,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrolling_up_stops_and_the_end_resumes() {
        let mode = FollowMode::new(true).scrolled(900, 100, 1000);
        assert!(mode.is_on);
        let up = mode.scrolled(700, 100, 1000);
        assert!(!up.is_on);
        assert!(!up.scrolled(800, 100, 1000).is_on, "down, but not to the end");
        assert!(up.scrolled(880, 100, 1000).is_on);
        assert!(up.toggled().is_on);
        assert!(!mode.toggled().is_on);
    }

    #[test]
    fn lines_that_arrive_during_a_scroll_do_not_stop_it() {
        let mode = FollowMode::new(true).scrolled(900, 100, 1000);
        assert!(mode.scrolled(900, 100, 1400).is_on);
        assert!(mode.scrolled(1300, 100, 1900).is_on);
    }
}

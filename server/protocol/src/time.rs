//! Points in time as they travel: UTC milliseconds since the Unix epoch. Nothing here reads a clock.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// UTC milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMs(pub i64);

impl UnixMs {
    /// The later moment, saturating at the end of time.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads an RFC 3339 time, such as `2026-11-23T10:00:00Z`.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        text.parse::<Timestamp>().ok().map(|at| Self(at.as_millisecond()))
    }

    /// RFC 3339 in UTC with whole seconds: the value of `<time datetime>`.
    pub fn to_rfc3339(self) -> String {
        Timestamp::from_millisecond(self.0)
            .map(|at| at.round(jiff::Unit::Second).unwrap_or(at).to_string())
            .unwrap_or_default()
    }
}

impl fmt::Display for UnixMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

/// A span in words a person reads at a glance: `850 ms`, `12.3 s`, `5 min 02 s`, `3 h 10 min`.
pub fn span_in_words(span: Duration) -> String {
    let ms = span.as_millis();
    let secs = span.as_secs();
    match secs {
        0 => format!("{ms} ms"),
        1..60 => format!("{secs}.{} s", ms % 1000 / 100),
        60..3600 => format!("{} min {:02} s", secs / 60, secs % 60),
        _ => format!("{} h {:02} min", secs / 3600, secs % 3600 / 60),
    }
}

/// How long ago something was: `just now`, `40 s ago`, `5 min ago`, `3 h ago`, `12 days ago`.
pub fn ago_in_words(age: SignedDuration) -> String {
    let secs = age.as_secs();
    match secs {
        ..5 => "just now".to_owned(),
        5..60 => format!("{secs} s ago"),
        60..3600 => format!("{} min ago", secs / 60),
        3600..172_800 => format!("{} h ago", secs / 3600),
        _ => format!("{} days ago", secs / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_both_ways() {
        let at = UnixMs::from_rfc3339("2026-11-23T04:09:46Z").unwrap();
        assert_eq!(at.to_rfc3339(), "2026-11-23T04:09:46Z");
        assert_eq!(UnixMs::from_rfc3339("yesterday"), None);
    }

    #[test]
    fn spans_read_naturally() {
        assert_eq!(span_in_words(Duration::from_millis(850)), "850 ms");
        assert_eq!(span_in_words(Duration::from_millis(12_340)), "12.3 s");
        assert_eq!(span_in_words(Duration::from_secs(302)), "5 min 02 s");
        assert_eq!(span_in_words(Duration::from_mins(190)), "3 h 10 min");
    }
}

//! Quantities people write with units: memory `512m`, processors `1.0`, time `5m`. One reading for task and YAML.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

/// Why a text is not a quantity. The message names the form that is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseQuantityError {
    #[error("must be a size such as 64k, 512m or 2g (units of 1024), not {0:?}")]
    Size(String),
    #[error("must be a number of processors such as 0.5 or 2, not {0:?}")]
    Cpus(String),
    #[error("must be a time such as 500ms, 30s, 5m or 2h, not {0:?}")]
    Span(String),
}

macro_rules! text_form {
    ($name:ident) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?
                    .parse()
                    .map_err(serde::de::Error::custom)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

/// A number of bytes. Text form as Docker's: a whole number and `b`, `k`, `m` or `g`, in steps of 1024.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

text_form!(ByteSize);

impl ByteSize {
    pub const fn kib(n: u64) -> Self {
        Self(n * 1024)
    }

    pub const fn mib(n: u64) -> Self {
        Self(n * 1024 * 1024)
    }

    pub const fn gib(n: u64) -> Self {
        Self(n * 1024 * 1024 * 1024)
    }

    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = ParseQuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || ParseQuantityError::Size(shorten(text));
        let lower = text.to_ascii_lowercase();
        let at = lower.find(|c: char| !c.is_ascii_digit()).unwrap_or(lower.len());
        let (digits, unit) = lower.split_at(at);
        let shift = match unit {
            "" | "b" => 0,
            "k" | "kb" | "kib" => 10,
            "m" | "mb" | "mib" => 20,
            "g" | "gb" | "gib" => 30,
            _ => return Err(fail()),
        };
        let count: u64 = digits.parse().map_err(|_| fail())?;
        count.checked_mul(1 << shift).map(Self).ok_or_else(fail)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, shift) in [("g", 30), ("m", 20), ("k", 10)] {
            if self.0 != 0 && self.0 & ((1_u64 << shift) - 1) == 0 {
                return write!(f, "{}{unit}", self.0 >> shift);
            }
        }
        write!(f, "{}", self.0)
    }
}

/// Processor time per wall time, in thousandths of a core. Text form `1.0`, at most three decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cpus {
    pub millis: u32,
}

text_form!(Cpus);

impl Cpus {
    pub const fn from_millis(millis: u32) -> Self {
        Self { millis }
    }
}

impl FromStr for Cpus {
    type Err = ParseQuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || ParseQuantityError::Cpus(shorten(text));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !is_digits(whole) || !is_digits(fraction) || fraction.len() > 3 {
            return Err(fail());
        }
        let whole: u32 = whole.parse().map_err(|_| fail())?;
        let fraction: u32 = format!("{fraction:0<3}").parse().map_err(|_| fail())?;
        let millis = whole
            .checked_mul(1000)
            .and_then(|w| w.checked_add(fraction))
            .ok_or_else(fail)?;
        Ok(Self { millis })
    }
}

impl fmt::Display for Cpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:03}", self.millis % 1000);
        let fraction = fraction.trim_end_matches('0');
        write!(
            f,
            "{}.{}",
            self.millis / 1000,
            if fraction.is_empty() { "0" } else { fraction }
        )
    }
}

/// A length of time. Text form: whole numbers with `ms`, `s`, `m`, `h` or `d`, largest first (`1h30m`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Duration);

text_form!(Span);

impl Span {
    pub const fn from_secs(secs: u64) -> Self {
        Self(Duration::from_secs(secs))
    }

    /// Whole milliseconds; every reading bounds spans far below the 64 bits.
    pub fn millis(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }
}

const SPAN_UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

impl FromStr for Span {
    type Err = ParseQuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || ParseQuantityError::Span(shorten(text));
        let mut rest = text;
        let mut total_ms = 0_u64;
        let mut smallest = u64::MAX;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(fail)?;
            let (count, tail) = rest.split_at(digits);
            let unit_len = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(unit_len);
            let (_, unit_ms) = SPAN_UNITS
                .iter()
                .find(|(name, _)| *name == unit)
                .ok_or_else(fail)?;
            if *unit_ms >= smallest {
                return Err(fail());
            }
            smallest = *unit_ms;
            let count: u64 = count.parse().map_err(|_| fail())?;
            let part = count.checked_mul(*unit_ms).ok_or_else(fail)?;
            total_ms = total_ms.checked_add(part).ok_or_else(fail)?;
            rest = tail;
        }
        if smallest == u64::MAX {
            Err(fail())
        } else {
            Ok(Self(Duration::from_millis(total_ms)))
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.millis();
        if rest == 0 {
            return f.write_str("0s");
        }
        for (unit, unit_ms) in SPAN_UNITS {
            if rest >= unit_ms {
                write!(f, "{}{unit}", rest / unit_ms)?;
                rest %= unit_ms;
            }
        }
        Ok(())
    }
}

/// The part of a bad text that is worth repeating in a message.
fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes() {
        assert_eq!("512m".parse(), Ok(ByteSize::mib(512)));
        assert_eq!("2G".parse(), Ok(ByteSize::gib(2)));
        assert_eq!("100".parse(), Ok(ByteSize(100)));
        assert_eq!(ByteSize::mib(512).to_string(), "512m");
        for bad in ["", "m", "1.5g", "-1m", "1t", "99999999999999999999g", "1 m"] {
            assert!(bad.parse::<ByteSize>().is_err(), "{bad}");
        }
    }

    #[test]
    fn processors() {
        assert_eq!("1.0".parse(), Ok(Cpus::from_millis(1000)));
        assert_eq!("0.25".parse(), Ok(Cpus::from_millis(250)));
        assert_eq!("2".parse::<Cpus>().unwrap().to_string(), "2.0");
        for bad in ["", ".5", "1.", "-1", "NaN", "1e3", "0.0001", "99999999999"] {
            assert!(bad.parse::<Cpus>().is_err(), "{bad}");
        }
    }

    #[test]
    fn spans() {
        assert_eq!("5m".parse(), Ok(Span::from_secs(300)));
        assert_eq!("1h30m".parse(), Ok(Span::from_secs(5400)));
        assert_eq!("500ms".parse(), Ok(Span(Duration::from_millis(500))));
        assert_eq!(Span::from_secs(5400).to_string(), "1h30m");
        for bad in [
            "",
            "5",
            "m",
            "5x",
            "1m1h",
            "1m1m",
            "-1s",
            "1.5h",
            "99999999999999999999s",
        ] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn text_forms_round_trip(bytes: u64, millis: u32, ms in 0..u64::MAX) {
            prop_assert_eq!(ByteSize(bytes).to_string().parse(), Ok(ByteSize(bytes)));
            prop_assert_eq!(Cpus { millis }.to_string().parse(), Ok(Cpus { millis }));
            let span = Span(Duration::from_millis(ms));
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }
    }
}

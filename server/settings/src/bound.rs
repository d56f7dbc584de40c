//! Bounds for values that parse and still make no sense.

use std::fmt::Display;

use serde::de::{Deserialize, Deserializer, Error};

/// Reads a value and refuses it outside `min..=max`; for the body of a `deserialize_with` function.
pub fn between<'de, D, T>(deserializer: D, min: &T, max: &T) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + PartialOrd + Display,
{
    let value = T::deserialize(deserializer)?;
    if value < *min || value > *max {
        return Err(D::Error::custom(format_args!(
            "must be from {min} to {max}, not {value}"
        )));
    }
    Ok(value)
}

//! Identifiers. Each is a `UUIDv7` (RFC 9562) in its own type, so that a runner's id cannot be passed as a task's.
//!
//! They sort by creation time, which is why they double as paging cursors. They are made by the server alone, from
//! its injected clock.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is not a UUID where an identifier was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier: expected a UUID such as 0198c0de-0000-7000-8000-000000000000")]
pub struct ParseIdError;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                // Only the hyphenated form, so that one task has one URL.
                if text.len() != 36 {
                    return Err(ParseIdError);
                }
                Uuid::parse_str(text).map(Self).map_err(|_| ParseIdError)
            }
        }
    };
}

id!(
    /// A task, for as long as its record exists.
    TaskId
);
id!(
    /// A runner installation. It survives restarts of the runner, not a wiped data folder.
    RunnerId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_other_forms_are_refused() {
        let text = "0198c0de-0000-7000-8000-000000000001";
        let id: TaskId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        for bad in [
            "",
            "1",
            "0198c0de000070008000000000000001",
            "{0198c0de-0000-7000-8000-000000000001}",
        ] {
            assert_eq!(bad.parse::<TaskId>(), Err(ParseIdError), "{bad}");
        }
    }
}

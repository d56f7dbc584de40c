//! Why a program does not start with the configuration it was given.

use std::fmt::{self, Display};
use std::io;
use std::path::PathBuf;

use serde::de::{self, Expected, Unexpected};

use crate::tree::Origin;

#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("{}: cannot be read", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{origin}: not valid YAML: {problem}")]
    Syntax { origin: Origin, problem: String },
    #[error("{origin}: {key}: {problem}")]
    Key {
        origin: Origin,
        key: String,
        problem: String,
    },
}

/// A problem on its way out of serde, which learns its place from the innermost value it passes.
#[derive(Debug)]
pub(crate) struct ReadError {
    pub(crate) problem: String,
    pub(crate) place: Option<(Origin, String)>,
}

impl ReadError {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            place: None,
        }
    }

    pub(crate) fn at(mut self, origin: &Origin, key: &str) -> Self {
        self.place.get_or_insert_with(|| (origin.clone(), key.to_owned()));
        self
    }
}

impl Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for ReadError {}

impl de::Error for ReadError {
    fn custom<T: Display>(problem: T) -> Self {
        Self::new(problem.to_string())
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("must be {expected}, not {unexpected}"))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("must be {expected}, not {unexpected}"))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("must be one of {}, not {variant:?}", expected.join(", ")))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        let mut known = expected.to_vec();
        known.sort_unstable();
        Self::new(format!("no such key; known here: {}", known.join(", ")))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("the key {field} is missing"))
    }
}

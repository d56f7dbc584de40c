//! Why a cell has no figures.

use std::io;

#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error("there is no cell {name:?}; the cells are {known}")]
    NoSuchCell { name: String, known: String },
    #[error("{what} cannot be installed: {complaint}")]
    Install { what: &'static str, complaint: String },
    /// A time for a wrong answer is worth nothing.
    #[error("{contender}: {what}")]
    WrongAnswer { contender: String, what: String },
    #[error("{what}")]
    Io {
        what: String,
        #[source]
        source: io::Error,
    },
    #[error("the report cannot be written")]
    Json(#[from] serde_json::Error),
}

impl BenchError {
    pub fn wrong(contender: &str, what: impl Into<String>) -> Self {
        Self::WrongAnswer {
            contender: contender.to_owned(),
            what: what.into(),
        }
    }

    /// For `map_err`: says what was being done.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

//! What can go wrong on the command line, in words and as exit code.

use std::error::Error;
use std::fmt::Write;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use client::ClientError;
use protocol::error::{ErrorCode, Problem};

use super::filter::printable;

#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("cannot read {}", path.display())]
    ReadFile {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot write the output")]
    Write(#[source] io::Error),
    #[error("cannot start")]
    Runtime(#[source] io::Error),
    #[error("{0:?} is not a volume: expected NAME:PATH")]
    BadVolume(String),
    #[error("options before `server` and `runner` are not understood: write them after it")]
    OptionBeforeSibling,
    #[error("{name} is not installed: it is neither beside this program nor on PATH")]
    NoSibling { name: &'static str },
    #[error("cannot start {}", path.display())]
    StartSibling {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl CliError {
    /// Says it on standard error, as a problem document if JSON was asked for and the server sent one.
    pub fn report(&self, is_json: bool) -> ExitCode {
        if let Self::Write(source) = self
            && source.kind() == io::ErrorKind::BrokenPipe
        {
            // Whoever read our output has enough; `parity task list | head` is no failure.
            return ExitCode::SUCCESS;
        }
        match self {
            Self::Client(ClientError::Refused(problem)) if is_json => {
                anstream::eprintln!("{}", serde_json::to_string(problem).unwrap_or_default());
            }
            Self::Client(ClientError::Refused(problem)) => anstream::eprint!("{}", problem_in_words(problem)),
            _ => anstream::eprintln!("parity: {}", printable(&chain_in_words(self))),
        }
        ExitCode::from(self.exit_code())
    }

    /// As `--help` promises.
    fn exit_code(&self) -> u8 {
        match self {
            Self::Client(ClientError::BadAddress(_)) | Self::BadVolume(_) | Self::OptionBeforeSibling => 2,
            Self::Client(error) => match error.code() {
                Some(ErrorCode::NotFound) => 4,
                Some(ErrorCode::Conflict) => 5,
                _ if error.is_network() => 6,
                _ => 1,
            },
            _ => 1,
        }
    }
}

fn chain_in_words(error: &CliError) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_words = cause.to_string();
        // Some libraries repeat their source in their own words.
        if !words.contains(&cause_words) {
            words.push_str(": ");
            words.push_str(&cause_words);
        }
        source = cause.source();
    }
    words
}

fn problem_in_words(problem: &Problem) -> String {
    let mut words = format!("parity: {}\n", problem.detail);
    // The detail of a single wrong field already names it.
    if problem.errors.len() > 1 {
        for error in &problem.errors {
            // Writing to a String cannot fail.
            let _ = writeln!(words, "  {}: {}", error.pointer, error.detail);
        }
    }
    if let (ErrorCode::Internal, Some(id)) = (problem.code, &problem.request_id) {
        let _ = writeln!(words, "  request {id}");
    }
    printable(&words)
}

#[cfg(test)]
mod tests {
    use protocol::error::{ApiError, FieldError};

    use super::*;

    fn refused(code: ErrorCode) -> CliError {
        let problem = Problem::new(ApiError::new(code, "no"), Some("r-1".to_owned()));
        CliError::Client(ClientError::Refused(Box::new(problem)))
    }

    #[test]
    fn exit_codes_are_the_promised_ones() {
        assert_eq!(refused(ErrorCode::NotFound).exit_code(), 4);
        assert_eq!(refused(ErrorCode::Conflict).exit_code(), 5);
        assert_eq!(refused(ErrorCode::Unavailable).exit_code(), 6);
        assert_eq!(refused(ErrorCode::InvalidInput).exit_code(), 1);
        let server = "http://x".to_owned();
        assert_eq!(CliError::Client(ClientError::TimedOut { server }).exit_code(), 6);
        assert_eq!(CliError::BadVolume("x".to_owned()).exit_code(), 2);
    }

    #[test]
    fn every_wrong_field_has_its_line_and_hostile_text_cannot_move_the_cursor() {
        let field = |pointer: &str, detail: &str| FieldError {
            pointer: pointer.to_owned(),
            detail: detail.to_owned(),
        };
        let errors = vec![
            field("/title", "is missing"),
            field("/\x1b[2J", "is not a known field"),
        ];
        let problem = Problem::new(ApiError::invalid_input(errors), None);
        assert_eq!(
            problem_in_words(&problem),
            "parity: 2 fields are not valid\n  /title: is missing\n  /^[[2J: is not a known field\n"
        );
    }

    #[test]
    fn causes_are_told_once() {
        let error = CliError::Write(io::Error::other("disk full"));
        assert_eq!(chain_in_words(&error), "cannot write the output: disk full");
    }
}

//! Where data goes and how it looks there.

use std::io::{self, IsTerminal, Write};

use protocol::task::TaskStatus;
use serde::Serialize;

use super::error::CliError;

/// How standard output is to look.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    pub is_json: bool,
    pub is_terminal: bool,
}

impl Output {
    pub fn new(is_json: bool) -> Self {
        Self {
            is_json,
            is_terminal: io::stdout().is_terminal(),
        }
    }
}

/// One JSON document on one line.
pub fn print_json(value: &impl Serialize) -> Result<(), CliError> {
    let mut line = serde_json::to_string(value).map_err(client::ClientError::Unreadable)?;
    line.push('\n');
    print_bytes(line.as_bytes())
}

/// Bytes as they are, at once.
pub fn print_bytes(bytes: &[u8]) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(bytes)
        .and_then(|()| stdout.flush())
        .map_err(CliError::Write)
}

/// Text that may hold colours, which anything but a terminal, and `NO_COLOR`, goes without.
pub fn print_text(text: &str) -> Result<(), CliError> {
    let mut stdout = anstream::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(CliError::Write)
}

/// A word for people beside the data.
pub fn note(text: &str) {
    anstream::eprintln!("{text}");
}

/// The status in the colour of its kind, padded so that a column stays a column.
pub fn painted(status: TaskStatus, width: usize) -> String {
    let colour = match status {
        TaskStatus::Succeeded => "32",
        TaskStatus::Failed | TaskStatus::Expired => "31",
        TaskStatus::Leased | TaskStatus::Running => "36",
        TaskStatus::AwaitingFunding | TaskStatus::Queued => "33",
        TaskStatus::Cancelled => "2",
    };
    format!("\x1b[{colour}m{:width$}\x1b[0m", status.as_str())
}

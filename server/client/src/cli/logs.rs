//! `parity task logs`, and the waiting of `parity task create --wait`.

use std::process::ExitCode;
use std::time::Duration;

use client::{Client, ClientError, FollowItem, LogQuery};
use protocol::id::TaskId;
use protocol::live::{ClientMessage, ServerMessage};

use super::error::CliError;
use super::filter::TerminalFilter;
use super::output::{Output, note, print_bytes, print_json};

/// Fruitless sockets in a row, half a minute of them, until the server counts as gone.
const MAX_DROPS: u32 = 60;
const DROP_PAUSE: Duration = Duration::from_millis(500);

pub async fn run(client: &Client, id: TaskId, follow: bool, output: Output) -> Result<ExitCode, CliError> {
    match (output.is_json, follow) {
        (true, true) => follow_chunks(client, id).await?,
        (true, false) => print_chunks(client, id).await?,
        (false, true) => self::follow(client, id, Sink::for_log(output)).await?,
        (false, false) => print(client, id, Sink::for_log(output)).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the log as it grows, to the end of the task.
pub async fn follow(client: &Client, id: TaskId, mut sink: Sink) -> Result<(), CliError> {
    let mut log = client.follow_log(id);
    while let Some(item) = log.next().await? {
        match item {
            FollowItem::Bytes(bytes) => sink.push(&bytes)?,
            FollowItem::NewAttempt { epoch } => note(&format!("attempt {epoch} begins; its log starts anew")),
        }
    }
    sink.finish()
}

async fn print(client: &Client, id: TaskId, mut sink: Sink) -> Result<(), CliError> {
    let mut body = client.log(id, &LogQuery::default()).await?;
    while let Some(bytes) = body.chunk().await.map_err(ClientError::BrokenOff)? {
        sink.push(&bytes)?;
    }
    sink.finish()
}

/// One chunk as JSON per line.
async fn print_chunks(client: &Client, id: TaskId) -> Result<(), CliError> {
    let mut from_seq = 0;
    let mut epoch = None;
    loop {
        let page = client.log_page(id, epoch, from_seq).await?;
        for chunk in &page.chunks {
            print_json(chunk)?;
        }
        if page.complete || page.chunks.is_empty() {
            return Ok(());
        }
        (epoch, from_seq) = (Some(page.epoch), page.next_seq);
    }
}

/// The same as it grows. A socket that drops is opened again from the chunk after the last.
async fn follow_chunks(client: &Client, id: TaskId) -> Result<(), CliError> {
    let mut have = Have::default();
    let mut failures = 0;
    loop {
        let before = have;
        match read_live(client, id, &mut have).await {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(CliError::Client(error)) if error.is_network() && failures < MAX_DROPS => {}
            Err(error) => return Err(error),
        }
        failures = if have == before { failures + 1 } else { 0 };
        tokio::time::sleep(DROP_PAUSE).await;
        // Tells a task that never was from a socket that dropped.
        if let Err(error) = client.task(id).await
            && !error.is_network()
        {
            return Err(error.into());
        }
    }
}

/// How much of the log was printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Have {
    epoch: u64,
    next_seq: u64,
}

/// Prints what one socket brings. True at the end of the log, false when the socket ended before.
async fn read_live(client: &Client, task: TaskId, have: &mut Have) -> Result<bool, CliError> {
    let mut live = client.live().await?;
    let follow = ClientMessage::FollowLog {
        task,
        epoch: have.epoch,
        from_seq: have.next_seq,
    };
    live.send(&follow).await?;
    while let Some(message) = live.next().await? {
        match message {
            ServerMessage::Log {
                epoch,
                chunks,
                next_seq,
                ..
            } => {
                for chunk in &chunks {
                    print_json(chunk)?;
                }
                *have = Have { epoch, next_seq };
            }
            ServerMessage::LogEnd { .. } => return Ok(true),
            _ => {}
        }
    }
    Ok(false)
}

/// Where a log goes: raw bytes into a pipe, harmless text onto a terminal.
pub enum Sink {
    Pipe,
    Terminal(TerminalFilter),
    Nowhere,
}

impl Sink {
    pub fn for_log(output: Output) -> Self {
        if output.is_terminal {
            Self::Terminal(TerminalFilter::default())
        } else {
            Self::Pipe
        }
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        match self {
            Self::Pipe => print_bytes(bytes),
            Self::Terminal(filter) => print_bytes(filter.push(bytes).as_bytes()),
            Self::Nowhere => Ok(()),
        }
    }

    fn finish(self) -> Result<(), CliError> {
        match self {
            Self::Terminal(filter) => print_bytes(filter.finish().as_bytes()),
            Self::Pipe | Self::Nowhere => Ok(()),
        }
    }
}

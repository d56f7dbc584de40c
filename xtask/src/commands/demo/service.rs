//! A program of ours that runs until it is stopped, its log in a file, what it says on standard output as
//! events.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc::Sender,
    thread,
    time::Duration,
};

use anyhow::Context;

use super::once::EndedTask;
use crate::process::Running;

/// What the demo waits for.
pub enum Event {
    Interrupted,
    Said {
        service: &'static str,
        line: String,
    },
    Ended {
        service: &'static str,
    },
    /// The one task of `--once` reached its end, or could not be followed.
    Finished(anyhow::Result<EndedTask>),
}

pub struct Service {
    name: &'static str,
    running: Running,
    log: PathBuf,
}

impl Drop for Service {
    fn drop(&mut self) {
        if self.running.stop(STOP_PAUSES) {
            eprintln!(
                "the {} did not stop when asked and was killed; {}",
                self.name,
                self.log_tail()
            );
        }
    }
}

/// The first SIGTERM lets tasks end, the second cancels them; then patience is over.
const STOP_PAUSES: &[Duration] = &[Duration::from_secs(3), Duration::from_secs(15)];

impl Service {
    pub fn start(
        name: &'static str,
        mut command: Command,
        data: &Path,
        events: &Sender<Event>,
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(data).with_context(|| format!("cannot make {}", data.display()))?;
        let log = data.join(format!("{name}.log"));
        let ended = events.clone();
        command.stdout(Stdio::piped()).stderr(File::create(&log)?);
        // Nobody listening means the demo is over already.
        let mut running = Running::start(&mut command, move || {
            drop(ended.send(Event::Ended { service: name }));
        })
        .with_context(|| format!("cannot start the {name}"))?;
        let output = running.take_stdout().context("the output was piped")?;
        let said = events.clone();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Reading on although nobody listens keeps the pipe from filling up.
                let _ = said.send(Event::Said { service: name, line });
            }
        });
        Ok(Self { name, running, log })
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The end of its log, for messages.
    pub fn log_tail(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        let tail = lines[lines.len().saturating_sub(15)..].join("\n");
        format!("its log ({}) ends:\n{tail}", self.log.display())
    }
}

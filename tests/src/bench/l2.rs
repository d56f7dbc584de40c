//! L2: how old a line of log is when the browser's socket has it.

use std::time::Duration;

use protocol::live::{ClientMessage, ServerMessage};
use protocol::task::TaskStatus;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::attach::Attached;
use super::buildbot::Buildbot;
use super::cells::Form;
use super::error::BenchError;
use super::machine::cpu_of;
use super::probe_image::ProbeImage;
use super::report::Report;
use super::samples::{Samples, micros, millis};
use super::stream::Lines;
use crate::deadline::within;
use crate::engine::TestEngine;
use crate::runner::TestRunner;
use crate::server::{TestServer, temporary_folder};
use crate::task::Task;

pub const METHOD: &str = "\
A container prints a line of 90 bytes every 20 ms that carries the time of its printing. The clock is CLOCK_MONOTONIC,
which the container shares with everything on the kernel, read by a small program put into an image of its own, because
the clocks of busybox are too coarse or cost a process per line. Ours is the whole way: container, engine, runner,
server, SQLite, live socket. The floor is the engine's own attach stream. buildbot runs the same program on its worker,
without a container, and its page fetches what its socket announces. The other peer is an emulation of what common CI
runners do, which send what has gathered every 3 s; it reads the same attach stream and its transport costs nothing.";

/// As GitLab's runner does it.
const PATCH_INTERVAL: Duration = Duration::from_secs(3);

/// How many lines, how fast.
#[derive(Debug, Clone, Copy)]
struct Pace {
    lines: u32,
    pause_ms: u32,
}

impl Pace {
    fn command(self) -> [String; 4] {
        [
            ProbeImage::PROGRAM.to_owned(),
            "clock".to_owned(),
            self.lines.to_string(),
            self.pause_ms.to_string(),
        ]
    }
}

#[derive(Debug, Default)]
struct Figures {
    ours: Ours,
    floor: Samples,
    /// Empty in the short form.
    buildbot: Samples,
    patched: Samples,
}

#[derive(Debug, Default)]
struct Ours {
    ages: Samples,
    server_cpu: Samples,
    runner_cpu: Samples,
}

pub async fn run(form: Form) -> Result<Report, BenchError> {
    let engine = TestEngine::connect();
    let image = ProbeImage::make(&engine)?;
    let server = TestServer::start().await;
    let runner = TestRunner::start(&server, &engine).await;
    let pace = form.pick(
        Pace {
            lines: 250,
            pause_ms: 20,
        },
        Pace {
            lines: 30,
            pause_ms: 2,
        },
    );
    let patch_interval = form.pick(PATCH_INTERVAL, Duration::from_millis(40));
    let scratch = temporary_folder();
    let mut buildbot = match form {
        Form::Full => Some(Buildbot::start(scratch.path(), pace.lines, pace.pause_ms).await?),
        Form::Check => None,
    };
    let mut figures = Figures::default();
    for _ in 0..form.pick(4, 1) {
        figures.ours.round(&server, &runner, pace).await?;
        figures.floor.extend(attached(&image, pace).await?);
        if let Some(buildbot) = &mut buildbot {
            figures.buildbot.extend(buildbot.round().await?);
        }
        figures.ours.round(&server, &runner, pace).await?;
        figures
            .patched
            .extend(patched_every(patch_interval, &image, pace).await?);
    }
    Ok(figures.report())
}

impl Ours {
    async fn round(
        &mut self,
        server: &TestServer,
        runner: &TestRunner,
        pace: Pace,
    ) -> Result<(), BenchError> {
        let before = (cpu_of(server.pid()), cpu_of(runner.pid()));
        let user = server.user();
        let command = pace.command();
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let task = Task::running(&words).with("/environment/config/image", json!(ProbeImage::NAME));
        let id = user.posts(&task).await;
        let mut live = user.live().await;
        let follow = ClientMessage::FollowLog {
            task: id,
            epoch: 0,
            from_seq: 0,
        };
        live.send(&follow)
            .await
            .map_err(|error| BenchError::wrong("parity", error.to_string()))?;
        let mut lines = Lines::default();
        loop {
            match within("the log goes on", live.next()).await {
                Ok(Some(ServerMessage::Log { chunks, .. })) => {
                    for chunk in chunks {
                        lines.arrive(&chunk.text)?;
                    }
                }
                Ok(Some(ServerMessage::LogEnd { .. })) => break,
                Ok(Some(ServerMessage::Hello { .. })) => {}
                other => return Err(BenchError::wrong("parity", format!("{other:?}"))),
            }
        }
        lines.check_complete("parity", pace.lines)?;
        let status = user.sees_end(id).await.status;
        if status != TaskStatus::Succeeded {
            return Err(BenchError::wrong("parity", format!("the task ended {status:?}")));
        }
        self.ages.extend(lines.ages);
        self.server_cpu
            .add((cpu_of(server.pid()).saturating_sub(before.0)) / pace.lines);
        self.runner_cpu
            .add((cpu_of(runner.pid()).saturating_sub(before.1)) / pace.lines);
        Ok(())
    }
}

/// The floor: what the engine itself takes to hand a line on.
async fn attached(image: &ProbeImage, pace: Pace) -> Result<Samples, BenchError> {
    let mut container = Attached::start(image, &pace.command()).await?;
    let mut lines = Lines::default();
    while let Some(text) = container.read().await? {
        lines.arrive(&text)?;
    }
    lines.check_complete("attach", pace.lines)?;
    Ok(lines.ages)
}

/// The emulated peer: what has gathered is handed on every so often.
async fn patched_every(pause: Duration, image: &ProbeImage, pace: Pace) -> Result<Samples, BenchError> {
    let mut container = Attached::start(image, &pace.command()).await?;
    let (sender, mut pieces) = mpsc::unbounded_channel();
    // On a task of its own: a read that is given up for a patch would lose what it had read so far.
    let reading = tokio::spawn(async move {
        while let Some(text) = container.read().await? {
            // Nobody listens any more when a line was wrong, and then the container goes too.
            if sender.send(text).is_err() {
                break;
            }
        }
        Ok::<(), BenchError>(())
    });
    let mut lines = Lines::default();
    let mut gathered = String::new();
    let mut patches = interval(pause);
    patches.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            piece = pieces.recv() => match piece {
                Some(text) => gathered.push_str(&text),
                None => break,
            },
            _ = patches.tick() => lines.arrive(&std::mem::take(&mut gathered))?,
        }
    }
    reading
        .await
        .map_err(|error| BenchError::wrong("patches", error.to_string()))??;
    // The last patch leaves with the end of the job.
    lines.arrive(&gathered)?;
    lines.check_complete("patches", pace.lines)?;
    Ok(lines.ages)
}

impl Figures {
    fn report(&self) -> Report {
        let mut report = Report::default();
        let ours = &self.ours;
        report.row("parity: lines", f64::from(ours.ages.count()), "");
        for (name, ages) in [
            ("parity", &ours.ages),
            ("floor (attach)", &self.floor),
            ("buildbot", &self.buildbot),
            ("emulated 3 s patches", &self.patched),
        ] {
            report.row(format!("{name}: age of a line, p50"), ages.p50_ms(), "ms");
            report.row(
                format!("{name}: age of a line, p99"),
                millis(ages.percentile(99)),
                "ms",
            );
        }
        let (server, runner) = (ours.server_cpu.percentile(50), ours.runner_cpu.percentile(50));
        report.row(
            "parity: processor time of the server per line",
            micros(server),
            "us",
        );
        report.row(
            "parity: processor time of the runner per line",
            micros(runner),
            "us",
        );
        let age = ours.ages.p50_ms();
        report.ratio("age of a line in ms, p50", age, 15.0);
        report.ratio("age of a line in ms, p99", millis(ours.ages.percentile(99)), 50.0);
        report.against("ours / floor", age, self.floor.p50_ms(), 20.0);
        report.against("ours / buildbot", age, self.buildbot.p50_ms(), 1.0);
        report.against("ours / emulated 3 s patches", age, self.patched.p50_ms(), 0.01);
        report
    }
}

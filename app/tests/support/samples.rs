//! Tasks, logs and runners in the states that pages show.

use protocol::id::{RunnerId, TaskId};
use protocol::log::{LogChunkView, LogPage, LogStream};
use protocol::outcome::{Outcome, OutcomeReason, Usage};
use protocol::runner::{Capabilities, RunnerStatus, RunnerView};
use protocol::task::{
    AttemptView, PaymentStatus, SpecPolicy, TaskStatus, TaskStep, TaskView, TimelineEntry, parse_task,
};
use protocol::time::UnixMs;

const REQUEST: &str = r#"{ "title": "Docker Task", "type": "docker",
    "config": { "command": ["echo", "hello world"] },
    "environment": { "type": "docker", "config": { "image": "alpine:latest", "env": ["KEY=value"] } },
    "reward": 100 }"#;

pub fn task_id(number: u32) -> TaskId {
    format!("0198c0de-0000-7000-8000-{number:012}").parse().unwrap()
}

fn runner_id() -> RunnerId {
    "0198c0de-0000-7000-8000-00000000000a".parse().unwrap()
}

fn at(seconds: i64) -> UnixMs {
    UnixMs(1_795_406_986_000 + seconds * 1000)
}

pub fn queued_task(number: u32) -> TaskView {
    TaskView {
        id: task_id(number),
        revision: 1,
        status: TaskStatus::Queued,
        payment: PaymentStatus::Unpriced,
        spec: parse_task(REQUEST, &SpecPolicy::default()).unwrap(),
        epoch: 0,
        posted_at: at(0),
        deadline_at: at(86_400),
        leased_at: None,
        started_at: None,
        finished_at: None,
        cancel_requested_at: None,
        outcome: None,
        attempts: Vec::new(),
        timeline: vec![step(1, 0, TaskStep::Posted, None)],
        cursor: 1,
    }
}

pub fn running_task(number: u32) -> TaskView {
    let mut task = queued_task(number);
    (task.status, task.revision, task.epoch) = (TaskStatus::Running, 3, 1);
    (task.leased_at, task.started_at) = (Some(at(1)), Some(at(3)));
    task.attempts.push(attempt(1, 1, None));
    task.timeline
        .push(step(2, 1, TaskStep::Leased, Some("cellar-01")));
    task.timeline.push(step(3, 3, TaskStep::Started, None));
    task
}

pub fn failed_task(number: u32) -> TaskView {
    let mut task = running_task(number);
    (task.status, task.revision, task.epoch) = (TaskStatus::Failed, 6, 2);
    let lost = outcome(
        OutcomeReason::EngineFailed,
        None,
        Some("the container engine was restarted"),
    );
    let killed = outcome(
        OutcomeReason::OutOfMemory,
        Some(137),
        Some("over its limit of 64m"),
    );
    task.attempts = vec![attempt(1, 1, Some(lost)), attempt(2, 10, Some(killed.clone()))];
    task.timeline.push(step(
        4,
        8,
        TaskStep::Requeued,
        Some("the container engine was restarted"),
    ));
    task.timeline
        .push(step(5, 10, TaskStep::Leased, Some("cellar-02")));
    task.timeline
        .push(step(6, 12, TaskStep::Failed, Some("out of memory")));
    task.outcome = Some(killed);
    task.finished_at = Some(at(12));
    task
}

pub fn succeeded_task(number: u32) -> TaskView {
    let mut task = running_task(number);
    (task.status, task.revision) = (TaskStatus::Succeeded, 4);
    let done = outcome(OutcomeReason::Exited, Some(0), None);
    task.attempts = vec![attempt(1, 1, Some(done.clone()))];
    task.timeline
        .push(step(4, 5, TaskStep::Succeeded, Some("exit code 0")));
    task.outcome = Some(done);
    task.finished_at = Some(at(5));
    task
}

fn outcome(reason: OutcomeReason, exit_code: Option<i64>, detail: Option<&str>) -> Outcome {
    Outcome {
        reason,
        fault: reason.fault(exit_code),
        exit_code,
        detail: detail.map(str::to_owned),
        oom_killed: reason == OutcomeReason::OutOfMemory,
        image_digest: None,
        started_at: Some(at(3)),
        finished_at: at(5),
        usage: Usage {
            wall_ms: 2140,
            cpu_ms: Some(310),
            peak_memory_bytes: Some(12 << 20),
            log_bytes: 100,
        },
    }
}

fn attempt(epoch: u64, seconds: i64, outcome: Option<Outcome>) -> AttemptView {
    AttemptView {
        epoch,
        runner_id: runner_id(),
        runner_name: format!("cellar-0{epoch}"),
        leased_at: at(seconds),
        outcome,
    }
}

fn step(cursor: i64, seconds: i64, step: TaskStep, detail: Option<&str>) -> TimelineEntry {
    TimelineEntry {
        cursor,
        at: at(seconds),
        step,
        detail: detail.map(str::to_owned),
    }
}

/// A complete log of these pieces.
pub fn log(pieces: &[(LogStream, &str)]) -> LogPage {
    let chunks = pieces.iter().zip(0..).map(|((stream, text), seq)| LogChunkView {
        seq,
        stream: *stream,
        at: at(3),
        text: (*text).to_owned(),
    });
    let chunks: Vec<_> = chunks.collect();
    LogPage {
        epoch: 1,
        next_seq: u64::try_from(chunks.len()).unwrap(),
        chunks,
        complete: true,
    }
}

pub fn runner() -> RunnerView {
    RunnerView {
        id: runner_id(),
        revision: 1,
        name: "cellar-01".to_owned(),
        status: RunnerStatus::Online,
        version: "0.1.0".to_owned(),
        capabilities: Capabilities {
            os: "linux".to_owned(),
            arch: "amd64".to_owned(),
            cpu_millis: 4000,
            memory_bytes: 8 << 30,
            slots: 4,
            labels: [("gpu".to_owned(), "none".to_owned())].into(),
        },
        busy: 1,
        succeeded: 41,
        failed: 2,
        first_seen_at: at(0),
        last_seen_at: at(5),
    }
}

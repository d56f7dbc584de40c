//! A server without sockets, and runners whose frames wait in a queue.

use std::sync::Arc;

use protocol::agent::{AttemptKey, PROTOCOL_VERSION, ToRunner};
use protocol::id::{RunnerId, TaskId};
use protocol::log::{LogChunk, LogStream};
use protocol::outcome::{Fault, Outcome, OutcomeReason, Usage};
use protocol::runner::Capabilities;
use protocol::task::{Limits, SpecPolicy, TaskStep, TaskView};
use protocol::time::UnixMs;
use tokio::sync::mpsc;

use crate::clock::ManualClock;
use crate::services::{AgentHello, LeaseTimes, Reported, RunnerHandle, RunnerOffer, Services};
use crate::store::Store;

pub(super) const REQUEST: &str = r#"{ "title": "T", "type": "docker", "config": { "command": ["true"] },
    "environment": { "type": "docker", "config": { "image": "alpine" } }, "reward": 1 }"#;

/// A server without sockets.
pub(super) struct TestServices {
    pub(super) services: Services,
    pub(super) clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

/// A runner without a socket: what the server would send it waits in `frames`.
pub(super) struct TestRunner {
    pub(super) id: RunnerId,
    pub(super) session: u64,
    pub(super) frames: mpsc::Receiver<ToRunner>,
}

impl TestServices {
    pub(super) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        let clock = Arc::new(ManualClock::at(UnixMs(1_700_000_000_000)));
        let services = Services::new(store, clock.clone(), SpecPolicy::default(), LeaseTimes::default());
        Self {
            services,
            clock,
            _folder: folder,
        }
    }

    pub(super) async fn post(&self) -> TaskId {
        self.services.post_task(REQUEST).await.unwrap().id
    }

    pub(super) async fn task(&self, id: TaskId) -> TaskView {
        self.services.get_task(id).await.unwrap()
    }

    pub(super) fn hello(number: u64, credential: &str, held: Vec<AttemptKey>) -> AgentHello {
        AgentHello {
            protocol: PROTOCOL_VERSION,
            runner: runner_id(number),
            credential: credential.to_owned(),
            name: format!("runner {number}"),
            version: "0.1.0".to_owned(),
            capabilities: Capabilities {
                slots: 2,
                ..Capabilities::default()
            },
            caps: Limits::MAX,
            held,
        }
    }

    pub(super) async fn connect(&self, number: u64, free: u32) -> TestRunner {
        self.connect_with(number, free, Vec::new()).await
    }

    /// A runner that comes back with attempts it still holds.
    pub(super) async fn connect_with(&self, number: u64, free: u32, held: Vec<AttemptKey>) -> TestRunner {
        let hello = Self::hello(number, "secret", held.clone());
        let offer = RunnerOffer {
            capabilities: hello.capabilities.clone(),
            caps: hello.caps,
        };
        self.services.greet(hello).await.unwrap();
        let (outbox, frames) = mpsc::channel(16);
        let id = runner_id(number);
        let session = self.services.dispatcher().connect(
            id,
            RunnerHandle {
                offer,
                outbox,
                assigned: held.into_iter().collect(),
                replaced: tokio_util::sync::CancellationToken::new(),
            },
        );
        self.services.dispatcher().set_ready(id, session, free);
        TestRunner { id, session, frames }
    }

    /// Leases one task to a fresh runner.
    pub(super) async fn leased(&self) -> (TaskId, AttemptKey, TestRunner) {
        let task = self.post().await;
        let mut runner = self.connect(1, 1).await;
        assert_eq!(self.services.dispatch_once().await.unwrap(), 1);
        let attempt = runner.lease();
        assert_eq!(attempt.task, task);
        (task, attempt, runner)
    }

    pub(super) async fn report(
        &self,
        runner: &TestRunner,
        attempt: AttemptKey,
        reason: OutcomeReason,
    ) -> Reported {
        let outcome = outcome(reason, Some(0));
        self.services
            .report(runner.id, attempt, outcome, 0)
            .await
            .unwrap()
    }
}

impl TestRunner {
    pub(super) fn lease(&mut self) -> AttemptKey {
        match self.frames.try_recv() {
            Ok(ToRunner::Lease { attempt, .. }) => attempt,
            other => panic!("expected a lease, not {other:?}"),
        }
    }
}

pub(super) fn runner_id(number: u64) -> RunnerId {
    RunnerId::from_uuid(uuid::Uuid::from_u64_pair(number, 1))
}

pub(super) fn outcome(reason: OutcomeReason, exit_code: Option<i64>) -> Outcome {
    Outcome {
        reason,
        // A runner may lie about whose fault it was; the server judges by the reason.
        fault: Fault::Platform,
        exit_code,
        detail: None,
        oom_killed: false,
        image_digest: None,
        started_at: None,
        finished_at: UnixMs(0),
        usage: Usage::default(),
    }
}

pub(super) fn chunk(seq: u64, data: &str) -> LogChunk {
    LogChunk {
        seq,
        stream: LogStream::Stdout,
        at: UnixMs(seq.try_into().unwrap()),
        data: data.into(),
    }
}

pub(super) fn steps(task: &TaskView) -> Vec<TaskStep> {
    task.timeline.iter().map(|entry| entry.step).collect()
}

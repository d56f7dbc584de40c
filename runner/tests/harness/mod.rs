//! What the tests say: a runner, its attempts, and what came of them.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use protocol::agent::{AttemptKey, Stage};
use protocol::id::{RunnerId, TaskId};
use protocol::log::LogStream;
use protocol::outcome::Outcome;
use protocol::quantity::Span;
use protocol::task::{Limits, TaskSpec};
use runner::attempt::{self, Attempt, AttemptEvent, Cause, Reports, Surroundings};
use runner::clock::SystemClock;
use runner::dispatch::Event;
use runner::sandbox::Sandbox;
use runner::sandbox::docker::{DockerSandbox, DockerSettings};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

/// A runner of this test's own, so that tests do not see each other's containers.
pub struct TestRunner {
    pub sandbox: Arc<DockerSandbox>,
}

/// An attempt that runs.
pub struct TestAttempt {
    pub key: AttemptKey,
    events: mpsc::Receiver<Event>,
    stop: watch::Sender<Option<Cause>>,
}

/// What came of it.
#[derive(Debug)]
pub struct Ran {
    pub outcome: Outcome,
    pub stages: Vec<Stage>,
    pub log: Vec<(LogStream, Vec<u8>)>,
}

impl TestRunner {
    pub async fn connect() -> Self {
        let host = std::env::var("DOCKER_HOST").ok();
        let settings = DockerSettings {
            host,
            runner: RunnerId::from_uuid(random_uuid()),
            allowed_registries: vec!["docker.io".to_owned()],
            pull_timeout: Span::from_secs(20),
        };
        match DockerSandbox::connect(settings).await {
            Ok(sandbox) => Self {
                sandbox: Arc::new(sandbox),
            },
            Err(error) => panic!("these tests need a container engine: {}", runner::chain(&error)),
        }
    }

    pub fn start(&self, spec: TaskSpec) -> TestAttempt {
        let key = new_key();
        let (sender, events) = mpsc::channel(1024);
        let stop = watch::Sender::new(None);
        let attempt = Attempt {
            key,
            limits: Limits::MAX.applied_to(&spec.limits),
            spec: Arc::new(spec),
            slot: 7,
        };
        let sandbox: Arc<dyn Sandbox> = Arc::<DockerSandbox>::clone(&self.sandbox);
        let surroundings = Surroundings {
            sandbox,
            clock: Arc::new(SystemClock),
            reports: Reports::new(key, sender),
            stop: stop.subscribe(),
        };
        attempt::spawn(attempt, surroundings);
        TestAttempt { key, events, stop }
    }

    /// Runs a task to its end, and makes sure that nothing of it is left.
    pub async fn run(&self, spec: TaskSpec) -> Ran {
        let ran = self.start(spec).finish().await;
        assert!(
            self.sandbox.cages().await.unwrap().is_empty(),
            "a container is left"
        );
        ran
    }

    pub async fn shell(&self, script: &str) -> Ran {
        self.run(task(&["sh", "-c", script])).await
    }
}

impl TestAttempt {
    pub fn stop(&self, cause: Cause) {
        self.stop.send_replace(Some(cause));
    }

    async fn next(&mut self) -> AttemptEvent {
        match tokio::time::timeout(Duration::from_mins(1), self.events.recv()).await {
            Ok(Some(Event::Attempt { event, .. })) => event,
            other => panic!("no event of the attempt: {other:?}"),
        }
    }

    pub async fn until_first_line(&mut self) {
        while !matches!(self.next().await, AttemptEvent::Log(_)) {}
    }

    pub async fn finish(mut self) -> Ran {
        let (mut outcome, mut stages, mut log) = (None, Vec::new(), Vec::new());
        loop {
            match self.next().await {
                AttemptEvent::Stage { stage, .. } => stages.push(stage),
                AttemptEvent::Log(parcel) => log.push((parcel.chunk.stream, parcel.chunk.data)),
                AttemptEvent::Ended(ended) => outcome = Some(*ended),
                AttemptEvent::CleanedUp => break,
            }
        }
        Ran {
            outcome: outcome.unwrap(),
            stages,
            log,
        }
    }
}

impl Ran {
    pub fn text(&self, stream: LogStream) -> String {
        let bytes: Vec<u8> = self
            .log
            .iter()
            .filter(|(from, _)| *from == stream)
            .flat_map(|(_, data)| data.clone())
            .collect();
        String::from_utf8(bytes).unwrap()
    }

    pub fn stdout(&self) -> String {
        self.text(LogStream::Stdout)
    }
}

fn random_uuid() -> Uuid {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    Uuid::from_bytes(bytes)
}

fn new_key() -> AttemptKey {
    AttemptKey {
        task: TaskId::from_uuid(random_uuid()),
        epoch: 1,
    }
}

/// A task with nothing but a command, as a poster's request leaves it.
pub fn task(command: &[&str]) -> TaskSpec {
    serde_json::from_value(json!({
        "title": "Test",
        "image": "alpine:latest",
        "command": command,
        "reward": { "amount": "0", "token": "PAR", "decimals": 18 },
        "max_attempts": 1,
        "give_up_after": "1h",
    }))
    .unwrap()
}

/// What the engine's own command says of a container.
pub fn inspect(container: &str) -> Value {
    let output = Command::new("docker")
        .args(["container", "inspect", container])
        .output()
        .unwrap();
    let mut found: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    found.remove(0)
}

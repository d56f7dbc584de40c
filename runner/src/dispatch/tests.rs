//! The loop against a sandbox without an engine and a server without a network, in paused time.

use std::sync::Arc;
use std::time::Duration;

use protocol::agent::{AttemptKey, DesiredAttempt, FromRunner, PROTOCOL_VERSION, Stage, ToRunner};
use protocol::id::{RunnerId, TaskId};
use protocol::log::LogFrame;
use protocol::outcome::{Outcome, OutcomeReason};
use protocol::runner::Capabilities;
use protocol::task::{Limits, TaskSpec};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use uuid::Uuid;

use super::{Dispatcher, Event, Frame, Link, Profile};
use crate::clock::{Clock, TestClock};
use crate::sandbox::fake::FakeSandbox;
use crate::sandbox::{Sandbox, Signal};

const HEARTBEAT_MS: u64 = 1000;
const LEASE_MS: u64 = 10_000;

/// A runner, and the other end of its socket.
struct TestServer {
    sandbox: FakeSandbox,
    events: mpsc::Sender<Event>,
    frames: mpsc::UnboundedReceiver<Frame>,
    runner: JoinHandle<()>,
}

impl TestServer {
    /// Starts a runner and welcomes it.
    async fn with_runner(slots: u32) -> Self {
        let (events, happenings) = mpsc::channel(64);
        let sandbox = FakeSandbox::default();
        let shared: Arc<dyn Sandbox> = Arc::new(sandbox.clone());
        let clock: Arc<dyn Clock> = Arc::new(TestClock::start());
        let dispatcher = Dispatcher::new(profile(slots), shared, clock, events.clone());
        let runner = tokio::spawn(dispatcher.run(happenings));
        let (_, frames) = Link::new();
        let mut server = Self {
            sandbox,
            events,
            frames,
            runner,
        };
        assert_eq!(server.welcome().await, []);
        server
            .until(|said| matches!(said, FromRunner::Ready { free } if *free == slots))
            .await;
        server
    }

    /// Opens a socket, and answers the hello. What the runner said it holds.
    async fn welcome(&mut self) -> Vec<AttemptKey> {
        let (link, frames) = Link::new();
        self.frames = frames;
        self.events.send(Event::Connected(link)).await.unwrap();
        let Frame::Message(hello) = self.next().await else {
            panic!("the hello comes first");
        };
        let FromRunner::Hello { held, .. } = *hello else {
            panic!("not a hello: {hello:?}");
        };
        self.say(ToRunner::Welcome {
            protocol: PROTOCOL_VERSION,
            server_version: "test".to_owned(),
            heartbeat_ms: HEARTBEAT_MS,
        })
        .await;
        held
    }

    async fn disconnect(&mut self) {
        self.frames.close();
        self.events.send(Event::Disconnected).await.unwrap();
    }

    async fn say(&self, message: ToRunner) {
        self.events.send(message.into()).await.unwrap();
    }

    async fn lease(&self, epoch: u64, script: &[&str]) -> AttemptKey {
        self.lease_of(epoch, "alpine:latest", script).await
    }

    async fn lease_of(&self, epoch: u64, image: &str, script: &[&str]) -> AttemptKey {
        let attempt = key(epoch);
        self.say(ToRunner::Lease {
            attempt,
            spec: Box::new(spec(image, script)),
            expires_in_ms: LEASE_MS,
        })
        .await;
        attempt
    }

    async fn renew(&self, desired: &[AttemptKey]) {
        let desired = desired.iter().map(|attempt| DesiredAttempt {
            attempt: *attempt,
            expires_in_ms: LEASE_MS,
            cancel: false,
        });
        self.say(ToRunner::HeartbeatAck {
            desired: desired.collect(),
        })
        .await;
    }

    async fn next(&mut self) -> Frame {
        let frame = timeout(Duration::from_mins(10), self.frames.recv()).await;
        frame
            .expect("the runner says something")
            .expect("the runner holds the link")
    }

    /// What the runner says next that is not a heartbeat. Every heartbeat on the way is answered with all it names.
    async fn next_word(&mut self) -> Frame {
        loop {
            let frame = self.next().await;
            match &frame {
                Frame::Message(said) => match said.as_ref() {
                    FromRunner::Heartbeat { held } => self.renew(held).await,
                    _ => return frame,
                },
                Frame::Log(_) => return frame,
            }
        }
    }

    async fn until(&mut self, mut is_it: impl FnMut(&FromRunner) -> bool) -> FromRunner {
        loop {
            if let Frame::Message(said) = self.next_word().await
                && is_it(&said)
            {
                return *said;
            }
        }
    }

    async fn answer_heartbeats_for(&mut self, span: Duration) {
        let never = self.until(|_| false);
        let _said = timeout(span, never).await;
    }

    async fn until_running(&mut self, key: AttemptKey) {
        self.until(|said| {
            matches!(said, FromRunner::Progress { attempt, stage: Stage::Running, .. } if *attempt == key)
        })
        .await;
    }

    async fn result(&mut self, key: AttemptKey) -> (Outcome, u64) {
        let said = self
            .until(|said| matches!(said, FromRunner::Result { attempt, .. } if *attempt == key))
            .await;
        let FromRunner::Result {
            outcome, log_chunks, ..
        } = said
        else {
            unreachable!("just matched");
        };
        (*outcome, log_chunks)
    }

    async fn log(&mut self) -> LogFrame {
        loop {
            if let Frame::Log(frame) = self.next_word().await {
                return frame;
            }
        }
    }

    async fn accept(&self, attempt: AttemptKey) {
        self.say(ToRunner::ResultAck { attempt }).await;
    }

    async fn stop_runner(&self) {
        self.events.send(Event::StopRequested).await.unwrap();
    }

    /// Waits until the runner's containers are those.
    async fn until_containers_are(&self, expected: &[AttemptKey]) {
        while self.sandbox.existing() != expected {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn profile(slots: u32) -> Profile {
    Profile {
        runner: RunnerId::from_uuid(Uuid::from_u128(1)),
        name: "test".to_owned(),
        version: "0".to_owned(),
        capabilities: Capabilities {
            slots,
            ..Capabilities::default()
        },
        caps: Limits::MAX,
    }
}

fn key(epoch: u64) -> AttemptKey {
    AttemptKey {
        task: TaskId::from_uuid(Uuid::from_u128(7)),
        epoch,
    }
}

fn spec(image: &str, script: &[&str]) -> TaskSpec {
    serde_json::from_value(json!({
        "title": "Test",
        "image": image,
        "command": script,
        "limits": { "timeout": "1h" },
        "reward": { "amount": "0", "token": "PAR", "decimals": 18 },
        "max_attempts": 1,
        "give_up_after": "1h",
    }))
    .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_task_runs_from_lease_to_acknowledged_result() {
    let mut server = TestServer::with_runner(1).await;
    let attempt = server.lease(1, &["out:hello", "exit:3"]).await;
    server.until_running(attempt).await;
    let frame = server.log().await;
    assert_eq!(
        (frame.chunk.seq, frame.chunk.data.as_slice()),
        (0, b"hello".as_slice())
    );
    let (outcome, chunks) = server.result(attempt).await;
    assert_eq!(
        (outcome.reason, outcome.exit_code),
        (OutcomeReason::Exited, Some(3))
    );
    assert_eq!(outcome.image_digest.as_deref(), Some("sha256:fake"));
    assert_eq!(chunks, 1);
    server.accept(attempt).await;
    server.until(|said| *said == FromRunner::Ready { free: 1 }).await;
    assert_eq!(server.sandbox.existing(), []);
}

#[tokio::test(start_paused = true)]
async fn a_lease_without_a_free_slot_waits_for_one() {
    let mut server = TestServer::with_runner(1).await;
    let first = server.lease(1, &["hang"]).await;
    let second = server.lease(2, &["exit:0"]).await;
    server.until_running(first).await;
    server.until_containers_are(&[first]).await;
    server
        .say(ToRunner::Cancel {
            attempt: first,
            grace_ms: 1000,
        })
        .await;
    assert_eq!(server.result(first).await.0.reason, OutcomeReason::Cancelled);
    server.until_running(second).await;
    assert!(server.result(second).await.0.is_success());
    assert_eq!(server.sandbox.signals(), [Signal::Terminate]);
}

#[tokio::test(start_paused = true)]
async fn after_the_grace_period_comes_the_kill() {
    let mut server = TestServer::with_runner(1).await;
    let attempt = server.lease(1, &["deaf"]).await;
    server.until_running(attempt).await;
    server
        .say(ToRunner::Cancel {
            attempt,
            grace_ms: 1000,
        })
        .await;
    let (outcome, _) = server.result(attempt).await;
    assert_eq!(
        (outcome.reason, outcome.exit_code),
        (OutcomeReason::Cancelled, Some(137))
    );
    assert_eq!(server.sandbox.signals(), [Signal::Terminate, Signal::Kill]);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_nobody_renews_is_given_up_before_its_end() {
    let mut server = TestServer::with_runner(1).await;
    let began = tokio::time::Instant::now();
    let attempt = server.lease(1, &["hang"]).await;
    server.until_running(attempt).await;
    server.disconnect().await;
    server.until_containers_are(&[]).await;
    let lasted = began.elapsed();
    assert!(lasted > Duration::from_millis(LEASE_MS / 2), "{lasted:?}");
    assert!(lasted < Duration::from_millis(LEASE_MS), "{lasted:?}");
    assert_eq!(server.sandbox.signals(), [Signal::Kill]);
    // It is forgotten: the next hello does not name it.
    assert_eq!(server.welcome().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_renewed_goes_on() {
    let mut server = TestServer::with_runner(1).await;
    let attempt = server.lease(1, &["hang"]).await;
    server.until_running(attempt).await;
    let mut beats = 0;
    while beats < 30 {
        if let Frame::Message(said) = server.next().await
            && let FromRunner::Heartbeat { held } = *said
        {
            assert_eq!(held, [attempt]);
            server.renew(&held).await;
            beats += 1;
        }
    }
    assert_eq!(server.sandbox.existing(), [attempt]);
    assert_eq!(server.sandbox.signals(), []);
}

#[tokio::test(start_paused = true)]
async fn what_the_desired_set_does_not_name_is_stopped_without_a_result() {
    let mut server = TestServer::with_runner(2).await;
    let kept = server.lease(1, &["hang"]).await;
    let unwanted = server.lease(2, &["hang"]).await;
    server.until_containers_are(&[kept, unwanted]).await;
    loop {
        if let Frame::Message(said) = server.next().await
            && let FromRunner::Heartbeat { held } = *said
            && held == [kept, unwanted]
        {
            break;
        }
    }
    server.renew(&[kept]).await;
    server.until(|said| *said == FromRunner::Ready { free: 1 }).await;
    assert_eq!(server.sandbox.existing(), [kept]);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_crosses_a_heartbeat_is_not_stopped_by_its_answer() {
    let mut server = TestServer::with_runner(1).await;
    loop {
        if let Frame::Message(said) = server.next().await
            && matches!(*said, FromRunner::Heartbeat { .. })
        {
            break;
        }
    }
    let attempt = server.lease(1, &["hang"]).await;
    server.renew(&[]).await;
    server.until_running(attempt).await;
    assert_eq!(server.sandbox.existing(), [attempt]);
}

#[tokio::test(start_paused = true)]
async fn after_a_reconnect_the_rest_is_said_again_in_order() {
    let mut server = TestServer::with_runner(1).await;
    let attempt = server.lease(1, &["out:a", "err:b", "out:c", "exit:0"]).await;
    for seq in 0..3 {
        assert_eq!(server.log().await.chunk.seq, seq);
    }
    assert_eq!(server.result(attempt).await.1, 3);
    server.say(ToRunner::LogAck { attempt, next_seq: 1 }).await;
    server.disconnect().await;

    assert_eq!(server.welcome().await, [attempt]);
    server.until_running(attempt).await;
    assert_eq!(server.log().await.chunk.data, b"b");
    assert_eq!(server.log().await.chunk.data, b"c");
    assert_eq!(server.result(attempt).await.1, 3);
    server.accept(attempt).await;
    server.disconnect().await;
    assert_eq!(server.welcome().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_result_without_an_answer_is_said_again() {
    let mut server = TestServer::with_runner(1).await;
    let attempt = server.lease(1, &["exit:0"]).await;
    let first = server.result(attempt).await;
    let again = server.result(attempt).await;
    assert_eq!(first, again);
    server.say(ToRunner::LeaseLost { attempt }).await;
    server.disconnect().await;
    assert_eq!(server.welcome().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_missing_chunk_is_sent_again_when_the_server_repeats_its_number() {
    let mut server = TestServer::with_runner(1).await;
    let attempt = server.lease(1, &["out:a", "hang"]).await;
    assert_eq!(server.log().await.chunk.seq, 0);
    tokio::time::sleep(Duration::from_secs(2)).await;
    server.say(ToRunner::LogAck { attempt, next_seq: 0 }).await;
    assert_eq!(server.log().await.chunk.seq, 0);
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_left_and_the_work_goes_on() {
    let mut server = TestServer::with_runner(1).await;
    let attempt = server.lease(1, &["hang"]).await;
    server.until_running(attempt).await;
    let heartbeats_until_closed = async {
        let mut heartbeats = 0;
        while server.frames.recv().await.is_some() {
            heartbeats += 1;
        }
        heartbeats
    };
    assert!(heartbeats_until_closed.await >= 3);
    assert_eq!(server.sandbox.existing(), [attempt]);
    assert_eq!(server.welcome().await, [attempt]);
}

#[tokio::test(start_paused = true)]
async fn an_image_that_is_missing_is_the_tasks_fault_and_a_pull_is_told() {
    let mut server = TestServer::with_runner(2).await;
    let missing = server.lease_of(1, "missing:latest", &[]).await;
    let (outcome, _) = server.result(missing).await;
    assert_eq!(outcome.reason, OutcomeReason::ImageNotFound);
    assert_eq!(outcome.exit_code, None);

    let slow = server.lease_of(2, "slow:latest", &["exit:0"]).await;
    let said = server
        .until(|said| matches!(said, FromRunner::Progress { .. }))
        .await;
    let pulling = FromRunner::Progress {
        attempt: slow,
        stage: Stage::Pulling,
        detail: Some("slow:latest".to_owned()),
    };
    assert_eq!(said, pulling);
    assert!(server.result(slow).await.0.is_success());
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_panics_is_reported_and_cleaned_up() {
    let mut server = TestServer::with_runner(1).await;
    let attempt = server.lease(1, &["panic"]).await;
    assert_eq!(
        server.result(attempt).await.0.reason,
        OutcomeReason::RunnerStopped
    );
    server.until(|said| *said == FromRunner::Ready { free: 1 }).await;
    assert_eq!(server.sandbox.existing(), []);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_dies_or_does_not_kill_is_the_runners_fault() {
    let mut server = TestServer::with_runner(2).await;
    let dead = server.lease(1, &["engine"]).await;
    assert_eq!(server.result(dead).await.0.reason, OutcomeReason::EngineFailed);
    let stuck = server.lease(2, &["stuck"]).await;
    server.until_running(stuck).await;
    server
        .say(ToRunner::Cancel {
            attempt: stuck,
            grace_ms: 0,
        })
        .await;
    assert_eq!(server.result(stuck).await.0.reason, OutcomeReason::EngineFailed);
}

#[tokio::test(start_paused = true)]
async fn asked_to_stop_it_finishes_first_and_takes_nothing_new() {
    let mut server = TestServer::with_runner(1).await;
    let running = server.lease(1, &["hang"]).await;
    server.until_running(running).await;
    server.stop_runner().await;
    server.until(|said| *said == FromRunner::Draining).await;
    let late = server.lease(2, &["exit:0"]).await;
    assert_eq!(server.result(late).await.0.reason, OutcomeReason::RunnerStopped);
    server.accept(late).await;
    assert_eq!(server.sandbox.existing(), [running]);

    server.stop_runner().await;
    assert_eq!(
        server.result(running).await.0.reason,
        OutcomeReason::RunnerStopped
    );
    server.accept(running).await;
    timeout(Duration::from_secs(1), &mut server.runner)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(server.sandbox.existing(), []);
}

#[tokio::test(start_paused = true)]
async fn the_janitor_removes_what_no_attempt_minds() {
    let mut server = TestServer::with_runner(1).await;
    let running = server.lease(1, &["hang"]).await;
    server.until_running(running).await;
    server.sandbox.leave(key(99));
    assert_eq!(server.sandbox.existing(), [running, key(99)]);
    server.answer_heartbeats_for(Duration::from_secs(301)).await;
    assert_eq!(server.sandbox.existing(), [running]);
}

#[tokio::test(start_paused = true)]
async fn without_an_engine_no_work_is_taken() {
    let mut server = TestServer::with_runner(2).await;
    server.sandbox.set_down(true);
    let failed = server.lease(1, &["engine"]).await;
    assert_eq!(server.result(failed).await.0.reason, OutcomeReason::EngineFailed);
    server.accept(failed).await;
    server.until(|said| *said == FromRunner::Ready { free: 0 }).await;
    let waiting = server.lease(2, &["exit:0"]).await;
    server.answer_heartbeats_for(Duration::from_mins(2)).await;
    assert_eq!(server.sandbox.existing(), []);

    server.sandbox.set_down(false);
    server.until_running(waiting).await;
    assert!(server.result(waiting).await.0.is_success());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_the_hello_is_left() {
    let mut server = TestServer::with_runner(1).await;
    server.disconnect().await;
    let (link, mut frames) = Link::new();
    server.events.send(Event::Connected(link)).await.unwrap();
    let until_closed = async { while frames.recv().await.is_some() {} };
    timeout(Duration::from_mins(1), until_closed).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_path_that_leads_to_the_kernels_files_is_not_runnable() {
    let mut server = TestServer::with_runner(1).await;
    let attempt = key(1);
    let mut spec = spec("alpine:latest", &["exit:0"]);
    spec.workdir = Some("/data/../proc/self".to_owned());
    server
        .say(ToRunner::Lease {
            attempt,
            spec: Box::new(spec),
            expires_in_ms: LEASE_MS,
        })
        .await;
    let (outcome, _) = server.result(attempt).await;
    assert_eq!(outcome.reason, OutcomeReason::CommandNotRunnable);
}

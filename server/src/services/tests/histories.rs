//! Random histories of posters, runners and time, on the server and on the [`model`](super::model) at once: leases,
//! stale and repeated calls, crashes and reconnects, cancels, deadlines. Both must agree after every step.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner as Proptest};
use protocol::agent::{AttemptKey, Stage, ToRunner};
use protocol::outcome::OutcomeReason;
use protocol::time::UnixMs;

use super::harness::{REQUEST, TestRunner, TestServices, chunk, outcome};
use super::model::{ModelTask, SLOTS};
use crate::clock::Clock;
use crate::services::LeaseTimes;

const RUNNERS: usize = 3;

/// Histories in one run; the environment asks for more.
const HISTORIES: u32 = 300;

/// One thing that happens. Numbers pick a runner or a task of the history, modulo how many there are.
#[derive(Debug, Clone)]
enum Step {
    Post {
        short_deadline: bool,
    },
    Ready {
        runner: usize,
        free: u32,
    },
    Dispatch,
    Start {
        call: Call,
    },
    Append {
        call: Call,
        ahead: i64,
    },
    Report {
        call: Call,
        reason: OutcomeReason,
        missing: u64,
    },
    Heartbeat {
        runner: usize,
    },
    Reconnect {
        runner: usize,
        keeps: bool,
    },
    Cancel {
        task: usize,
    },
    Advance {
        ms: u64,
    },
    ExpireLeases,
    ExpireTasks,
}

/// A call of a runner about a task; `epoch_off` makes it stale or premature.
#[derive(Debug, Clone, Copy)]
struct Call {
    runner: usize,
    task: usize,
    epoch_off: i64,
}

fn call() -> impl Strategy<Value = Call> {
    let epoch_off = prop_oneof![6 => Just(0_i64), 1 => Just(-1), 1 => Just(1)];
    (0..RUNNERS, 0..6_usize, epoch_off).prop_map(|(runner, task, epoch_off)| Call {
        runner,
        task,
        epoch_off,
    })
}

fn reason() -> impl Strategy<Value = OutcomeReason> {
    prop_oneof![
        3 => Just(OutcomeReason::Exited),
        3 => Just(OutcomeReason::EngineFailed),
        1 => Just(OutcomeReason::TimedOut),
        1 => Just(OutcomeReason::Cancelled),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => any::<bool>().prop_map(|short_deadline| Step::Post { short_deadline }),
        3 => (0..RUNNERS, 0..3_u32).prop_map(|(runner, free)| Step::Ready { runner, free }),
        5 => Just(Step::Dispatch),
        4 => call().prop_map(|call| Step::Start { call }),
        4 => (call(), -1..2_i64).prop_map(|(call, ahead)| Step::Append { call, ahead }),
        5 => (call(), reason(), 0..2_u64)
            .prop_map(|(call, reason, missing)| Step::Report { call, reason, missing }),
        2 => (0..RUNNERS).prop_map(|runner| Step::Heartbeat { runner }),
        2 => (0..RUNNERS, any::<bool>()).prop_map(|(runner, keeps)| Step::Reconnect { runner, keeps }),
        1 => (0..6_usize).prop_map(|task| Step::Cancel { task }),
        3 => prop_oneof![Just(100_u64), Just(5_000), Just(31_000), Just(120_000)]
            .prop_map(|ms| Step::Advance { ms }),
        2 => Just(Step::ExpireLeases),
        1 => Just(Step::ExpireTasks),
    ]
}

/// A history under way: the server and the model beside it.
struct History<'s> {
    server: &'s TestServices,
    runners: Vec<(u64, TestRunner, u32)>,
    tasks: Vec<ModelTask>,
}

impl<'s> History<'s> {
    async fn begin(server: &'s TestServices, number: u64) -> Self {
        let mut runners = Vec::new();
        for index in 0..RUNNERS {
            let id = number * 100 + u64::try_from(index).unwrap();
            runners.push((id, server.connect(id, 0).await, 0));
        }
        Self {
            server,
            runners,
            tasks: Vec::new(),
        }
    }

    fn now(&self) -> UnixMs {
        self.server.clock.now()
    }

    fn held_by(&self, runner: usize) -> Vec<AttemptKey> {
        let held = self
            .tasks
            .iter()
            .filter(|task| task.status.is_held() && task.holder == Some(runner));
        held.map(|task| AttemptKey {
            task: task.id,
            epoch: task.epoch,
        })
        .collect()
    }

    fn credit(&self, runner: usize) -> usize {
        let ready = usize::try_from(self.runners[runner].2).unwrap();
        ready.min(SLOTS.saturating_sub(self.held_by(runner).len()))
    }

    /// The task a call is about, as an index, and its key with the epoch of the call.
    fn aim(&self, call: Call) -> Option<(usize, AttemptKey)> {
        let task = call.task.checked_rem(self.tasks.len())?;
        let epoch = self.tasks[task].epoch.saturating_add_signed(call.epoch_off);
        Some((
            task,
            AttemptKey {
                task: self.tasks[task].id,
                epoch,
            },
        ))
    }

    async fn take(&mut self, step: &Step) {
        let services = &self.server.services;
        let now = self.now();
        match *step {
            Step::Post { short_deadline } => self.post(short_deadline).await,
            Step::Ready { runner, free } => {
                let (_, connection, ready) = &mut self.runners[runner];
                services
                    .dispatcher()
                    .set_ready(connection.id, connection.session, free);
                *ready = free;
            }
            Step::Dispatch => self.dispatch().await,
            Step::Start { call } => {
                let Some((task, key)) = self.aim(call) else { return };
                let id = self.runners[call.runner].1.id;
                let real = services.progress(id, key, Stage::Running, None).await.unwrap();
                assert_eq!(real, self.tasks[task].start(call.runner, key.epoch));
            }
            Step::Append { call, ahead } => {
                let Some((task, key)) = self.aim(call) else { return };
                let seq = self.tasks[task].next_seq.saturating_add_signed(ahead);
                let id = self.runners[call.runner].1.id;
                let real = services
                    .append_log(id, key, vec![chunk(seq, &format!("{seq} "))])
                    .await
                    .unwrap();
                assert_eq!(real, self.tasks[task].append(call.runner, key.epoch, seq));
            }
            Step::Report {
                call,
                reason,
                missing,
            } => {
                let Some((task, key)) = self.aim(call) else { return };
                let chunks = self.tasks[task].next_seq + missing;
                let id = self.runners[call.runner].1.id;
                let real = services
                    .report(id, key, outcome(reason, Some(0)), chunks)
                    .await
                    .unwrap();
                assert_eq!(
                    real,
                    self.tasks[task].report(call.runner, key.epoch, reason, chunks, now)
                );
            }
            Step::Heartbeat { runner } => self.heartbeat(runner).await,
            Step::Reconnect { runner, keeps } => self.reconnect(runner, keeps).await,
            Step::Cancel { task } => {
                let Some(task) = task.checked_rem(self.tasks.len()) else {
                    return;
                };
                let real = services.cancel_task(self.tasks[task].id).await.is_ok();
                assert_eq!(real, self.tasks[task].cancel());
            }
            Step::Advance { ms } => self.server.clock.advance(Duration::from_millis(ms)),
            Step::ExpireLeases => {
                services.expire_leases_once().await.unwrap();
                let lost = self
                    .tasks
                    .iter_mut()
                    .filter(|task| task.status.is_held() && task.expires_at <= now);
                lost.for_each(|task| task.end(OutcomeReason::LeaseExpired, false, now));
            }
            Step::ExpireTasks => {
                services.expire_tasks_once().await.unwrap();
                self.tasks.iter_mut().for_each(|task| task.expire(now));
            }
        }
    }

    async fn post(&mut self, short_deadline: bool) {
        let deadline = Duration::from_secs(if short_deadline { 60 } else { 86_400 });
        let request = REQUEST.replace(
            "\"reward\": 1",
            &format!("\"reward\": 1, \"deadline\": \"{}s\"", deadline.as_secs()),
        );
        let id = self.server.services.post_task(&request).await.unwrap().id;
        self.tasks.push(ModelTask::new(id, self.now(), deadline));
    }

    /// Whatever was leased must have been free to lease, to a runner that asked for it; and nothing may be left
    /// lying while a runner has credit.
    async fn dispatch(&mut self) {
        let now = self.now();
        self.server.services.dispatch_once().await.unwrap();
        for runner in 0..RUNNERS {
            while let Ok(frame) = self.runners[runner].1.frames.try_recv() {
                let ToRunner::Lease { attempt, .. } = frame else {
                    continue;
                };
                assert!(self.credit(runner) > 0, "a lease without credit");
                let task = self
                    .tasks
                    .iter_mut()
                    .find(|task| task.id == attempt.task)
                    .unwrap();
                assert!(task.may_be_leased(now), "{task:?}");
                task.lease(runner, now);
                assert_eq!(attempt.epoch, task.epoch);
                self.runners[runner].2 -= 1;
            }
        }
        if (0..RUNNERS).any(|runner| self.credit(runner) > 0) {
            let left = self.tasks.iter().find(|task| task.must_be_leased(now));
            assert!(left.is_none(), "left in the queue: {left:?}");
        }
    }

    async fn heartbeat(&mut self, runner: usize) {
        let held = self.held_by(runner);
        let id = self.runners[runner].1.id;
        let desired = self.server.services.heartbeat(id, held.clone()).await.unwrap();
        let mut desired: Vec<AttemptKey> = desired.into_iter().map(|desired| desired.attempt).collect();
        desired.sort_unstable();
        let mut expected = held;
        expected.sort_unstable();
        assert_eq!(desired, expected);
        self.renew(runner);
    }

    fn renew(&mut self, runner: usize) {
        let expires_at = self.now().plus(LeaseTimes::default().lease);
        let held = self
            .tasks
            .iter_mut()
            .filter(|task| task.status.is_held() && task.holder == Some(runner));
        held.for_each(|task| task.expires_at = expires_at);
    }

    /// The runner comes back, with everything it held or with nothing.
    async fn reconnect(&mut self, runner: usize, keeps: bool) {
        let now = self.now();
        let held = if keeps { self.held_by(runner) } else { Vec::new() };
        let number = self.runners[runner].0;
        self.runners[runner].1 = self.server.connect_with(number, 0, held).await;
        self.runners[runner].2 = 0;
        if !keeps {
            let lost = self
                .tasks
                .iter_mut()
                .filter(|task| task.status.is_held() && task.holder == Some(runner));
            lost.for_each(|task| task.end(OutcomeReason::RunnerStopped, false, now));
        }
        self.renew(runner);
    }

    /// Server and model agree, and the invariants hold.
    async fn check(&self) {
        for task in &self.tasks {
            let real = self.server.task(task.id).await;
            assert_eq!((real.status, real.epoch), (task.status, task.epoch), "{task:?}");
            assert!(task.decisions <= 1, "{task:?}");
            let log = self.server.services.log_page(task.id, None, 0).await.unwrap();
            let seqs: Vec<u64> = log.chunks.iter().map(|chunk| chunk.seq).collect();
            assert_eq!(seqs, (0..task.next_seq).collect::<Vec<_>>(), "{task:?}");
        }
    }

    /// Leaves nothing in the queue for the next history.
    async fn finish(mut self) {
        for index in 0..self.tasks.len() {
            let task = &mut self.tasks[index];
            if task.cancel() {
                self.server.services.cancel_task(task.id).await.unwrap();
            }
        }
        for runner in 0..RUNNERS {
            self.reconnect(runner, false).await;
            let (_, connection, _) = &self.runners[runner];
            self.server
                .services
                .dispatcher()
                .disconnect(connection.id, connection.session);
        }
        self.check().await;
        assert!(self.tasks.iter().all(|task| task.status.is_terminal()));
    }
}

#[test]
fn every_history_agrees_with_the_model() {
    let asked = std::env::var("PARITY_HISTORIES")
        .ok()
        .and_then(|count| count.parse().ok());
    let config = Config {
        cases: asked.unwrap_or(HISTORIES),
        failure_persistence: None,
        ..Config::default()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(TestServices::start());
    let number = AtomicU64::new(1);
    let histories = prop::collection::vec(step(), 1..60);
    let result = Proptest::new(config).run(&histories, |steps| {
        runtime.block_on(async {
            let mut history = History::begin(&server, number.fetch_add(1, Ordering::Relaxed)).await;
            for step in &steps {
                history.take(step).await;
                history.check().await;
            }
            history.finish().await;
        });
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

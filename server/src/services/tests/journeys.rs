//! One journey per test: what a poster, a runner or a watcher does, and what must come of it.

use std::time::Duration;

use protocol::agent::{Stage, ToRunner};
use protocol::error::ErrorCode;
use protocol::outcome::{Fault, OutcomeReason};
use protocol::task::{TaskStatus, TaskStep};

use super::harness::{REQUEST, TestServices, chunk, outcome, steps};
use crate::services::{LeaseTimes, LogRange, LogSelection, Reported};
use crate::store::Append;

#[tokio::test]
async fn a_task_travels_from_the_queue_to_its_result() {
    let server = TestServices::start().await;
    let (task, attempt, runner) = server.leased().await;
    assert!(
        server
            .services
            .progress(runner.id, attempt, Stage::Running, None)
            .await
            .unwrap()
    );
    let stored = server
        .services
        .append_log(runner.id, attempt, vec![chunk(0, "hello\n")])
        .await
        .unwrap();
    assert_eq!(stored, Append::Stored { next_seq: 1 });
    assert_eq!(
        server.report(&runner, attempt, OutcomeReason::Exited).await,
        Reported::Accepted
    );
    let view = server.task(task).await;
    assert_eq!(view.status, TaskStatus::Succeeded);
    assert_eq!(
        view.outcome.as_ref().map(|outcome| outcome.fault),
        Some(Fault::None)
    );
    assert_eq!(
        steps(&view),
        [
            TaskStep::Posted,
            TaskStep::Leased,
            TaskStep::Started,
            TaskStep::Succeeded
        ]
    );
    assert_eq!(view.revision, 4);
    assert_eq!(
        server.services.log_page(task, None, 0).await.unwrap().chunks[0].text,
        "hello\n"
    );
}

#[tokio::test]
async fn a_repeated_result_is_accepted_and_changes_nothing() {
    let server = TestServices::start().await;
    let (task, attempt, runner) = server.leased().await;
    assert_eq!(
        server.report(&runner, attempt, OutcomeReason::Exited).await,
        Reported::Accepted
    );
    let first = server.task(task).await;
    assert_eq!(
        server.report(&runner, attempt, OutcomeReason::TimedOut).await,
        Reported::Accepted
    );
    let second = server.task(task).await;
    assert_eq!((first.revision, first.outcome), (second.revision, second.outcome));
}

#[tokio::test]
async fn a_result_waits_for_the_whole_log() {
    let server = TestServices::start().await;
    let (task, attempt, runner) = server.leased().await;
    let early = server
        .services
        .report(runner.id, attempt, outcome(OutcomeReason::Exited, Some(0)), 1)
        .await;
    assert_eq!(early.unwrap(), Reported::LogMissing { next_seq: 0 });
    assert_eq!(server.task(task).await.status, TaskStatus::Leased);
}

#[tokio::test]
async fn log_chunks_are_stored_once_in_order_and_without_gaps() {
    let server = TestServices::start().await;
    let (task, attempt, runner) = server.leased().await;
    for (sent, next_seq) in [(vec![0, 1], 2), (vec![1, 2], 3), (vec![5], 3), (vec![0, 3], 4)] {
        let chunks = sent.iter().map(|seq| chunk(*seq, &format!("{seq}"))).collect();
        let stored = server
            .services
            .append_log(runner.id, attempt, chunks)
            .await
            .unwrap();
        assert_eq!(stored, Append::Stored { next_seq }, "{sent:?}");
    }
    let text: String = server
        .services
        .log_page(task, None, 0)
        .await
        .unwrap()
        .chunks
        .iter()
        .map(|c| c.text.as_str())
        .collect();
    assert_eq!(text, "0123");
}

#[tokio::test]
async fn byte_ranges_cross_chunks() {
    let server = TestServices::start().await;
    let (task, attempt, runner) = server.leased().await;
    let chunks = vec![chunk(0, "abc"), chunk(1, "defg"), chunk(2, "hi")];
    server
        .services
        .append_log(runner.id, attempt, chunks)
        .await
        .unwrap();
    for (offset, limit, expected) in [
        (0, None, "abcdefghi"),
        (4, None, "efghi"),
        (2, Some(3), "cde"),
        (9, None, ""),
        (50, Some(1), ""),
        (8, Some(9), "i"),
    ] {
        let range = LogRange { offset, limit };
        let selection = LogSelection {
            range,
            ..LogSelection::default()
        };
        let mut reader = server.services.read_log(task, selection).await.unwrap();
        let mut read = Vec::new();
        while let Some(piece) = reader.next().await.unwrap() {
            read.extend(piece);
        }
        assert_eq!(String::from_utf8(read).unwrap(), expected, "{offset} {limit:?}");
    }
}

#[tokio::test]
async fn an_expired_lease_moves_on_and_its_old_runner_is_refused_everything() {
    let server = TestServices::start().await;
    let (task, old, runner) = server.leased().await;
    server.clock.advance(LeaseTimes::default().lease);
    assert_eq!(server.services.expire_leases_once().await.unwrap(), 1);
    assert_eq!(server.task(task).await.status, TaskStatus::Queued);
    server.clock.advance(Duration::from_mins(2));
    let mut other = server.connect(2, 1).await;
    server
        .services
        .dispatcher()
        .set_ready(runner.id, runner.session, 0);
    assert_eq!(server.services.dispatch_once().await.unwrap(), 1);
    let new = other.lease();
    assert_eq!((new.task, new.epoch), (task, old.epoch + 1));
    assert!(
        !server
            .services
            .progress(runner.id, old, Stage::Running, None)
            .await
            .unwrap()
    );
    assert!(
        !server
            .services
            .progress(runner.id, new, Stage::Running, None)
            .await
            .unwrap()
    );
    assert!(
        !server
            .services
            .progress(other.id, old, Stage::Running, None)
            .await
            .unwrap()
    );
    let late = server
        .services
        .append_log(runner.id, old, vec![chunk(0, "late")])
        .await
        .unwrap();
    assert_eq!(late, Append::LeaseLost);
    assert_eq!(
        server.report(&runner, old, OutcomeReason::Exited).await,
        Reported::LeaseLost
    );
    assert_eq!(
        server.report(&other, new, OutcomeReason::Exited).await,
        Reported::Accepted
    );
    assert_eq!(server.task(task).await.status, TaskStatus::Succeeded);
}

#[tokio::test]
async fn a_runners_fault_is_tried_again_until_the_attempts_are_used_up() {
    let server = TestServices::start().await;
    let task = server.post().await;
    let mut runner = server.connect(1, 1).await;
    for attempt_number in 1..=3 {
        assert_eq!(
            server.services.dispatch_once().await.unwrap(),
            1,
            "attempt {attempt_number}"
        );
        let attempt = runner.lease();
        assert_eq!(
            server.report(&runner, attempt, OutcomeReason::EngineFailed).await,
            Reported::Accepted
        );
        server
            .services
            .dispatcher()
            .set_ready(runner.id, runner.session, 1);
        assert_eq!(
            server.services.dispatch_once().await.unwrap(),
            0,
            "the back-off is not over"
        );
        server.clock.advance(Duration::from_mins(2));
    }
    let view = server.task(task).await;
    assert_eq!(view.status, TaskStatus::Failed);
    assert_eq!(view.attempts.len(), 3);
}

#[tokio::test]
async fn a_heartbeat_keeps_the_lease() {
    let server = TestServices::start().await;
    let (task, attempt, runner) = server.leased().await;
    for _ in 0..5 {
        server.clock.advance(LeaseTimes::default().lease / 2);
        let desired = server.services.heartbeat(runner.id, vec![attempt]).await.unwrap();
        assert_eq!(desired.len(), 1);
        assert_eq!(server.services.expire_leases_once().await.unwrap(), 0);
    }
    assert_eq!(server.task(task).await.status, TaskStatus::Leased);
}

#[tokio::test]
async fn a_runner_that_comes_back_without_an_attempt_gives_it_up() {
    let server = TestServices::start().await;
    let (task, _, _runner) = server.leased().await;
    server
        .services
        .greet(TestServices::hello(1, "secret", Vec::new()))
        .await
        .unwrap();
    let view = server.task(task).await;
    assert_eq!(view.status, TaskStatus::Queued);
    assert_eq!(
        view.attempts[0].outcome.as_ref().map(|o| o.reason),
        Some(OutcomeReason::RunnerStopped)
    );
}

#[tokio::test]
async fn a_runner_that_comes_back_with_an_attempt_goes_on() {
    let server = TestServices::start().await;
    let (_, attempt, runner) = server.leased().await;
    server
        .services
        .append_log(runner.id, attempt, vec![chunk(0, "x")])
        .await
        .unwrap();
    let greeting = server
        .services
        .greet(TestServices::hello(1, "secret", vec![attempt]))
        .await
        .unwrap();
    assert_eq!(greeting.open, [(attempt, 1)]);
}

#[tokio::test]
async fn another_credential_cannot_take_over_a_runner() {
    let server = TestServices::start().await;
    let _runner = server.connect(1, 1).await;
    let error = server
        .services
        .greet(TestServices::hello(1, "stolen", Vec::new()))
        .await
        .unwrap_err();
    assert_eq!(error.into_api().code, ErrorCode::Unauthorized);
}

#[tokio::test]
async fn a_runner_is_never_given_more_than_its_slots() {
    let server = TestServices::start().await;
    for _ in 0..5 {
        server.post().await;
    }
    let runner = server.connect(1, 2).await;
    assert_eq!(server.services.dispatch_once().await.unwrap(), 2);
    // A stale word of two free slots crosses the leases on the wire.
    server
        .services
        .dispatcher()
        .set_ready(runner.id, runner.session, 2);
    assert_eq!(server.services.dispatch_once().await.unwrap(), 0);
}

#[tokio::test]
async fn a_task_goes_only_where_its_limits_and_labels_fit() {
    let server = TestServices::start().await;
    let picky = REQUEST.replace(
        "\"reward\": 1",
        "\"reward\": 1, \"requires\": [{\"label\": \"gpu\", \"op\": \"exists\"}]",
    );
    let picky = server.services.post_task(&picky).await.unwrap().id;
    let plain = server.post().await;
    let mut runner = server.connect(1, 2).await;
    assert_eq!(server.services.dispatch_once().await.unwrap(), 1);
    assert_eq!(runner.lease().task, plain);
    assert_eq!(server.task(picky).await.status, TaskStatus::Queued);
}

#[tokio::test]
async fn cancelling_ends_a_queued_task_and_tells_the_runner_of_a_held_one() {
    let server = TestServices::start().await;
    let queued = server.post().await;
    assert_eq!(
        server.services.cancel_task(queued).await.unwrap().status,
        TaskStatus::Cancelled
    );
    let again = server.services.cancel_task(queued).await.unwrap_err().into_api();
    assert_eq!(
        (again.code, again.detail.as_str()),
        (ErrorCode::Conflict, "the task is already cancelled")
    );
    let (held, attempt, mut runner) = server.leased().await;
    let view = server.services.cancel_task(held).await.unwrap();
    assert_eq!(view.status, TaskStatus::Leased);
    assert!(view.cancel_requested_at.is_some());
    assert!(
        matches!(runner.frames.try_recv(), Ok(ToRunner::Cancel { attempt: told, .. }) if told == attempt)
    );
    let desired = server.services.heartbeat(runner.id, vec![attempt]).await.unwrap();
    assert!(desired[0].cancel);
    assert_eq!(
        server.report(&runner, attempt, OutcomeReason::Cancelled).await,
        Reported::Accepted
    );
    assert_eq!(server.task(held).await.status, TaskStatus::Cancelled);
}

#[tokio::test]
async fn a_task_nobody_takes_expires_at_its_deadline() {
    let server = TestServices::start().await;
    let task = server
        .services
        .post_task(&REQUEST.replace("\"reward\": 1", "\"reward\": 1, \"deadline\": \"1h\""))
        .await
        .unwrap();
    server.clock.advance(Duration::from_secs(3599));
    assert_eq!(server.services.expire_tasks_once().await.unwrap(), 0);
    server.clock.advance(Duration::from_secs(1));
    assert_eq!(server.services.expire_tasks_once().await.unwrap(), 1);
    assert_eq!(server.task(task.id).await.status, TaskStatus::Expired);
}

#[tokio::test]
async fn pages_of_the_list_meet_without_overlap() {
    let server = TestServices::start().await;
    let mut posted = Vec::new();
    for _ in 0..5 {
        server.clock.advance(Duration::from_millis(1));
        posted.push(server.post().await);
    }
    posted.reverse();
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let query = crate::store::ListTasks {
            status: None,
            before,
            limit: 2,
        };
        let (page, _) = server.services.list_tasks(query).await.unwrap();
        seen.extend(page.items.iter().map(|task| task.id));
        let Some(cursor) = page.next_cursor else { break };
        before = Some(cursor.parse().unwrap());
    }
    assert_eq!(seen, posted);
}

#[tokio::test]
async fn events_follow_commits_in_order_and_a_cursor_resumes() {
    let server = TestServices::start().await;
    let mut head = server.services.feed().watch();
    let start = server.services.feed().head();
    let (_, attempt, runner) = server.leased().await;
    assert_eq!(
        server.report(&runner, attempt, OutcomeReason::Exited).await,
        Reported::Accepted
    );
    let target = server.task(attempt.task).await.cursor;
    head.wait_for(|head| *head >= target).await.unwrap();
    let all = server.services.events_after(start, 100).await.unwrap();
    let cursors: Vec<i64> = all.iter().map(|event| event.cursor).collect();
    assert!(cursors.windows(2).all(|pair| pair[0] < pair[1]), "{cursors:?}");
    let rest = server.services.events_after(cursors[1], 100).await.unwrap();
    assert_eq!(
        rest.iter().map(|event| event.cursor).collect::<Vec<_>>(),
        cursors[2..]
    );
}

#[tokio::test]
async fn a_runner_that_sends_more_log_than_the_task_may_write_is_not_believed() {
    let server = TestServices::start().await;
    let limited = REQUEST.replace(
        "\"command\": [\"true\"]",
        "\"command\": [\"true\"], \"limits\": { \"log\": \"1k\" }",
    );
    let task = server.services.post_task(&limited).await.unwrap().id;
    let mut runner = server.connect(1, 1).await;
    assert_eq!(server.services.dispatch_once().await.unwrap(), 1);
    let attempt = runner.lease();
    let block = "x".repeat(30_000);
    let flood = (0..100).map(|seq| chunk(seq, &block)).collect::<Vec<_>>();
    for chunks in [flood.clone(), flood] {
        let refused = server
            .services
            .append_log(runner.id, attempt, chunks)
            .await
            .unwrap();
        assert_eq!(refused, Append::LeaseLost);
    }
    assert_eq!(server.services.log_page(task, None, 0).await.unwrap().next_seq, 3);
}

#[tokio::test]
async fn a_runner_that_repeats_itself_does_not_fill_the_timeline() {
    let server = TestServices::start().await;
    let (task, attempt, runner) = server.leased().await;
    for stage in [
        Stage::Pulling,
        Stage::Pulling,
        Stage::Running,
        Stage::Running,
        Stage::Pulling,
    ] {
        assert!(
            server
                .services
                .progress(runner.id, attempt, stage, None)
                .await
                .unwrap()
        );
    }
    let view = server.task(task).await;
    assert_eq!(
        steps(&view),
        [
            TaskStep::Posted,
            TaskStep::Leased,
            TaskStep::Pulling,
            TaskStep::Started
        ]
    );
}

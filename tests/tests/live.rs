//! The live socket: everything once and in order, over drops, restarts and readers that sleep.

use client::LiveSocket;
use futures_util::{StreamExt, stream};
use protocol::error::ErrorCode;
use protocol::id::TaskId;
use protocol::live::{ClientMessage, EventBody, LiveEvent, ServerMessage, Topic};
use protocol::task::{TaskStatus, TaskStep};
use reqwest::Method;
use tests::{Task, TestEngine, TestRunner, TestServer, TestUser, within};

async fn next(live: &mut LiveSocket) -> ServerMessage {
    let message = within("a message on the socket", live.next()).await;
    message.expect("the socket works").expect("the socket is open")
}

async fn subscribe(live: &mut LiveSocket, topic: Topic, after: Option<i64>) {
    live.send(&ClientMessage::Subscribe { topic, after })
        .await
        .expect("the socket works");
}

/// The next event, whatever other messages come before it.
async fn next_event(live: &mut LiveSocket) -> LiveEvent {
    loop {
        match next(live).await {
            ServerMessage::Event(event) => return *event,
            ServerMessage::Hello { .. } | ServerMessage::Subscribed { .. } => {}
            other => panic!("not an event: {other:?}"),
        }
    }
}

fn step_of(event: &LiveEvent) -> TaskStep {
    match &event.body {
        EventBody::Task { step, .. } => *step,
        other @ EventBody::Runner { .. } => panic!("not about a task: {other:?}"),
    }
}

/// Every event of a task until it has succeeded.
async fn events_to_success(live: &mut LiveSocket) -> Vec<LiveEvent> {
    let mut events = Vec::new();
    loop {
        let event = next_event(live).await;
        let step = step_of(&event);
        events.push(event);
        if step == TaskStep::Succeeded {
            return events;
        }
    }
}

#[tokio::test]
async fn a_task_is_told_step_by_step_in_order() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let mut live = user.live().await;
    assert!(matches!(next(&mut live).await, ServerMessage::Hello { .. }));
    subscribe(&mut live, Topic::Tasks, None).await;
    assert!(matches!(
        next(&mut live).await,
        ServerMessage::Subscribed {
            topic: Topic::Tasks,
            ..
        }
    ));

    let id = user.posts(&Task::running(&["echo", "hi"])).await;
    let events = events_to_success(&mut live).await;
    let steps: Vec<TaskStep> = events.iter().map(step_of).collect();
    assert_eq!(
        steps,
        [
            TaskStep::Posted,
            TaskStep::Leased,
            TaskStep::Started,
            TaskStep::Succeeded
        ]
    );
    assert!(events.is_sorted_by(|a, b| a.cursor < b.cursor));
    let timeline: Vec<i64> = user
        .task(id)
        .await
        .timeline
        .iter()
        .map(|entry| entry.cursor)
        .collect();
    let cursors: Vec<i64> = events.iter().map(|event| event.cursor).collect();
    assert_eq!(cursors, timeline, "socket and timeline tell the same story");
}

#[tokio::test]
async fn a_subscriber_that_drops_and_returns_misses_nothing_and_sees_nothing_twice() {
    let engine = TestEngine::connect();
    let mut server = TestServer::start().await;
    let user = server.user();
    let id = user.posts(&Task::running(&["true"])).await;
    let start = user.task(id).await.cursor - 1;

    let mut live = user.live().await;
    subscribe(&mut live, Topic::Task { id }, Some(start)).await;
    let first = next_event(&mut live).await;
    assert_eq!(step_of(&first), TaskStep::Posted);
    drop(live);

    let _runner = TestRunner::start(&server, &engine).await;
    user.sees_end(id).await;
    let mut live = user.live().await;
    subscribe(&mut live, Topic::Task { id }, Some(first.cursor)).await;
    let second = next_event(&mut live).await;
    drop(live);
    server.kill_nine();
    server.restart().await;

    let mut live = user.live().await;
    subscribe(&mut live, Topic::Task { id }, Some(second.cursor)).await;
    let rest = events_to_success(&mut live).await;
    let mut seen = vec![first.cursor, second.cursor];
    seen.extend(rest.iter().map(|event| event.cursor));
    let timeline: Vec<i64> = user
        .task(id)
        .await
        .timeline
        .iter()
        .map(|entry| entry.cursor)
        .collect();
    assert_eq!(seen, timeline);
}

/// Follows a log on the socket from what is already there; stops after so many chunks, or at the end.
async fn follow(user: &TestUser, task: TaskId, epoch: u64, from_seq: u64, most: usize) -> Followed {
    let mut live = user.live().await;
    live.send(&ClientMessage::FollowLog {
        task,
        epoch,
        from_seq,
    })
    .await
    .expect("the socket works");
    let mut followed = Followed {
        epoch,
        ..Followed::default()
    };
    while followed.seqs.len() < most {
        match next(&mut live).await {
            ServerMessage::Log { epoch, chunks, .. } => {
                followed.epoch = epoch;
                followed.seqs.extend(chunks.iter().map(|chunk| chunk.seq));
                followed.text.extend(chunks.into_iter().map(|chunk| chunk.text));
            }
            ServerMessage::LogEnd { .. } => break,
            ServerMessage::Hello { .. } => {}
            other => panic!("not about the log: {other:?}"),
        }
    }
    followed
}

#[derive(Debug, Default)]
struct Followed {
    epoch: u64,
    seqs: Vec<u64>,
    text: String,
}

#[tokio::test]
async fn a_log_follower_that_drops_and_returns_has_every_chunk_once() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let id = user.posts(&Task::counting(300)).await;
    let mut whole = follow(&user, id, 0, 0, 3).await;
    let next_seq = whole.seqs.last().unwrap() + 1;
    let rest = follow(&user, id, whole.epoch, next_seq, usize::MAX).await;
    whole.seqs.extend(rest.seqs);
    whole.text.push_str(&rest.text);
    assert_eq!(whole.text, Task::counted(300));
    let count = u64::try_from(whole.seqs.len()).unwrap();
    assert_eq!(whole.seqs, (0..count).collect::<Vec<_>>());
}

/// More events than the server keeps ready for latecomers and the network holds on its way, each as large as may be.
const FLOOD: usize = 9_000;

async fn post_flood(user: &TestUser) {
    let task = Task::running(&["true"]).titled(&"\u{1f980}".repeat(200));
    let posts = stream::iter(0..FLOOD).map(|_| user.posts(&task));
    let posted = posts.buffer_unordered(64).count().await;
    assert_eq!(posted, FLOOD);
}

#[tokio::test]
async fn a_reader_that_sleeps_is_told_so_and_holds_up_nobody() {
    let server = TestServer::start().await;
    let user = server.user();
    let mut sleeper = user.live().await;
    subscribe(&mut sleeper, Topic::Tasks, None).await;
    let mut attentive = user.live().await;
    subscribe(&mut attentive, Topic::Tasks, None).await;
    let counting = tokio::spawn(async move {
        let mut cursors = Vec::new();
        while cursors.len() < FLOOD {
            cursors.push(next_event(&mut attentive).await.cursor);
        }
        cursors
    });

    post_flood(&user).await;
    let cursors = counting.await.unwrap();
    assert!(
        cursors.is_sorted_by(|a, b| a < b),
        "an attentive reader has everything once and in order"
    );

    let resume = loop {
        match next(&mut sleeper).await {
            ServerMessage::Lagged {
                topic: Topic::Tasks,
                cursor,
            } => break cursor,
            ServerMessage::Event(_) | ServerMessage::Hello { .. } | ServerMessage::Subscribed { .. } => {}
            other => panic!("not expected: {other:?}"),
        }
    };
    let last = *cursors.last().unwrap();
    assert!(resume <= last, "nothing is skipped that has not happened yet");
    let id = user.posts(&Task::running(&["true"])).await;
    loop {
        let event = next_event(&mut sleeper).await;
        assert!(event.cursor > resume);
        if matches!(&event.body, EventBody::Task { task, .. } if task.id == id) {
            break;
        }
    }
}

#[tokio::test]
async fn runners_come_and_go_live() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let user = server.user();
    let mut live = user.live().await;
    subscribe(&mut live, Topic::Runners, None).await;
    assert!(matches!(next(&mut live).await, ServerMessage::Hello { .. }));
    assert!(matches!(next(&mut live).await, ServerMessage::Subscribed { .. }));
    let mut runner = TestRunner::start(&server, &engine).await;
    let id = runner.id();
    let is_about = |event: &LiveEvent, status: &str| match &event.body {
        EventBody::Runner { runner } => runner.id == id && runner.status.as_str() == status,
        EventBody::Task { .. } => false,
    };
    while !is_about(&next_event(&mut live).await, "online") {}
    runner.terminate().await;
    while !is_about(&next_event(&mut live).await, "offline") {}
}

#[tokio::test]
async fn nonsense_is_answered_and_does_not_end_the_connection_of_others() {
    let server = TestServer::start().await;
    let user = server.user();
    let mut other = user.live().await;
    subscribe(&mut other, Topic::Tasks, None).await;
    let mut live = user.live().await;
    let task = "0198c0de-0000-7000-8000-000000000001".parse().unwrap();
    live.send(&ClientMessage::FollowLog {
        task,
        epoch: 0,
        from_seq: 0,
    })
    .await
    .unwrap();
    loop {
        match next(&mut live).await {
            ServerMessage::Hello { .. } => {}
            ServerMessage::Error { code, .. } => {
                assert_eq!(code, ErrorCode::NotFound);
                break;
            }
            other => panic!("not expected: {other:?}"),
        }
    }
    let id = user.posts(&Task::running(&["true"])).await;
    let event = next_event(&mut other).await;
    assert!(matches!(&event.body, EventBody::Task { task, .. } if task.id == id));
    assert_eq!(user.task(id).await.status, TaskStatus::Queued);
}

#[tokio::test]
async fn a_page_of_another_site_cannot_open_the_socket() {
    let server = TestServer::start().await;
    let user = server.user();
    let upgrade = |origin: &str| {
        let request = user.request(Method::GET, "/api/v1/live").header("origin", origin);
        let request = request
            .header("connection", "upgrade")
            .header("upgrade", "websocket");
        request
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA==")
    };
    let answer = user.send(upgrade("https://elsewhere.example")).await;
    assert_eq!(
        (answer.status, answer.problem().code),
        (403, ErrorCode::Forbidden)
    );
    let own = within("an answer", upgrade(server.url()).send()).await.unwrap();
    assert_eq!(own.status(), 101);
}

//! What a command writes, complete and in order, by every way there is to read it.

use client::LogQuery;
use protocol::log::LogStream;
use protocol::task::TaskStatus;
use serde_json::json;
use tests::{Task, TestEngine, TestRunner, TestServer, TestUser};

fn numbers(count: u32) -> String {
    let lines: Vec<String> = (1..=count).map(|number| format!("{number}\n")).collect();
    lines.concat()
}

/// The log as its JSON pages tell it, and their chunk numbers.
async fn paged(user: &TestUser, id: protocol::id::TaskId) -> (String, Vec<u64>) {
    let (mut text, mut seqs, mut from_seq) = (String::new(), Vec::new(), 0);
    loop {
        let page = user.client().log_page(id, None, from_seq).await.expect("a page");
        for chunk in &page.chunks {
            text.push_str(&chunk.text);
            seqs.push(chunk.seq);
        }
        if page.complete {
            return (text, seqs);
        }
        assert!(page.next_seq > from_seq, "the pages do not go on: {from_seq}");
        from_seq = page.next_seq;
    }
}

#[tokio::test]
async fn ten_thousand_lines_are_complete_and_in_order_by_every_way() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let id = user.posts(&Task::running(&["seq", "1", "10000"])).await;
    let expected = numbers(10_000);

    let followed = user.follows_log(id).await;
    assert_eq!(String::from_utf8(followed).unwrap(), expected);
    assert_eq!(user.task(id).await.status, TaskStatus::Succeeded);
    assert_eq!(user.log(id).await, expected);

    let (text, seqs) = paged(&user, id).await;
    assert_eq!(text, expected);
    let count = u64::try_from(seqs.len()).unwrap();
    assert_eq!(seqs, (0..count).collect::<Vec<_>>());
}

#[tokio::test]
async fn ranges_put_together_are_the_whole() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let id = user.posts(&Task::running(&["seq", "1", "2000"])).await;
    user.sees_end(id).await;
    let expected = numbers(2000);
    let mut together = Vec::new();
    // A length that is no divisor of any chunk, so that ranges begin and end in the middle of chunks.
    for offset in (0..expected.len()).step_by(997) {
        let query = LogQuery {
            offset: u64::try_from(offset).unwrap(),
            limit: Some(997),
            ..LogQuery::default()
        };
        together.extend_from_slice(&user.log_of(id, &query).await);
    }
    assert_eq!(String::from_utf8(together).unwrap(), expected);
    let beyond = LogQuery {
        offset: 1_000_000,
        ..LogQuery::default()
    };
    assert_eq!(user.log_of(id, &beyond).await, "");
}

#[tokio::test]
async fn standard_error_is_kept_apart_and_loses_nothing() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let script = "for i in $(seq 1 500); do echo out $i; echo err $i >&2; done";
    let id = user.posts(&Task::shell(script)).await;
    assert_eq!(user.sees_end(id).await.status, TaskStatus::Succeeded);
    let mut total = 0;
    for (stream, word) in [(LogStream::Stdout, "out"), (LogStream::Stderr, "err")] {
        let query = LogQuery {
            stream: Some(stream),
            ..LogQuery::default()
        };
        let lines: Vec<String> = (1..=500).map(|number| format!("{word} {number}\n")).collect();
        let log = user.log_of(id, &query).await;
        assert_eq!(log, lines.concat());
        total += log.len();
    }
    assert_eq!(user.log(id).await.len(), total);
}

#[tokio::test]
async fn bytes_that_are_no_text_arrive_exactly() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let octal: Vec<String> = (0..=255).map(|byte| format!("\\{byte:03o}")).collect();
    let script = format!("for i in $(seq 1 200); do printf '{}'; done", octal.concat());
    let id = user.posts(&Task::shell(&script)).await;
    assert_eq!(user.sees_end(id).await.status, TaskStatus::Succeeded);
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    assert_eq!(user.log(id).await, every_byte.repeat(200));
}

#[tokio::test]
async fn a_log_is_shown_while_the_task_runs() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let id = user.posts(&Task::shell("echo first; sleep 60; echo last")).await;
    assert_eq!(user.sees_log(id, 6).await, "first\n");
    assert_eq!(user.task(id).await.status, TaskStatus::Running);
    user.cancels(id).await;
    user.sees_end(id).await;
    assert_eq!(user.log(id).await, "first\n");
}

#[tokio::test]
async fn a_log_over_its_limit_ends_the_task_and_says_so() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let id = user
        .posts(&Task::running(&["yes"]).limited(json!({ "log": "64k" })))
        .await;
    let task = user.sees_end(id).await;
    assert_eq!(task.status, TaskStatus::Failed);
    assert_eq!(
        task.outcome.unwrap().reason,
        protocol::outcome::OutcomeReason::LogLimit
    );
    let query = LogQuery {
        stream: Some(LogStream::Stdout),
        ..LogQuery::default()
    };
    let log = user.log_of(id, &query).await;
    assert!(log.len() <= 64 * 1024, "{}", log.len());
    assert!(log.starts_with(b"y\ny\n"));
}

#[tokio::test]
async fn a_task_without_output_has_an_empty_log() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let user = server.user();
    let id = user.posts(&Task::running(&["true"])).await;
    assert_eq!(user.log(id).await, "", "before the first attempt");
    let _runner = TestRunner::start(&server, &engine).await;
    user.sees_end(id).await;
    assert_eq!(user.log(id).await, "");
    assert_eq!(user.follows_log(id).await, b"");
}

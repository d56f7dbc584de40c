//! A server whose answers are written down beforehand, to break off where a real one seldom does.

use std::fmt::Write;

use protocol::error::ErrorCode;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const TASK: &str = "0198c0de-0000-7000-8000-000000000001";

/// Answers each request with the next line of the script and fails the test when another request comes.
async fn serve(listener: TcpListener, script: Vec<(String, String)>) {
    for (expected, answer) in script {
        let (mut socket, _) = listener.accept().await.unwrap();
        assert_eq!(read_target(&mut socket).await, expected);
        socket.write_all(answer.as_bytes()).await.unwrap();
        socket.shutdown().await.unwrap();
    }
}

async fn read_target(socket: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    head.split(' ').nth(1).unwrap().replace("/api/v1/tasks/", "")
}

fn answer(kind: &str, status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

fn task(epoch: u64, status: &str) -> (String, String) {
    let view = json!({
        "id": TASK, "revision": 1, "status": status, "payment": "unpriced", "epoch": epoch, "posted_at_ms": 1,
        "deadline_at_ms": 2, "attempts": [], "timeline": [], "cursor": 1,
        "spec": {
            "title": "t", "image": "alpine", "max_attempts": 1, "give_up_after": "1h",
            "reward": { "amount": "0", "token": "PAR", "decimals": 18 },
        },
    });
    (
        TASK.to_owned(),
        answer("application/json", "200 OK", &view.to_string()),
    )
}

fn log(query: &str, body: &str) -> (String, String) {
    (
        format!("{TASK}/logs?{query}"),
        answer("text/plain", "200 OK", body),
    )
}

/// An answer that ends in the middle of what it promised.
fn broken_log(query: &str, body: &str) -> (String, String) {
    let (target, whole) = log(query, &format!("{body}never sent"));
    (target, whole.replace("never sent", ""))
}

/// What a follower hands out of this script, attempts after the first marked.
async fn followed(script: Vec<(String, String)>) -> Result<String, ClientError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(serve(listener, script));
    let mut follow = Client::new(&address).unwrap().follow_log(TASK.parse().unwrap());
    let mut text = String::new();
    while let Some(item) = follow.next().await? {
        match item {
            FollowItem::Bytes(bytes) => text.push_str(std::str::from_utf8(&bytes).unwrap()),
            FollowItem::NewAttempt { epoch } => write!(text, "[attempt {epoch}]").unwrap(),
        }
    }
    server.await.unwrap();
    Ok(text)
}

#[tokio::test]
async fn a_dropped_connection_goes_on_at_the_next_byte() {
    let script = vec![
        task(1, "running"),
        broken_log("epoch=1&follow=true", "hello "),
        log("epoch=1&offset=6&follow=true", "world"),
        task(1, "succeeded"),
        log("epoch=1&offset=11", ""),
    ];
    assert_eq!(followed(script).await.unwrap(), "hello world");
}

#[tokio::test]
async fn a_server_that_stops_politely_is_not_the_end_of_the_log() {
    let script = vec![
        task(1, "running"),
        log("epoch=1&follow=true", "one "),
        task(1, "succeeded"),
        log("epoch=1&offset=4", "two"),
    ];
    assert_eq!(followed(script).await.unwrap(), "one two");
}

#[tokio::test]
async fn a_further_attempt_begins_at_its_first_byte() {
    let script = vec![
        task(0, "queued"),
        log("follow=true", "first try"),
        task(1, "queued"),
        log("epoch=1&offset=9&follow=true", ""),
        task(2, "running"),
        log("epoch=2&follow=true", "second"),
        task(2, "succeeded"),
        log("epoch=2&offset=6", ""),
    ];
    assert_eq!(followed(script).await.unwrap(), "first try[attempt 2]second");
}

#[tokio::test]
async fn what_the_server_refuses_is_told_at_once() {
    let problem = r#"{"type":"about:blank","title":"Not found","status":404,"detail":"there is no such task","code":"not_found"}"#;
    let refusal = answer("application/problem+json", "404 Not Found", problem);
    let error = followed(vec![(TASK.to_owned(), refusal)]).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::NotFound));
    assert_eq!(error.to_string(), "there is no such task");
}

#[tokio::test]
async fn a_server_that_never_answered_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut follow = Client::new(&address).unwrap().follow_log(TASK.parse().unwrap());
    let error = follow.next().await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
}

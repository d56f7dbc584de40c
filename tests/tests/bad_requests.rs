//! What a server refuses, how precisely it says why, and that nothing of it is stored.

use protocol::error::{ErrorCode, FieldError};
use protocol::live::ServerMessage;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Task, TestServer, TestUser};

/// Where the event log stands: it moves with every change of the database that anybody can see.
async fn cursor(user: &TestUser) -> i64 {
    let hello = user.live().await.next().await.expect("the socket works");
    match hello {
        Some(ServerMessage::Hello { cursor, .. }) => cursor,
        other => panic!("not a hello: {other:?}"),
    }
}

fn field(pointer: &str, detail: &str) -> FieldError {
    FieldError {
        pointer: pointer.to_owned(),
        detail: detail.to_owned(),
    }
}

/// Bad tasks, each with the one field that is wrong and what is said about it.
fn bad_tasks() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("/title", json!(""), "must have 1 to 200 characters"),
        ("/title", json!(7), "must be a string, not a number"),
        (
            "/title",
            json!("two\nlines"),
            "must be one line without control characters",
        ),
        ("/type", json!("shell"), "must be \"docker\""),
        (
            "/config/command",
            json!("echo hi"),
            "must be an array of strings, not a string",
        ),
        (
            "/environment/config/workdir",
            json!("app"),
            "must be an absolute path without .., at most 1000 bytes",
        ),
        (
            "/environment/config/workdir",
            json!("/proc/self/fd/8"),
            "must not be under /proc, /sys or /dev",
        ),
        (
            "/environment/config/image",
            json!("127.0.0.1:5000/x"),
            "the registry must be a public host name, not an address, localhost or a single word",
        ),
        ("/reward", json!(-1), "must not be negative"),
        (
            "/reward",
            json!("NaN"),
            "must be a decimal number such as 100 or \"0.25\"",
        ),
        (
            "/reward",
            json!("0.0000000000000000001"),
            "has more than the 18 decimals of the token",
        ),
        ("/reward", json!("1e70"), "does not fit in 256 bits"),
        ("/reward", Value::Null, "is missing"),
        ("/token", json!("DOGE"), "must be one of PAR"),
        (
            "/max_attempts",
            json!(0),
            "must be a whole number between 1 and 10",
        ),
        (
            "/deadline",
            json!("soon"),
            "must be a time such as 500ms, 30s, 5m or 2h, not \"soon\"",
        ),
        ("/network", json!("open"), "this server offers only \"none\""),
    ]
}

#[tokio::test]
async fn every_bad_task_is_refused_by_name_and_nothing_is_stored() {
    let server = TestServer::start().await;
    let user = server.user();
    let before = cursor(&user).await;
    for (pointer, value, detail) in bad_tasks() {
        let task = Task::running(&["true"]).with(pointer, value.clone());
        for path in ["/api/tasks", "/api/v1/tasks"] {
            let answer = user.post_json(path, task.body()).await;
            let problem = answer.problem();
            assert_eq!(
                (answer.status, problem.code),
                (422, ErrorCode::InvalidInput),
                "{pointer}: {value}"
            );
            assert_eq!(problem.errors, [field(pointer, detail)], "{pointer}: {value}");
        }
    }
    assert_eq!(user.tasks().await.items, []);
    assert_eq!(cursor(&user).await, before);
}

#[tokio::test]
async fn all_offending_fields_are_named_at_once() {
    let server = TestServer::start().await;
    let user = server.user();
    let task = Task::running(&["true"])
        .titled("")
        .with("/colour", "red")
        .with("/config/shell", true)
        .with("/environment/config/env", vec!["OK=1", "BARE"]);
    let problem = user.post_json("/api/v1/tasks", task.body()).await.problem();
    let mut pointers: Vec<&str> = problem
        .errors
        .iter()
        .map(|error| error.pointer.as_str())
        .collect();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        ["/colour", "/config/shell", "/environment/config/env/1", "/title"]
    );
    assert_eq!(user.tasks().await.items, []);
}

fn refused(answer: &Answer, status: u16, code: ErrorCode) {
    assert_eq!(
        (answer.status, answer.problem().code),
        (status, code),
        "{answer:?}"
    );
}

#[tokio::test]
async fn requests_that_cannot_be_read_are_refused_before_their_fields() {
    let server = TestServer::start().await;
    let user = server.user();
    let path = "/api/v1/tasks";
    for body in ["", "{", "nul", "{} {}", "{\"title\": \"x\",}"] {
        refused(&user.post_json(path, body).await, 400, ErrorCode::Malformed);
    }
    let deep = "[".repeat(10_000);
    refused(&user.post_json(path, deep).await, 400, ErrorCode::Malformed);
    let not_text = user
        .request(Method::POST, path)
        .header("content-type", "application/json");
    refused(
        &user.send(not_text.body(vec![b'"', 0xff, b'"'])).await,
        400,
        ErrorCode::Malformed,
    );

    let plain = user
        .request(Method::POST, path)
        .header("content-type", "text/plain");
    let answer = user.send(plain.body(Task::running(&["true"]).body())).await;
    refused(&answer, 415, ErrorCode::UnsupportedMediaType);

    let large = Task::running(&["true"]).with("/description", "x".repeat(300_000));
    refused(
        &user.post_json(path, large.body()).await,
        413,
        ErrorCode::TooLarge,
    );

    refused(
        &user.send(user.request(Method::DELETE, path)).await,
        405,
        ErrorCode::MethodNotAllowed,
    );
    assert_eq!(user.tasks().await.items, []);
}

#[tokio::test]
async fn a_field_given_twice_is_refused() {
    let server = TestServer::start().await;
    let user = server.user();
    let body = Task::running(&["true"])
        .body()
        .replace("\"reward\":0", "\"reward\":0,\"reward\":1");
    let problem = user.post_json("/api/v1/tasks", body).await.problem();
    assert_eq!(problem.errors, [field("/reward", "is given twice")]);
    assert_eq!(user.tasks().await.items, []);
}

#[tokio::test]
async fn rewards_are_read_exactly() {
    let server = TestServer::start().await;
    let user = server.user();
    for (written, units) in [
        ("100", "100000000000000000000"),
        ("0.1", "100000000000000000"),
        ("\"0.000000000000000001\"", "1"),
        ("9007199254740993", "9007199254740993000000000000000000"),
    ] {
        let body = Task::running(&["true"])
            .body()
            .replace("\"reward\":0", &format!("\"reward\":{written}"));
        let answer = user.post_json("/api/v1/tasks", body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        assert_eq!(answer.json()["spec"]["reward"]["amount"], units, "{written}");
    }
}

#[tokio::test]
async fn bad_questions_are_refused_by_the_name_of_the_parameter() {
    let server = TestServer::start().await;
    let user = server.user();
    for (query, pointer) in [
        ("status=done", "/status"),
        ("limit=0", "/limit"),
        ("limit=101", "/limit"),
        ("limit=many", "/limit"),
        ("cursor=yesterday", "/cursor"),
    ] {
        let answer = user.get(&format!("/api/v1/tasks?{query}")).await;
        refused(&answer, 422, ErrorCode::InvalidInput);
        let problem = answer.problem();
        assert_eq!(problem.errors.len(), 1, "{query}");
        assert_eq!(problem.errors[0].pointer, pointer, "{query}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let server = TestServer::start().await;
    let user = server.user();
    let unknown = "0198c0de-0000-7000-8000-000000000001";
    for id in [
        unknown,
        "nonsense",
        "0198c0de000070008000000000000001",
        "..%2f..%2fetc",
    ] {
        for rest in ["", "/logs", "/result"] {
            let answer = user.get(&format!("/api/v1/tasks/{id}{rest}")).await;
            refused(&answer, 404, ErrorCode::NotFound);
        }
        let cancel = user.request(Method::POST, &format!("/api/v1/tasks/{id}/cancel"));
        refused(&user.send(cancel).await, 404, ErrorCode::NotFound);
    }
    refused(&user.get("/api/v1/nothing").await, 404, ErrorCode::NotFound);
}

#[tokio::test]
async fn a_result_is_a_conflict_until_there_is_one() {
    let server = TestServer::start().await;
    let user = server.user();
    let id = user.posts(&Task::running(&["true"])).await;
    refused(
        &user.get(&format!("/api/v1/tasks/{id}/result")).await,
        409,
        ErrorCode::Conflict,
    );
}

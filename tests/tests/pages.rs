//! Pages as they come from the server: whole before any script runs, and closed against other sites.

use std::collections::BTreeSet;
use std::io::Read;

use protocol::error::ErrorCode;
use protocol::runner::RunnerStatus;
use protocol::task::TaskStatus;
use reqwest::Method;
use tests::{Answer, Task, TestEngine, TestRunner, TestServer, TestUser};

/// The beginning of a tag that carries this test id.
fn has_testid(html: &str, id: &str) -> bool {
    html.contains(&format!("data-testid=\"{id}\""))
}

async fn page(user: &TestUser, path: &str) -> Answer {
    let answer = user.get(path).await;
    assert!(
        answer.header("content-type").starts_with("text/html"),
        "{path}: {answer:?}"
    );
    answer
}

#[tokio::test]
async fn the_market_is_served_with_its_tasks() {
    let server = TestServer::start().await;
    let user = server.user();
    let id = user
        .posts(&Task::running(&["true"]).titled("Find <me> & \"you\""))
        .await;
    let market = page(&user, "/").await;
    assert_eq!(market.status, 200);
    let html = market.text();
    assert!(has_testid(html, "task-row"), "{html}");
    assert!(html.contains(&format!("data-task-id=\"{id}\"")), "{html}");
    assert!(html.contains("Find &lt;me&gt; &amp; "), "{html}");
    let none = page(&user, "/?status=succeeded").await;
    assert!(
        !has_testid(none.text(), "task-row"),
        "the filter in the address holds without scripts"
    );
}

#[tokio::test]
async fn a_task_is_served_with_status_log_and_spec() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let id = user.posts(&Task::shell("echo one; echo '<b>two</b>'")).await;
    assert_eq!(user.sees_end(id).await.status, TaskStatus::Succeeded);
    let task = page(&user, &format!("/tasks/{id}")).await;
    assert_eq!(task.status, 200);
    let html = task.text();
    assert!(
        has_testid(html, "task-status") && html.contains("succeeded"),
        "{html}"
    );
    assert!(has_testid(html, "log") && html.contains("log-line"), "{html}");
    assert!(
        html.contains("&lt;b&gt;two&lt;/b&gt;") && !html.contains("<b>two</b>"),
        "{html}"
    );
    assert!(html.contains("alpine:latest"), "{html}");
}

#[tokio::test]
async fn runners_are_served_with_their_state() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    user.sees_runners(RunnerStatus::Online, 1).await;
    let runners = page(&user, "/runners").await;
    assert!(has_testid(runners.text(), "runner-row"), "{}", runners.text());
    assert!(runners.text().contains("test-runner"), "{}", runners.text());
}

#[tokio::test]
async fn what_is_not_there_says_so_with_the_right_status() {
    let server = TestServer::start().await;
    let user = server.user();
    for path in [
        "/tasks/0198c0de-0000-7000-8000-000000000001",
        "/tasks/nonsense",
        "/nowhere",
    ] {
        assert_eq!(page(&user, path).await.status, 404, "{path}");
    }
    assert_eq!(user.get("/pkg/nothing.js").await.status, 404);
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_protect_it() {
    let server = TestServer::start().await;
    let user = server.user();
    for path in [
        "/",
        "/tasks/new",
        "/runners",
        "/nowhere",
        "/api/v1/tasks",
        "/api/v1/nothing",
    ] {
        let answer = user.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        assert_ne!(answer.header("x-request-id"), "", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(
            !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"),
            "{path}: {policy}"
        );
    }
}

#[tokio::test]
async fn every_script_carries_the_nonce_of_its_answer_and_no_two_answers_share_one() {
    let server = TestServer::start().await;
    let user = server.user();
    let mut nonces = BTreeSet::new();
    for _ in 0..2 {
        let answer = page(&user, "/").await;
        let policy = answer.header("content-security-policy").to_owned();
        let nonce = policy
            .split("'nonce-")
            .nth(1)
            .and_then(|rest| rest.split('\'').next());
        let nonce = nonce.expect("the policy names a nonce").to_owned();
        let scripts: Vec<&str> = answer.text().split("<script").skip(1).collect();
        assert!(!scripts.is_empty(), "the page hydrates");
        for script in scripts {
            let tag = script.split('>').next().unwrap();
            assert!(tag.contains(&format!("nonce=\"{nonce}\"")), "<script{tag}>");
        }
        nonces.insert(nonce);
    }
    assert_eq!(nonces.len(), 2);
}

#[tokio::test]
async fn a_form_sent_by_another_site_changes_nothing() {
    let server = TestServer::start().await;
    let user = server.user();
    let fields = [
        ("title", "Theirs"),
        ("image", "alpine:latest"),
        ("command", "true"),
        ("reward", "0"),
    ];
    let form = user.request(Method::POST, "/tasks/new").form(&fields);
    let form = form
        .header("origin", "https://elsewhere.example")
        .header("sec-fetch-site", "cross-site");
    let answer = user.send(form).await;
    assert_eq!(
        (answer.status, answer.problem().code),
        (403, ErrorCode::Forbidden)
    );

    let request = user
        .request(Method::POST, "/api/v1/tasks")
        .header("content-type", "application/json");
    let request = request
        .header("origin", "https://elsewhere.example")
        .body(Task::running(&["true"]).body());
    assert_eq!(user.send(request).await.status, 403);
    assert_eq!(user.tasks().await.items, []);
}

#[tokio::test]
async fn the_form_works_without_scripts() {
    let server = TestServer::start().await;
    let user = server.user();
    let form = page(&user, "/tasks/new").await;
    for name in [
        "title",
        "description",
        "image",
        "command",
        "workdir",
        "env",
        "memory",
        "cpus",
        "timeout",
        "reward",
    ] {
        assert!(
            form.text().contains(&format!("name=\"{name}\"")),
            "{name}: {}",
            form.text()
        );
    }
    let fields = [
        ("title", "By form"),
        ("description", ""),
        ("image", "alpine:latest"),
        ("command", "echo 'two words' three"),
        ("workdir", ""),
        ("env", "A=1\r\nB=2\r\n"),
        ("memory", "64m"),
        ("cpus", ""),
        ("timeout", "30s"),
        ("reward", "0.1"),
    ];
    let answer = user.post_form("/tasks/new", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let id = answer
        .header("location")
        .strip_prefix("/tasks/")
        .expect("the new task's page")
        .parse()
        .unwrap();
    let spec = user.task(id).await.spec;
    assert_eq!(spec.title, "By form");
    assert_eq!(spec.command, ["echo", "two words", "three"]);
    assert_eq!(spec.env.len(), 2);
    assert_eq!(spec.reward.to_string(), "0.1 PAR");
    assert_eq!(spec.limits.memory.unwrap().to_string(), "64m");

    let cancelled = user.post_form(&format!("/tasks/{id}/cancel"), &[]).await;
    assert_eq!(
        (cancelled.status, cancelled.header("location")),
        (303, format!("/tasks/{id}").as_str())
    );
    assert_eq!(user.sees_end(id).await.status, TaskStatus::Cancelled);
}

#[tokio::test]
async fn a_form_filled_in_wrongly_comes_back_with_what_was_typed() {
    let server = TestServer::start().await;
    let user = server.user();
    let fields = [
        ("title", ""),
        ("image", "127.0.0.1:5000/x"),
        ("command", "echo kept"),
        ("env", "BARE"),
        ("reward", "-1"),
    ];
    let answer = user.post_form("/tasks/new", &fields).await;
    assert_eq!(answer.status, 422);
    for field in ["title", "image", "env", "reward"] {
        assert!(
            has_testid(answer.text(), &format!("error-{field}")),
            "{field}: {}",
            answer.text()
        );
    }
    assert!(!has_testid(answer.text(), "error-command"), "{}", answer.text());
    assert!(answer.text().contains("echo kept") && answer.text().contains("127.0.0.1:5000/x"));
    assert_eq!(user.tasks().await.items, []);
}

/// Addresses of the page's own files, as the page names them.
fn assets(html: &str) -> BTreeSet<String> {
    let is_end = |c: char| ['"', '\'', ')', '<', '>', ' '].contains(&c);
    let rest = html.split("/pkg/").skip(1);
    rest.map(|rest| format!("/pkg/{}", rest.split(is_end).next().unwrap_or_default()))
        .filter(|path| path.contains('.'))
        .collect()
}

#[tokio::test]
async fn the_files_of_the_page_are_kept_for_good_and_come_compressed() {
    let server = TestServer::start().await;
    let user = server.user();
    let market = page(&user, "/").await;
    let assets = assets(market.text());
    for kind in [".js", ".css", ".wasm"] {
        assert!(
            assets.iter().any(|path| path.ends_with(kind)),
            "{kind}: {assets:?}"
        );
    }
    for path in assets {
        let plain = user.get(&path).await;
        assert_eq!(plain.status, 200, "{path}");
        assert!(
            plain.header("cache-control").contains("immutable"),
            "{path}: {plain:?}"
        );
        assert!(
            plain.header("vary").to_lowercase().contains("accept-encoding"),
            "{path}"
        );
        for encoding in ["br", "gzip"] {
            let packed = user
                .send(
                    user.request(Method::GET, &path)
                        .header("accept-encoding", encoding),
                )
                .await;
            assert_eq!(packed.header("content-encoding"), encoding, "{path}");
            assert_eq!(unpacked(&packed, encoding), plain.body, "{path}");
        }
    }
}

fn unpacked(answer: &Answer, encoding: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let packed = answer.body.as_ref();
    let read = if encoding == "br" {
        brotli::Decompressor::new(packed, 4096).read_to_end(&mut bytes)
    } else {
        flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes)
    };
    read.expect("the file can be unpacked");
    bytes
}

//! The pages as the server sends them: what a reader without scripts sees, and what the module takes over.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so best where it stands"
)]

mod support;

use app::pages::task_new::{SubmittedForm, TaskForm};
use protocol::error::FieldError;
use protocol::log::{LogPage, LogStream};
use support::samples::{self, failed_task, queued_task, runner, running_task, succeeded_task, task_id};
use support::{FakeBackend, get, visit};

fn with_task(task: protocol::task::TaskView, log: LogPage) -> FakeBackend {
    FakeBackend {
        tasks: vec![task],
        log,
        ..FakeBackend::default()
    }
}

/// What only a scriptless reader notices: a part that came late would wait in a template for a script to place it.
fn assert_whole(html: &str) {
    assert!(
        !html.contains("<template"),
        "a part of the page needs a script to be seen"
    );
    for script in html.split("<script").skip(1) {
        let tag = script.split('>').next().unwrap_or_default();
        assert!(tag.contains("nonce="), "a script without a nonce: <script{tag}>");
    }
    assert!(
        !html.contains(" style="),
        "an inline style, which the policy forbids"
    );
}

#[tokio::test]
async fn the_market_lists_tasks() {
    let backend = FakeBackend {
        tasks: vec![running_task(2), queued_task(1)],
        next_cursor: Some("older".to_owned()),
        ..FakeBackend::default()
    };
    let page = get("/", backend).await;
    assert_eq!(page.status, 200);
    assert_whole(&page.html);
    assert_eq!(page.texts_of("task-row").len(), 2);
    page.assert_contains(&format!("href=\"/tasks/{}\"", task_id(2)));
    page.assert_contains("alpine:latest");
    page.assert_contains("100 PAR");
    page.assert_contains("<time datetime=\"2026-11-");
    page.assert_contains("href=\"/?cursor=older\"");
}

#[tokio::test]
async fn the_filter_is_in_the_address() {
    let backend = FakeBackend {
        tasks: vec![running_task(2), queued_task(1)],
        ..FakeBackend::default()
    };
    let page = get("/?status=running", backend).await;
    assert_eq!(page.texts_of("task-row").len(), 1);
    page.assert_contains("href=\"/?status=running\" aria-current=\"true\"");
}

#[tokio::test]
async fn an_empty_market_names_the_next_step() {
    let page = get("/", FakeBackend::default()).await;
    page.assert_contains("Post the first task");
    let filtered = get("/?status=failed", FakeBackend::default()).await;
    filtered.assert_contains("Show all tasks");
}

#[tokio::test]
async fn a_task_says_how_it_stands() {
    let task = running_task(1);
    let page = get(&format!("/tasks/{}", task.id), with_task(task, samples::log(&[]))).await;
    assert_eq!(page.status, 200);
    assert_whole(&page.html);
    assert_eq!(page.texts_of("task-status"), ["running"]);
    page.assert_contains("<title>running · Docker Task · Parity</title>");
    page.assert_contains("cellar-01");
    page.assert_contains("+ 2.0 s");
    page.assert_contains("echo 'hello world'");
    page.assert_contains("http-equiv=\"refresh\"");
    page.assert_contains(&format!("action=\"/tasks/{}/cancel\"", task_id(1)));
}

#[tokio::test]
async fn a_finished_task_says_how_it_ended() {
    let task = failed_task(1);
    let page = get(&format!("/tasks/{}", task.id), with_task(task, samples::log(&[]))).await;
    assert_eq!(page.texts_of("task-status"), ["failed"]);
    page.assert_contains("It ran out of memory and was killed");
    page.assert_contains("Over its limit of 64m.");
    page.assert_contains("2 of at most 3");
    assert!(!page.contains("http-equiv"), "nothing changes any more");
    assert!(!page.contains("/cancel"));
}

#[tokio::test]
async fn the_log_is_there_line_by_line_and_harmless() {
    let task = succeeded_task(1);
    let log = samples::log(&[
        (LogStream::Stdout, "hello world\n\n<script>alert(1)</script>\n"),
        (LogStream::Stderr, "\u{1b}[31mred\u{1b}[0m\u{202e}\n"),
        (LogStream::Runner, "the log ends here"),
    ]);
    let page = get(&format!("/tasks/{}", task.id), with_task(task, log)).await;
    assert_whole(&page.html);
    page.assert_contains("data-n=\"1\" class=\"log-line\">hello world</div>");
    page.assert_contains("data-n=\"2\" class=\"log-line\"><!></div>");
    page.assert_contains("data-n=\"3\" class=\"log-line\">&lt;script&gt;alert(1)&lt;/script&gt;");
    page.assert_contains("data-n=\"4\" class=\"log-line is-stderr\">red</div>");
    page.assert_contains("data-n=\"5\" class=\"log-line is-runner\">the log ends here");
}

#[tokio::test]
async fn a_long_log_is_complete() {
    let lines: Vec<String> = (1..=10_000).map(|n| format!("line {n}\n")).collect();
    let whole = lines.concat();
    let task = succeeded_task(1);
    let log = samples::log(&[(LogStream::Stdout, whole.as_str())]);
    let page = get(&format!("/tasks/{}", task.id), with_task(task, log)).await;
    assert_eq!(page.html.matches("class=\"log-line\"").count(), 10_000);
    page.assert_contains("data-n=\"10000\" class=\"log-line\">line 10000</div>");
    page.assert_contains("10000 lines");
}

#[tokio::test]
async fn the_command_for_the_log_names_this_server() {
    let task = succeeded_task(1);
    let page = get(&format!("/tasks/{}", task.id), with_task(task, samples::log(&[]))).await;
    page.assert_contains(&format!(
        "curl http://parity.example:8080/api/v1/tasks/{}/logs",
        task_id(1)
    ));
}

#[tokio::test]
async fn what_does_not_exist_is_404() {
    for path in [
        format!("/tasks/{}", task_id(9)),
        "/tasks/nonsense".to_owned(),
        "/nope".to_owned(),
    ] {
        let page = get(&path, FakeBackend::default()).await;
        assert_eq!(page.status, 404, "{path}");
        page.assert_contains("Not found");
        assert_whole(&page.html);
    }
}

#[tokio::test]
async fn runners_are_listed() {
    let backend = FakeBackend {
        runners: vec![runner()],
        ..FakeBackend::default()
    };
    let page = get("/runners", backend).await;
    assert_eq!(page.texts_of("runner-row").len(), 1);
    page.assert_contains("1 online, 1 of 4 slots busy");
    page.assert_contains("linux/amd64, 4.0 cores, 8g memory");
    page.assert_contains("gpu=none");
    let empty = get("/runners", FakeBackend::default()).await;
    empty.assert_contains("parity runner --server http://parity.example:8080");
}

#[tokio::test]
async fn the_form_works_without_the_module() {
    let page = get("/tasks/new", FakeBackend::default()).await;
    assert_eq!(page.status, 200);
    assert_whole(&page.html);
    page.assert_contains("method=\"post\" action=\"/tasks/new\"");
    for name in ["title", "image", "command", "env", "reward", "max_attempts"] {
        page.assert_contains(&format!("name=\"{name}\""));
    }
    assert!(!page.contains("data-testid=\"form-errors\""));
}

#[tokio::test]
async fn a_refused_form_keeps_its_values_and_says_what_is_wrong_where() {
    let error = |pointer: &str, detail: &str| FieldError {
        pointer: pointer.to_owned(),
        detail: detail.to_owned(),
    };
    let submitted = SubmittedForm {
        values: TaskForm {
            title: "\"quoted\" & kept".to_owned(),
            command: "</textarea><script>alert(1)</script>".to_owned(),
            env: "BARE".to_owned(),
            ..TaskForm::default()
        },
        errors: vec![
            error("/environment/config/env/0", "must be NAME=value"),
            error("/reward", "is missing"),
        ],
    };
    let page = visit("/tasks/new", FakeBackend::default(), Some(submitted)).await;
    assert_whole(&page.html);
    assert_eq!(page.texts_of("error-env"), ["entry 1 must be NAME=value"]);
    assert_eq!(page.texts_of("error-reward"), ["is missing"]);
    page.assert_contains("aria-describedby=\"error-reward hint-reward\" aria-invalid=\"true\"");
    page.assert_contains("value=\"&quot;quoted&quot; &amp; kept\"");
    page.assert_contains("\n&lt;/textarea&gt;&lt;script&gt;");
    page.assert_contains("href=\"#field-reward\"");
}

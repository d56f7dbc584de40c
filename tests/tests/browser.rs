//! Pages in a real browser: what a person sees without touching anything, with scripts and without.

use protocol::task::TaskStatus;
use serde_json::{Value, json};
use tests::{Scheme, Task, TestBrowser, TestEngine, TestRunner, TestServer, until};

const STATUS: &str = "[data-testid=task-status]";
/// The button of the form, whose type is `submit` by default.
const POST_BUTTON: &str = "form[action='/tasks/new'] :is([type=submit], button:not([type]))";
/// What makes the page scroll sideways.
const TOO_WIDE: &str = "document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] :
    [...document.querySelectorAll('body *')]
        .filter(element => element.getBoundingClientRect().right > document.documentElement.clientWidth)
        .map(element => `${element.tagName}.${element.className}`)";
const LOG_LINES: &str =
    "[...document.querySelectorAll('[data-testid=log] .log-line')].map(line => line.textContent)";

/// A condition on the status of the task at hand.
fn status_is(status: TaskStatus) -> String {
    format!(
        "document.querySelector('{STATUS}')?.textContent.trim() === '{}'",
        status.as_str()
    )
}

fn task_of(path: &str) -> protocol::id::TaskId {
    path.strip_prefix("/tasks/")
        .expect("the page of a task")
        .parse()
        .expect("its id")
}

#[tokio::test]
async fn a_task_is_posted_and_followed_without_scripts() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let browser = TestBrowser::without_scripts().await;
    browser.opens(&format!("{}/tasks/new", server.url())).await;
    browser.fills("title", "Without scripts").await;
    browser.fills("image", "alpine:latest").await;
    browser.fills("command", "echo plain old form").await;
    browser.fills("reward", "0.5").await;
    browser.clicks(POST_BUTTON).await;
    until("the task's own page opens", async || {
        browser.path().await.starts_with("/tasks/0").then_some(())
    })
    .await;
    server.user().sees_end(task_of(&browser.path().await)).await;
    browser.reloads().await;
    assert_eq!(browser.reads(STATUS).await, "succeeded");
    assert!(
        browser
            .reads("[data-testid=log]")
            .await
            .contains("plain old form")
    );
    browser.closes().await;
}

#[tokio::test]
async fn mistakes_are_shown_beside_their_fields_without_scripts() {
    let server = TestServer::start().await;
    let browser = TestBrowser::without_scripts().await;
    browser.opens(&format!("{}/tasks/new", server.url())).await;
    browser.fills("title", "Kept").await;
    browser.fills("image", "127.0.0.1:5000/x").await;
    browser.clicks(POST_BUTTON).await;
    let shown = until("the mistake is shown", async || {
        let page = browser.reads("body").await;
        page.contains("must be a public host name").then_some(page)
    });
    shown.await;
    assert!(
        browser
            .reads("[data-testid=error-image]")
            .await
            .contains("must be a public host name")
    );
    // Chromium itself writes the status of the page to the console.
    let complaints = browser.complaints().await;
    assert!(
        complaints
            .iter()
            .all(|complaint| complaint.contains("status of 422")),
        "{complaints:#?}"
    );
    browser.closes().await;
    assert_eq!(server.user().tasks().await.items, []);
}

#[tokio::test]
async fn a_task_posted_in_the_page_is_seen_running_line_by_line() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let browser = TestBrowser::start().await;
    browser.opens(server.url()).await;
    browser.sees_hydrated().await;
    browser
        .sees(
            "a live connection",
            "document.querySelector('[data-testid=live]')?.dataset.state === 'live'",
        )
        .await;
    browser.clicks("a[href='/tasks/new']").await;
    browser
        .sees("the form", "document.querySelector('main form [name=image]')")
        .await;
    browser.fills("title", "With scripts").await;
    browser.fills("image", "alpine:latest").await;
    browser.fills("command", "sh -c 'echo first; sleep 3600'").await;
    browser.fills("reward", "0.5").await;
    browser.clicks(POST_BUTTON).await;
    browser
        .sees("the task's own page", "location.pathname.startsWith('/tasks/0')")
        .await;
    browser.marks_document().await;
    browser
        .sees("that it runs", &status_is(TaskStatus::Running))
        .await;
    browser
        .sees("the first line", &format!("{LOG_LINES}.includes('first')"))
        .await;

    user.cancels(task_of(&browser.path().await)).await;
    browser
        .sees("that it is cancelled", &status_is(TaskStatus::Cancelled))
        .await;
    assert!(browser.is_same_document().await, "nothing was reloaded");
    browser.closes().await;
}

#[tokio::test]
async fn ten_thousand_lines_are_on_the_page_complete_and_in_order() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let user = server.user();
    let id = user.posts(&Task::running(&["seq", "1", "10000"])).await;
    let browser = TestBrowser::start().await;
    browser.opens(&format!("{}/tasks/{id}", server.url())).await;
    browser.sees_hydrated().await;
    browser.marks_document().await;
    // Only now, so that every line comes over the socket.
    let _runner = TestRunner::start(&server, &engine).await;
    browser.sees("the end", &status_is(TaskStatus::Succeeded)).await;
    browser
        .sees("the last line", &format!("{LOG_LINES}.at(-1) === '10000'"))
        .await;
    assert!(browser.is_same_document().await, "nothing was reloaded");
    let expected: Vec<String> = (1..=10_000).map(|number| number.to_string()).collect();
    assert_eq!(browser.evaluates(LOG_LINES).await, Value::from(expected.clone()));

    browser.reloads().await;
    browser.sees_hydrated().await;
    browser
        .sees("the last line again", &format!("{LOG_LINES}.at(-1) === '10000'"))
        .await;
    assert_eq!(
        browser.evaluates(LOG_LINES).await,
        Value::from(expected),
        "served and read again"
    );
    browser.closes().await;
}

#[tokio::test]
async fn the_market_shows_what_others_do() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let user = server.user();
    let browser = TestBrowser::start().await;
    browser.opens(server.url()).await;
    browser.sees_hydrated().await;
    browser.marks_document().await;
    let id = user
        .posts(&Task::running(&["true"]).titled("Somebody else's"))
        .await;
    let row = format!("document.querySelector('[data-testid=task-row][data-task-id=\"{id}\"]')");
    browser
        .sees(
            "the new task",
            &format!("{row}?.textContent.includes(\"Somebody else's\")"),
        )
        .await;
    let _runner = TestRunner::start(&server, &engine).await;
    browser
        .sees(
            "its success",
            &format!("{row}?.textContent.includes('succeeded')"),
        )
        .await;
    assert!(browser.is_same_document().await, "nothing was reloaded");
    browser.closes().await;
}

#[tokio::test]
async fn the_page_catches_up_after_the_server_was_away() {
    let engine = TestEngine::connect();
    let mut server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let id = user.posts(&Task::counting(200)).await;
    let browser = TestBrowser::start().await;
    browser.opens(&format!("{}/tasks/{id}", server.url())).await;
    browser.sees_hydrated().await;
    browser.marks_document().await;
    user.sees_log(id, Task::counted(20).len()).await;
    server.kill_nine();
    server.restart().await;
    browser.sees("the end", &status_is(TaskStatus::Succeeded)).await;
    browser
        .sees("the last line", &format!("{LOG_LINES}.at(-1) === 'line 200'"))
        .await;
    let expected: Vec<String> = (1..=200).map(|number| format!("line {number}")).collect();
    assert_eq!(browser.evaluates(LOG_LINES).await, Value::from(expected));
    assert!(browser.is_same_document().await, "nothing was reloaded");
    // A connection that was refused is on the console, and rightly so.
    let complaints = browser.complaints().await;
    assert!(
        complaints.iter().all(|complaint| complaint.contains("WebSocket")),
        "{complaints:#?}"
    );
    browser.closes().await;
}

#[tokio::test]
async fn runners_are_shown_as_they_come() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let browser = TestBrowser::start().await;
    browser.opens(&format!("{}/runners", server.url())).await;
    browser.sees_hydrated().await;
    browser.marks_document().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let row = "document.querySelector('[data-testid=runner-row]')?.textContent";
    browser
        .sees("the runner", &format!("{row}?.includes('test-runner')"))
        .await;
    browser
        .sees("that it is online", &format!("{row}?.includes('online')"))
        .await;
    assert!(browser.is_same_document().await, "nothing was reloaded");
    browser.closes().await;
}

#[tokio::test]
async fn pages_fit_a_phone_and_a_wide_screen_in_light_and_dark() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let title = "A title_without_any_place_to_break_the_line_that_goes_on_and_on_and_on_and_on_and_on_and_on";
    let id = user
        .posts(&Task::running(&["seq", "1", "30"]).titled(title))
        .await;
    user.sees_end(id).await;
    let browser = TestBrowser::start().await;
    for (name, path) in [
        ("market", "/".to_owned()),
        ("task", format!("/tasks/{id}")),
        ("new-task", "/tasks/new".to_owned()),
        ("runners", "/runners".to_owned()),
    ] {
        let mut colours = Vec::new();
        for scheme in [Scheme::Light, Scheme::Dark] {
            browser.prefers(scheme).await;
            for (width, height) in [(360, 780), (1280, 900), (1920, 1080)] {
                browser.resizes(width, height).await;
                browser.opens(&format!("{}{path}", server.url())).await;
                browser.sees_hydrated().await;
                assert_eq!(
                    browser.evaluates(TOO_WIDE).await,
                    json!([]),
                    "{name} at {width} pixels"
                );
                browser
                    .photographs(&format!("{name}-{}-{width}", scheme.as_str()))
                    .await;
            }
            colours.push(
                browser
                    .evaluates("getComputedStyle(document.body).backgroundColor")
                    .await,
            );
        }
        assert_ne!(colours[0], colours[1], "{name} looks the same in light and dark");
    }
    browser.closes().await;
}

//! The command line as people and scripts use it.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use protocol::page::Page;
use protocol::task::{TaskStatus, TaskSummary, TaskView};
use tests::{Program, Task, TestEngine, TestRunner, TestServer, binary};

const UNKNOWN: &str = "0198c0de-0000-7000-8000-000000000001";

fn parity(server: &TestServer) -> Command {
    let mut command = Command::new(binary("parity"));
    command.env("PARITY_SERVER", server.url());
    command
}

/// Runs to the end; standard output as text.
async fn run(command: &mut Command) -> (i32, String, String) {
    let (code, said, complaint) = Program::start(command).finish().await;
    (code.expect("an exit code"), said, complaint)
}

async fn type_in(server: &TestServer, words: &[&str]) -> (i32, String, String) {
    run(parity(server).args(words)).await
}

#[tokio::test]
async fn a_task_created_by_flags_is_waited_for() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let words = [
        "task",
        "create",
        "--wait",
        "--image",
        "alpine:latest",
        "--title",
        "By hand",
        "--env",
        "A=1",
        "--workdir",
        "/",
        "--memory",
        "64m",
        "--cpus",
        "0.5",
        "--timeout",
        "30s",
        "--reward",
        "0.25",
        "--",
        "sh",
        "-c",
        "echo A is $A",
    ];
    let (code, said, complaint) = type_in(&server, &words).await;
    assert_eq!((code, said.as_str()), (0, "A is 1"), "{complaint}");
    assert!(complaint.contains("succeeded: exit code 0"), "{complaint}");
    let listed = server.user().tasks().await.items;
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].title.as_str(), listed[0].reward.to_string().as_str()),
        ("By hand", "0.25 PAR")
    );
}

#[tokio::test]
async fn the_exit_code_is_the_tasks_own() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let create = ["task", "create", "--wait", "--image", "alpine:latest"];
    let failing = [&create[..], &["--", "sh", "-c", "exit 42"]].concat();
    assert_eq!(type_in(&server, &failing).await.0, 42);
    let late = [&create[..], &["--timeout", "500ms", "--", "sleep", "60"]].concat();
    let (code, _, complaint) = type_in(&server, &late).await;
    assert_ne!(code, 0);
    assert!(complaint.contains("timed out"), "{complaint}");
}

#[tokio::test]
async fn a_file_is_posted_as_it_is() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("task.json");
    fs::write(&file, Task::running(&["true"]).titled("From a file").body()).unwrap();
    let (code, id, _) = run(parity(&server).args(["task", "create", "--file"]).arg(&file)).await;
    assert_eq!(code, 0);
    let task = server.user().task(id.parse().unwrap()).await;
    assert_eq!(task.spec.title, "From a file");

    fs::write(&file, "{\"title\": 7}").unwrap();
    let (code, said, complaint) = run(parity(&server).args(["task", "create", "--file"]).arg(&file)).await;
    assert_eq!((code, said.as_str()), (1, ""));
    assert!(
        complaint.contains("/title: must be a string, not a number"),
        "{complaint}"
    );
    assert!(complaint.contains("/environment: is missing"), "{complaint}");
}

#[tokio::test]
async fn a_file_may_come_by_standard_input() {
    let server = TestServer::start().await;
    let mut command = parity(&server);
    command
        .args(["task", "create", "--file", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let body = Task::running(&["true"]).titled("From a pipe").body();
    child.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let id = String::from_utf8(output.stdout).unwrap();
    let task = server.user().task(id.trim_end().parse().unwrap()).await;
    assert_eq!(task.spec.title, "From a pipe");
}

#[tokio::test]
async fn json_is_what_the_api_says() {
    let server = TestServer::start().await;
    let user = server.user();
    let id = user.posts(&Task::running(&["true"])).await;
    let (_, listed, _) = type_in(&server, &["--json", "task", "list"]).await;
    let page: Page<TaskSummary> = serde_json::from_str(&listed).unwrap();
    assert_eq!(page, user.tasks().await);
    let (_, shown, _) = type_in(&server, &["task", "show", &id.to_string(), "--json"]).await;
    let task: TaskView = serde_json::from_str(&shown).unwrap();
    assert_eq!(task, user.task(id).await);
    let (code, said, problem) = type_in(&server, &["--json", "task", "show", UNKNOWN]).await;
    assert_eq!((code, said.as_str()), (4, ""));
    let problem: protocol::error::Problem = serde_json::from_str(&problem).unwrap();
    assert_eq!(problem.status, 404);
}

#[tokio::test]
async fn people_see_lists_and_details() {
    let server = TestServer::start().await;
    let user = server.user();
    let first = user.posts(&Task::running(&["echo", "hi"]).titled("First")).await;
    let second = user.posts(&Task::running(&["true"]).titled("Second")).await;
    let (_, listed, _) = type_in(&server, &["task", "list", "--limit", "1"]).await;
    assert!(
        listed.contains(&second.to_string()) && listed.contains("Second"),
        "{listed}"
    );
    assert!(
        !listed.contains(&first.to_string()),
        "newest first, as many as asked for"
    );
    assert!(!listed.contains('\x1b'), "no colour into a pipe: {listed}");
    let (_, shown, _) = type_in(&server, &["task", "show", &first.to_string()]).await;
    assert!(
        shown.contains("First") && shown.contains("[\"echo\", \"hi\"]") && shown.contains("queued"),
        "{shown}"
    );
    let (code, said, _) = type_in(&server, &["task", "cancel", &first.to_string()]).await;
    assert_eq!((code, said.as_str()), (0, "cancelled"));
    let (_, listed, _) = type_in(&server, &["task", "list", "--status", "cancelled"]).await;
    assert!(listed.contains("First") && !listed.contains("Second"), "{listed}");
}

#[tokio::test]
async fn exit_codes_are_the_documented_ones() {
    let mut server = TestServer::start().await;
    let user = server.user();
    let id = user.posts(&Task::running(&["true"])).await.to_string();
    assert_eq!(type_in(&server, &["task", "show", UNKNOWN]).await.0, 4);
    assert_eq!(type_in(&server, &["task", "logs", UNKNOWN]).await.0, 4);
    assert_eq!(type_in(&server, &["task", "show", "nonsense"]).await.0, 2);
    assert_eq!(type_in(&server, &["task", "sing"]).await.0, 2);
    assert_eq!(type_in(&server, &["task", "cancel", &id]).await.0, 0);
    assert_eq!(type_in(&server, &["task", "cancel", &id]).await.0, 5);
    server.kill_nine();
    let (code, said, complaint) = type_in(&server, &["task", "list"]).await;
    assert_eq!((code, said.as_str()), (6, ""));
    assert!(complaint.contains("cannot reach"), "{complaint}");
}

/// The command at a terminal of its own, which `script` of util-linux gives it.
fn on_terminal(server: &TestServer, words: &str) -> Command {
    let line = format!("{} {words}", binary("parity").display());
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    command
        .env("PARITY_SERVER", server.url())
        .env_remove("NO_COLOR")
        .env("TERM", "xterm");
    command
}

#[tokio::test]
async fn a_hostile_log_reaches_a_pipe_exactly_and_a_terminal_harmlessly() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let id = user
        .posts(&Task::running(&["printf", r"\033]0;owned\007\033[2J\377end\n"]))
        .await;
    assert_eq!(user.sees_end(id).await.status, TaskStatus::Succeeded);
    let piped = parity(&server)
        .args(["task", "logs", &id.to_string()])
        .output()
        .unwrap();
    assert_eq!(piped.stdout, b"\x1b]0;owned\x07\x1b[2J\xffend\n");
    let shown = on_terminal(&server, &format!("task logs {id}")).output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&shown.stdout),
        "^[]0;owned^G^[[2J\u{fffd}end\r\n"
    );
}

#[tokio::test]
async fn colours_are_for_terminals_that_want_them() {
    let server = TestServer::start().await;
    server.user().posts(&Task::running(&["true"])).await;
    let coloured = on_terminal(&server, "task list").output().unwrap();
    assert!(coloured.stdout.contains(&0x1b), "{coloured:?}");
    let plain = on_terminal(&server, "task list")
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    assert!(
        plain.status.success() && !plain.stdout.contains(&0x1b),
        "{plain:?}"
    );
}

#[tokio::test]
async fn a_log_is_followed_to_the_end_of_the_task() {
    let engine = TestEngine::connect();
    let server = TestServer::start().await;
    let _runner = TestRunner::start(&server, &engine).await;
    let user = server.user();
    let id = user.posts(&Task::counting(100)).await.to_string();
    let (code, said, complaint) = type_in(&server, &["task", "logs", &id, "--follow"]).await;
    assert_eq!(code, 0, "{complaint}");
    assert_eq!(format!("{said}\n"), Task::counted(100));
    for follow in [
        &["--json", "task", "logs", &id, "--follow"][..],
        &["--json", "task", "logs", &id],
    ] {
        let (_, chunks, _) = type_in(&server, follow).await;
        let chunks = chunks
            .lines()
            .map(|line| serde_json::from_str::<protocol::log::LogChunkView>(line).unwrap());
        let text: String = chunks.map(|chunk| chunk.text).collect();
        assert_eq!(text, Task::counted(100));
    }
}

#[tokio::test]
async fn server_and_runner_start_by_the_one_command() {
    let engine = TestEngine::connect();
    let folder = tempfile::Builder::new().prefix("parity-test-").tempdir().unwrap();
    let mut command = Command::new(binary("parity"));
    command
        .args(["server", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.path().join("server"));
    let mut server = Program::start(&mut command);
    let url = server.says("parity-server listening on ").await;
    let mut command = Command::new(binary("parity"));
    command.args([
        "runner",
        "--server",
        &url,
        "--docker-host",
        engine.host(),
        "--data-dir",
    ]);
    let mut runner = Program::start(command.arg(folder.path().join("runner")));
    runner
        .says(&format!("parity-runner connected to {url} as "))
        .await;
    assert!(runner.terminate().await.success());
    assert!(server.terminate().await.success());
}

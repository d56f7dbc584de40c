//! A program that was configured wrongly does not start, and says where the mistake is and what would be right.

use std::fs;
use std::process::Command;

use tests::{Program, binary};

/// Starts a program with a configuration file and returns its exit code and complaint, the folder's name taken out.
async fn start_with(program: &str, yaml: &str) -> (Option<i32>, String) {
    let folder = tempfile::Builder::new()
        .prefix("parity-test-")
        .tempdir()
        .expect("a temporary folder");
    let path = folder.path().join("parity.yaml");
    fs::write(&path, yaml).expect("the folder is writable");
    let mut command = Command::new(binary(program));
    command
        .arg("--config")
        .arg(&path)
        .arg("--data-dir")
        .arg(folder.path().join("data"));
    let (code, said, complaint) = Program::start(&mut command).finish().await;
    assert_eq!(said, "", "a program that does not start greets nobody");
    assert!(
        !folder.path().join("data").exists(),
        "nothing is written before the configuration is read"
    );
    (
        code,
        complaint.replace(&format!("{}/", folder.path().display()), ""),
    )
}

async fn refuses(program: &str, cases: &[(&str, &str)]) {
    for (yaml, expected) in cases {
        let (code, complaint) = start_with(program, yaml).await;
        assert_eq!(complaint, format!("{program}: {expected}\n"), "{yaml}");
        assert!(code.is_some_and(|code| code != 0), "{yaml}: {code:?}");
    }
}

#[tokio::test]
async fn a_server_names_file_line_and_what_would_be_right() {
    refuses(
        "parity-server",
        &[
            (
                "server:\n  listen: everywhere\n",
                "parity.yaml:2: server.listen: invalid socket address syntax",
            ),
            (
                "server:\n  lisen: 127.0.0.1:0\n",
                "parity.yaml:2: server.lisen: no such key; known here: data_dir, drain, lease, listen, \
                 max_connections, ops_listen, tokens",
            ),
            (
                "# a comment\nserver:\n  lease:\n    duration: 1s\n",
                "parity.yaml:4: server.lease.duration: must be from 2s to 1h, not 1s",
            ),
            (
                "server:\n  max_connections: many\n",
                "parity.yaml:2: server.max_connections: must be a whole number from 0 to 18446744073709551615, not \
                 \"many\"",
            ),
            ("sever:\n  listen: 127.0.0.1:0\n", "parity.yaml:1: sever: no such section; known here: runner, server"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_runner_names_file_line_and_what_would_be_right() {
    refuses(
        "parity-runner",
        &[
            (
                "runner:\n  docker:\n    memory_limit: \"lots\"\n",
                "parity.yaml:3: runner.docker.memory_limit: must be a size such as 64k, 512m or 2g (units of 1024), \
                 not \"lots\"",
            ),
            (
                "runner:\n  docker:\n    cpu_limit: \"-1\"\n",
                "parity.yaml:3: runner.docker.cpu_limit: must be a number of processors such as 0.5 or 2, not \"-1\"",
            ),
            (
                "runner:\n  docker:\n    timeout: 5\n",
                "parity.yaml:3: runner.docker.timeout: must be a time such as 500ms, 30s, 5m or 2h, not \"5\"",
            ),
            ("runner:\n  slots: 0\n", "parity.yaml:2: runner.slots: must be from 1 to 256, not 0"),
            (
                "runner:\n  docker:\n    memory: 512m\n",
                "parity.yaml:3: runner.docker.memory: no such key; known here: allowed_registries, cpu_limit, disk, \
                 host, log, memory_limit, output, pids, pull_timeout, timeout",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_is_no_yaml_is_refused_with_its_line() {
    for program in ["parity-server", "parity-runner"] {
        let (code, complaint) = start_with(program, "server:\n  listen: [1, 2\nrunner: {}\n").await;
        assert!(code.is_some_and(|code| code != 0), "{complaint}: {code:?}");
        assert!(
            complaint.starts_with(&format!("{program}: parity.yaml:")),
            "{complaint}"
        );
        assert!(complaint.contains("not valid YAML"), "{complaint}");
    }
}

#[tokio::test]
async fn a_variable_and_a_flag_are_named_like_a_line() {
    let mut command = Command::new(binary("parity-runner"));
    command.env("PARITY_RUNNER__DOCKER__MEMORY_LIMIT", "much");
    let (code, _, complaint) = Program::start(&mut command).finish().await;
    let name = "PARITY_RUNNER__DOCKER__MEMORY_LIMIT: runner.docker.memory_limit: must be a size";
    assert!(complaint.contains(name), "{complaint}");
    assert!(code.is_some_and(|code| code != 0), "{code:?}");

    let mut command = Command::new(binary("parity-server"));
    let (code, _, complaint) = Program::start(command.args(["--listen", "here"])).finish().await;
    assert!(complaint.contains("--listen: server.listen: "), "{complaint}");
    assert!(code.is_some_and(|code| code != 0), "{code:?}");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    for program in ["parity-server", "parity-runner"] {
        let mut command = Command::new(binary(program));
        let (code, _, complaint) = Program::start(command.args(["--config", "/no/such/file"]))
            .finish()
            .await;
        assert!(complaint.contains("/no/such/file: cannot be read"), "{complaint}");
        assert!(code.is_some_and(|code| code != 0), "{code:?}");
    }
}

//! The real thing: tasks in containers of a real engine (`DOCKER_HOST`, else Docker's usual socket), through the same
//! attempt that the runner runs. Needs the image `alpine:latest`; without an engine every test fails and says so.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod harness;

use std::time::Duration;

use harness::{TestRunner, inspect, task};
use protocol::agent::Stage;
use protocol::log::LogStream;
use protocol::outcome::{Fault, OutcomeReason};
use protocol::quantity::{ByteSize, Span};
use protocol::task::EnvVar;
use runner::attempt::Cause;
use runner::sandbox::Sandbox;
use serde_json::{Value, json};

#[tokio::test]
async fn the_documented_request_says_hello() {
    let runner = TestRunner::connect().await;
    let mut spec = task(&["echo", "hello world"]);
    spec.workdir = Some("/app".to_owned());
    spec.env = vec![EnvVar {
        name: "KEY".to_owned(),
        value: "value".to_owned(),
    }];
    let ran = runner.run(spec).await;
    assert!(ran.outcome.is_success(), "{:?}", ran.outcome);
    assert_eq!(ran.stdout(), "hello world\n");
    assert_eq!(ran.stages, [Stage::Running]);
    assert_eq!(ran.outcome.usage.log_bytes, 12);
    assert!(ran.outcome.image_digest.unwrap().starts_with("sha256:"));
}

#[tokio::test]
async fn the_exit_code_is_the_commands_own() {
    let ran = TestRunner::connect()
        .await
        .shell("echo out; echo err >&2; exit 3")
        .await;
    assert_eq!(ran.outcome.reason, OutcomeReason::Exited);
    assert_eq!(ran.outcome.exit_code, Some(3));
    assert_eq!(ran.outcome.fault, Fault::Task);
    assert_eq!(ran.stdout(), "out\n");
    assert_eq!(ran.text(LogStream::Stderr), "err\n");
}

#[tokio::test]
async fn over_its_time_it_is_killed_whatever_it_ignores() {
    let runner = TestRunner::connect().await;
    let mut spec = task(&["sh", "-c", "trap '' TERM INT; echo up; while :; do sleep 1; done"]);
    spec.limits.timeout = Some(Span::from_secs(1));
    let ran = runner.run(spec).await;
    assert_eq!(ran.outcome.reason, OutcomeReason::TimedOut);
    assert_eq!(ran.outcome.detail.as_deref(), Some("over its limit of 1s"));
    assert_eq!(ran.outcome.exit_code, Some(137));
    assert!(
        (1000..3000).contains(&ran.outcome.usage.wall_ms),
        "{:?}",
        ran.outcome
    );
    assert_eq!(ran.stdout(), "up\n");
}

#[tokio::test]
async fn over_its_memory_it_is_out_of_memory_also_with_exit_code_0() {
    let runner = TestRunner::connect().await;
    for script in [
        "tail /dev/zero",
        "head -c 100m /dev/zero > /dev/shm/fill; head -c 100m /dev/zero > /tmp/fill; exit 0",
        // The shell outlives its child for a moment: old engines forget a kill they hear of only after the end.
        "(tail /dev/zero); usleep 300000; exit 0",
    ] {
        let mut spec = task(&["sh", "-c", script]);
        spec.limits.memory = Some(ByteSize::mib(32));
        let ran = runner.run(spec).await;
        assert_eq!(
            ran.outcome.reason,
            OutcomeReason::OutOfMemory,
            "{script}: {:?}",
            ran.outcome
        );
        assert_eq!(
            ran.outcome.detail.as_deref(),
            Some("over its memory limit of 32m")
        );
        assert!(ran.outcome.oom_killed);
    }
}

#[tokio::test]
async fn a_flood_of_log_is_cut_and_killed() {
    let runner = TestRunner::connect().await;
    let mut spec = task(&["yes"]);
    spec.limits.log = Some(ByteSize::kib(64));
    let ran = runner.run(spec).await;
    assert_eq!(ran.outcome.reason, OutcomeReason::LogLimit);
    assert_eq!(ran.outcome.detail.as_deref(), Some("over its log limit of 64k"));
    assert_eq!(ran.stdout().len(), 64 * 1024);
    assert_eq!(
        ran.text(LogStream::Runner),
        "the log limit of 64k is reached: the rest is cut\n"
    );
    assert_eq!(ran.log.last().unwrap().0, LogStream::Runner);
}

#[tokio::test]
async fn ten_thousand_lines_arrive_whole_and_in_order() {
    let ran = TestRunner::connect().await.shell("seq 10000").await;
    let lines: Vec<_> = (1..=10_000).map(|n| n.to_string()).collect();
    assert!(ran.outcome.is_success());
    assert!(ran.stdout().lines().eq(lines));
}

#[tokio::test]
async fn the_inside_is_closed() {
    let script = r#"
id -u; id -g
grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status | tr -d '\t '
ls /sys/class/net
touch /etc/x 2>/dev/null && echo wrote root
mount -t tmpfs none /mnt 2>/dev/null && echo mounted
unshare -U true 2>/dev/null && echo namespace
mknod /tmp/null c 1 3 2>/dev/null && echo device
ls /var/run/docker.sock 2>/dev/null
ulimit -n; ulimit -c
echo "$HOME"; hostname
"#;
    let ran = TestRunner::connect().await.shell(script).await;
    let expected = "20007 20007 CapEff:0000000000000000 CapBnd:0000000000000000 NoNewPrivs:1 Seccomp:2 lo 4096 0 \
                    /tmp parity";
    assert_eq!(ran.stdout().lines().collect::<Vec<_>>().join(" "), expected);
}

#[tokio::test]
async fn writable_places_are_owned_capped_and_fresh() {
    let runner = TestRunner::connect().await;
    let script = "for p in /app /data /tmp; do touch $p/f && stat -c '%n %u' $p/f; \
                  head -c 3m /dev/zero > $p/big 2>/dev/null; stat -c '%s' $p/big; done; \
                  touch /dev/shm/f && echo shm; pwd";
    let mut spec = task(&["sh", "-c", script]);
    spec.workdir = Some("/app".to_owned());
    spec.volumes = [("cache".to_owned(), "/data".to_owned())].into();
    spec.limits.disk = Some(ByteSize::mib(1));
    for _ in 0..2 {
        let ran = runner.run(spec.clone()).await;
        assert_eq!(
            ran.stdout(),
            "/app/f 20007\n1048576\n/data/f 20007\n1048576\n/tmp/f 20007\n1048576\nshm\n/app\n",
            "{:?}",
            ran.outcome
        );
    }
}

#[tokio::test]
async fn an_existing_workdir_keeps_its_files() {
    let runner = TestRunner::connect().await;
    let mut spec = task(&["cat", "passwd"]);
    spec.workdir = Some("/etc".to_owned());
    assert!(runner.run(spec).await.stdout().starts_with("root:"));
}

#[tokio::test]
async fn a_fork_bomb_stays_inside() {
    let runner = TestRunner::connect().await;
    let mut spec = task(&["sh", "-c", "f() { f | f & }; f; sleep 60"]);
    spec.limits.pids = Some(32);
    spec.limits.timeout = Some(Span::from_secs(2));
    let ran = runner.run(spec).await;
    assert!(
        matches!(
            ran.outcome.reason,
            OutcomeReason::TimedOut | OutcomeReason::Exited | OutcomeReason::LogLimit
        ),
        "{:?}",
        ran.outcome
    );
}

#[tokio::test]
async fn a_command_that_does_not_exist_is_not_runnable() {
    let runner = TestRunner::connect().await;
    for (command, detail) in [
        ("no-such-command", "no-such-command: no such file or directory"),
        ("/etc/passwd", "/etc/passwd: permission denied"),
    ] {
        let ran = runner.run(task(&[command])).await;
        assert_eq!(
            ran.outcome.reason,
            OutcomeReason::CommandNotRunnable,
            "{:?}",
            ran.outcome
        );
        assert_eq!(ran.outcome.detail.as_deref(), Some(detail));
        assert_eq!(ran.outcome.exit_code, None);
        assert_eq!(ran.outcome.fault, Fault::Task);
    }
    let ran = runner.shell("no-such-command").await;
    assert_eq!(
        (ran.outcome.reason, ran.outcome.exit_code),
        (OutcomeReason::Exited, Some(127))
    );
}

#[tokio::test]
async fn cancelling_gives_the_grace_and_then_kills() {
    let runner = TestRunner::connect().await;
    let mut polite = runner.start(task(&[
        "sh",
        "-c",
        "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.1; done",
    ]));
    polite.until_first_line().await;
    polite.stop(Cause::Cancelled {
        grace: Duration::from_secs(20),
    });
    let ran = polite.finish().await;
    assert_eq!(ran.outcome.reason, OutcomeReason::Cancelled);
    assert_eq!((ran.outcome.exit_code, ran.stdout().as_str()), (Some(0), "bye\n"));

    let mut deaf = runner.start(task(&[
        "sh",
        "-c",
        "trap '' TERM; echo up; while :; do sleep 1; done",
    ]));
    deaf.until_first_line().await;
    deaf.stop(Cause::Cancelled {
        grace: Duration::from_millis(300),
    });
    let ran = deaf.finish().await;
    assert_eq!(ran.outcome.reason, OutcomeReason::Cancelled);
    assert_eq!(ran.outcome.exit_code, Some(137));
    assert_eq!(ran.outcome.fault, Fault::None);
}

#[tokio::test]
async fn images_from_elsewhere_are_refused_before_anybody_is_asked() {
    let runner = TestRunner::connect().await;
    let mut spec = task(&["true"]);
    spec.image = "registry.example.com/a/b:latest".parse().unwrap();
    let ran = runner.run(spec).await;
    assert_eq!(ran.outcome.reason, OutcomeReason::ImageRefused);
    assert_eq!(
        ran.outcome.detail.as_deref(),
        Some("the registry registry.example.com is not among those this runner pulls from (docker.io)")
    );
    assert!(ran.stages.is_empty());
}

#[tokio::test]
async fn a_runner_that_dies_leaves_what_the_next_one_finds() {
    let runner = TestRunner::connect().await;
    let mut attempt = runner.start(task(&["sh", "-c", "echo up; sleep 60"]));
    attempt.until_first_line().await;
    let found = runner.sandbox.cages().await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].attempt, Some(attempt.key));
    let other = TestRunner::connect().await;
    assert!(
        other.sandbox.cages().await.unwrap().is_empty(),
        "another runner's are not ours"
    );
    for leftover in &found {
        runner.sandbox.remove(leftover).await.unwrap();
    }
    assert!(runner.sandbox.cages().await.unwrap().is_empty());
    attempt.finish().await;
}

#[tokio::test]
async fn the_engine_confirms_every_bar_of_the_cage() {
    let runner = TestRunner::connect().await;
    let mut attempt = runner.start(task(&["sh", "-c", "echo up; sleep 60"]));
    attempt.until_first_line().await;
    let container = inspect(&runner.sandbox.cages().await.unwrap()[0].id);
    let (host, config) = (&container["HostConfig"], &container["Config"]);
    for (what, value, expected) in [
        ("capabilities", &host["CapDrop"], json!(["ALL"])),
        ("no added capability", &host["CapAdd"], Value::Null),
        ("privileged", &host["Privileged"], json!(false)),
        ("root", &host["ReadonlyRootfs"], json!(true)),
        ("network", &host["NetworkMode"], json!("none")),
        ("processes", &host["PidMode"], json!("")),
        ("interprocess", &host["IpcMode"], json!("private")),
        ("memory", &host["Memory"], json!(536_870_912)),
        ("memory and swap", &host["MemorySwap"], json!(536_870_912)),
        ("processors", &host["NanoCpus"], json!(1_000_000_000)),
        ("pids", &host["PidsLimit"], json!(256)),
        ("log driver", &host["LogConfig"]["Type"], json!("none")),
        ("binds", &host["Binds"], Value::Null),
        ("devices", &host["Devices"], Value::Null),
        ("restart", &host["RestartPolicy"]["Name"], json!("no")),
        ("user", &config["User"], json!("20007:20007")),
        ("health check", &config["Healthcheck"]["Test"], json!(["NONE"])),
        ("mounts", &container["Mounts"], json!([])),
    ] {
        assert_eq!(*value, expected, "{what}");
    }
    let security: Vec<&str> = host["SecurityOpt"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(security[0], "no-new-privileges:true");
    assert!(security[1].starts_with("seccomp={"));
    attempt.stop(Cause::RunnerStopped);
    assert_eq!(
        attempt.finish().await.outcome.reason,
        OutcomeReason::RunnerStopped
    );
}

#[tokio::test]
async fn the_kernel_is_reached_by_three_kinds_of_sockets_only() {
    let ran = TestRunner::connect().await.shell("ip addr").await;
    assert_eq!(ran.outcome.exit_code, Some(1));
    assert!(
        ran.text(LogStream::Stderr).contains("Operation not permitted"),
        "{ran:?}"
    );
}

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{SpecPolicy, parse_task};
use crate::error::{ApiError, ErrorCode};
use crate::quantity::{ByteSize, Cpus, Span};
use crate::task::{Limits, PayOn, TaskSpec};

/// The documented request, byte for byte.
const DOCUMENTED: &str = r#"{
  "title": "Docker Task", "type": "docker",
  "config": { "command": ["echo", "hello world"] },
  "environment": { "type": "docker", "config": { "image": "alpine:latest", "workdir": "/app", "env": ["KEY=value"] } },
  "reward": 100 }"#;

fn parse(value: &Value) -> Result<TaskSpec, ApiError> {
    parse_task(&value.to_string(), &SpecPolicy::default())
}

fn documented_with(pointer: &str, value: Value) -> Value {
    let mut task: Value = serde_json::from_str(DOCUMENTED).unwrap();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    task.pointer_mut(parent).unwrap()[name] = value;
    task
}

/// The pointers and details of a refusal.
fn refusal(value: &Value) -> Vec<(String, String)> {
    let error = parse(value).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidInput);
    error
        .errors
        .into_iter()
        .map(|error| (error.pointer, error.detail))
        .collect()
}

#[test]
fn the_documented_request_is_read() {
    let spec = parse_task(DOCUMENTED, &SpecPolicy::default()).unwrap();
    assert_eq!(spec.title, "Docker Task");
    assert_eq!(spec.image.as_str(), "alpine:latest");
    assert_eq!(spec.command, ["echo", "hello world"]);
    assert_eq!(spec.workdir.as_deref(), Some("/app"));
    assert_eq!(spec.env[0].to_string(), "KEY=value");
    assert_eq!(spec.reward.to_string(), "100 PAR");
    assert_eq!(spec.reward.amount.to_string(), "100000000000000000000");
    assert_eq!((spec.max_attempts, spec.pay_on), (3, PayOn::Success));
}

#[test]
fn a_spec_survives_its_own_json() {
    let spec = parse_task(DOCUMENTED, &SpecPolicy::default()).unwrap();
    let json = serde_json::to_string(&spec).unwrap();
    assert_eq!(serde_json::from_str::<TaskSpec>(&json).unwrap(), spec);
}

#[test]
fn rewards_are_exact() {
    for (reward, units) in [
        ("0.1", "100000000000000000"),
        ("\"0.000000000000000001\"", "1"),
        ("9007199254740993", "9007199254740993000000000000000000"),
        ("1e2", "100000000000000000000"),
    ] {
        let body = DOCUMENTED.replace("\"reward\": 100", &format!("\"reward\": {reward}"));
        let spec = parse_task(&body, &SpecPolicy::default()).unwrap();
        assert_eq!(spec.reward.amount.to_string(), units, "{reward}");
    }
}

#[test]
fn wrong_fields_are_each_named_with_the_fix() {
    for (pointer, value, detail) in [
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
        (
            "/reward",
            json!(true),
            "must be a number or a decimal string, not a boolean",
        ),
        ("/token", json!("DOGE"), "must be one of PAR"),
        ("/title", json!(""), "must have 1 to 200 characters"),
        ("/title", json!("x".repeat(201)), "must have 1 to 200 characters"),
        ("/title", json!(7), "must be a string, not a number"),
        ("/type", json!("shell"), "must be \"docker\""),
        ("/environment/type", json!("vm"), "must be \"docker\""),
        (
            "/config/command",
            json!("echo hi"),
            "must be an array of strings, not a string",
        ),
        ("/config/limits", json!([]), "must be an object, not an array"),
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
            "/max_attempts",
            json!(0),
            "must be a whole number between 1 and 10",
        ),
        (
            "/deadline",
            json!("soon"),
            "must be a time such as 500ms, 30s, 5m or 2h, not \"soon\"",
        ),
        (
            "/pay_on",
            json!("never"),
            "must be \"success\" or \"completion\", not a string",
        ),
        ("/network", json!("open"), "this server offers only \"none\""),
        (
            "/outputs",
            json!(["/out/x"]),
            "is not offered by this server; leave it out",
        ),
    ] {
        let found = refusal(&documented_with(pointer, value.clone()));
        assert_eq!(
            found,
            [(pointer.to_owned(), detail.to_owned())],
            "{pointer} = {value}"
        );
    }
}

#[test]
fn limits_have_units_and_bounds() {
    let limits =
        json!({ "memory": "64m", "cpus": 2, "timeout": "90s", "pids": 64, "disk": "1g", "log": "1m" });
    let spec = parse(&documented_with("/config/limits", limits)).unwrap();
    assert_eq!(spec.limits.memory, Some(ByteSize::mib(64)));
    assert_eq!(spec.limits.cpus, Some(Cpus::from_millis(2000)));
    assert_eq!(spec.limits.timeout, Some(Span::from_secs(90)));
    for (name, value) in [
        ("memory", json!("0")),
        ("memory", json!("1k")),
        ("memory", json!("lots")),
        ("cpus", json!("-1")),
        ("cpus", json!(0)),
        ("timeout", json!("0s")),
        ("timeout", json!("forever")),
        ("pids", json!(1)),
        ("pids", json!(1.5)),
        ("pids", json!("many")),
    ] {
        let found = refusal(&documented_with("/config/limits", json!({ name: value })));
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert_eq!(found[0].0, format!("/config/limits/{name}"));
    }
}

#[test]
fn a_server_cap_bounds_limits() {
    let policy = SpecPolicy {
        caps: Limits {
            memory: ByteSize::gib(1),
            ..Limits::MAX
        },
        ..SpecPolicy::default()
    };
    let task = documented_with("/config/limits", json!({ "memory": "2g" })).to_string();
    let error = parse_task(&task, &policy).unwrap_err();
    assert_eq!(error.errors[0].detail, "must be between 6m and 1g");
}

#[test]
fn every_offending_field_is_named_at_once() {
    let task = json!({
        "title": "", "type": "docker", "colour": "red",
        "config": { "command": ["echo", 1, null], "shell": true },
        "environment": { "type": "docker", "config": {
            "image": "127.0.0.1:5000/x", "env": ["OK=1", "BARE", "1BAD=x"],
            "volumes": { "/etc": "/etc", "ok": "/" } } },
    });
    let mut pointers: Vec<String> = refusal(&task).into_iter().map(|(pointer, _)| pointer).collect();
    pointers.sort();
    assert_eq!(
        pointers,
        [
            "/colour",
            "/config/command/1",
            "/config/command/2",
            "/config/shell",
            "/environment/config/env/1",
            "/environment/config/env/2",
            "/environment/config/image",
            "/environment/config/volumes/ok",
            "/environment/config/volumes/~1etc",
            "/reward",
            "/title",
        ]
    );
}

#[test]
fn a_field_given_twice_is_refused() {
    let body = DOCUMENTED.replace("\"reward\": 100", "\"reward\": 100, \"reward\": 1");
    let error = parse_task(&body, &SpecPolicy::default()).unwrap_err();
    assert_eq!(error.errors[0].pointer, "/reward");
    assert_eq!(error.errors[0].detail, "is given twice");
}

#[test]
fn what_is_no_json_is_malformed() {
    for body in ["", "{", "{\"title\": \"x\",}", "nul", "{} {}"] {
        assert_eq!(
            parse_task(body, &SpecPolicy::default()).unwrap_err().code,
            ErrorCode::Malformed,
            "{body}"
        );
    }
    assert_eq!(
        parse_task("[]", &SpecPolicy::default()).unwrap_err().code,
        ErrorCode::InvalidInput
    );
    let deep = "[".repeat(10_000);
    assert_eq!(
        parse_task(&deep, &SpecPolicy::default()).unwrap_err().code,
        ErrorCode::Malformed
    );
}

proptest! {
    #[test]
    fn no_body_panics(body: String) {
        let _result = parse_task(&body, &SpecPolicy::default());
    }

    /// A change anywhere in the documented request is either read or refused with at least one named field.
    #[test]
    fn a_refusal_always_says_why(at in 0..DOCUMENTED.len(), with in "[ -~]{0,3}") {
        let mut body = DOCUMENTED.to_owned();
        if body.is_char_boundary(at) {
            body.replace_range(at..=at, &with);
        }
        if let Err(error) = parse_task(&body, &SpecPolicy::default()) {
            prop_assert!(error.code == ErrorCode::Malformed || !error.errors.is_empty());
        }
    }
}

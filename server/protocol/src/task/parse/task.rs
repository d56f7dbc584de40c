//! The whole task, and the fields at its top.

use serde_json::value::RawValue;

use super::config::read_config;
use super::environment::read_environment;
use super::reader::{Complaints, ObjectReader};
use super::requires::read_requires;
use super::reward::read_reward;
use super::values::{check_docker, read_number, read_quantity};
use crate::amount::TokenInfo;
use crate::error::{ApiError, ErrorCode, FieldError};
use crate::quantity::Span;
use crate::task::{EnvVar, Limits, PayOn, TaskSpec};

/// The largest body of a task that is read.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

const MAX_TITLE: usize = 200;
const MAX_DESCRIPTION: usize = 10_000;
/// Command and environment together. The kernel's own bound is 128 KiB for one argument.
const MAX_ARG_BYTES: usize = 64 * 1024;
const MAX_ATTEMPTS: u32 = 10;
const DEFAULT_ATTEMPTS: u32 = 3;
const DEFAULT_GIVE_UP: Span = Span::from_secs(24 * 3600);
const MAX_GIVE_UP: Span = Span::from_secs(30 * 24 * 3600);
const MIN_GIVE_UP: Span = Span::from_secs(1);

/// What this server accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecPolicy {
    /// The first is the default. Never empty.
    pub tokens: Vec<TokenInfo>,
    /// The most a task may ask for on this server.
    pub caps: Limits,
}

impl Default for SpecPolicy {
    fn default() -> Self {
        Self {
            tokens: vec![TokenInfo {
                symbol: "PAR".to_owned(),
                decimals: 18,
            }],
            caps: Limits::MAX,
        }
    }
}

/// Reads the JSON body of `POST /tasks`.
///
/// # Errors
/// [`ErrorCode::Malformed`] when it is no JSON, else [`ErrorCode::InvalidInput`] with every wrong field.
pub fn parse_task(body: &str, policy: &SpecPolicy) -> Result<TaskSpec, ApiError> {
    let raw: &RawValue = serde_json::from_str(body)
        .map_err(|error| ApiError::new(ErrorCode::Malformed, format!("the body is not JSON: {error}")))?;
    let mut complaints = Complaints::default();
    let spec = ObjectReader::new("", raw, &mut complaints)
        .and_then(|object| read_task(object, policy, &mut complaints));
    match spec {
        Some(spec) if complaints.is_empty() => Ok(spec),
        _ => Err(ApiError::invalid_input(complaints.into_errors())),
    }
}

fn read_task(mut task: ObjectReader, policy: &SpecPolicy, complaints: &mut Complaints) -> Option<TaskSpec> {
    let title = read_title(&mut task, complaints);
    let description = read_description(&mut task, complaints);
    if let Some(kind) = task.required::<String>("type", "a string", complaints) {
        check_docker(&task.pointer_to("type"), &kind, complaints);
    }
    let config = read_config(&mut task, policy, complaints);
    let environment = read_environment(&mut task, complaints);
    let reward = read_reward(&mut task, policy, complaints);
    let max_attempts = read_max_attempts(&mut task, complaints);
    let pay_on = read_pay_on(&mut task, complaints);
    let requires = read_requires(&mut task, complaints);
    let give_up_after = read_deadline(&mut task, complaints);
    refuse_unoffered(&mut task, complaints);
    task.finish(complaints);
    let (command, limits) = config?;
    let environment = environment?;
    check_arg_bytes(&command, &environment.env, complaints);
    Some(TaskSpec {
        title: title?,
        description,
        image: environment.image?,
        command,
        workdir: environment.workdir,
        env: environment.env,
        volumes: environment.volumes,
        limits,
        reward: reward?,
        max_attempts,
        pay_on,
        requires,
        give_up_after,
    })
}

fn read_title(task: &mut ObjectReader, complaints: &mut Complaints) -> Option<String> {
    let title: String = task.required("title", "a string", complaints)?;
    let length = title.chars().count();
    if title.trim().is_empty() || length > MAX_TITLE {
        complaints.add(
            &task.pointer_to("title"),
            format!("must have 1 to {MAX_TITLE} characters"),
        );
    }
    if title.chars().any(char::is_control) {
        complaints.add(
            &task.pointer_to("title"),
            "must be one line without control characters",
        );
    }
    Some(title)
}

fn read_description(task: &mut ObjectReader, complaints: &mut Complaints) -> String {
    let description: String = task
        .value("description", "a string", complaints)
        .unwrap_or_default();
    if description.chars().count() > MAX_DESCRIPTION {
        let detail = format!("must have at most {MAX_DESCRIPTION} characters");
        complaints.add(&task.pointer_to("description"), detail);
    }
    description
}

fn read_max_attempts(task: &mut ObjectReader, complaints: &mut Complaints) -> u32 {
    read_number(task, "max_attempts", (1, MAX_ATTEMPTS), complaints).unwrap_or(DEFAULT_ATTEMPTS)
}

fn read_pay_on(task: &mut ObjectReader, complaints: &mut Complaints) -> PayOn {
    task.value("pay_on", "\"success\" or \"completion\"", complaints)
        .unwrap_or_default()
}

fn read_deadline(task: &mut ObjectReader, complaints: &mut Complaints) -> Span {
    read_quantity(task, "deadline", (MIN_GIVE_UP, MAX_GIVE_UP), complaints).unwrap_or(DEFAULT_GIVE_UP)
}

/// Parts of the task language that no runner of this release offers are refused by name, not ignored.
fn refuse_unoffered(task: &mut ObjectReader, complaints: &mut Complaints) {
    for name in ["inputs", "outputs"] {
        if task
            .raw(name)
            .is_some_and(|raw| !["[]", "{}"].contains(&raw.get()))
        {
            complaints.add(
                &task.pointer_to(name),
                "is not offered by this server; leave it out",
            );
        }
    }
    if task.raw("network").is_some_and(|raw| raw.get() != "\"none\"") {
        complaints.add(&task.pointer_to("network"), "this server offers only \"none\"");
    }
}

fn check_arg_bytes(command: &[String], env: &[EnvVar], complaints: &mut Complaints) {
    let args: usize = command.iter().map(String::len).sum();
    let vars: usize = env.iter().map(|var| var.name.len() + var.value.len() + 1).sum();
    if args > MAX_ARG_BYTES {
        complaints.add(
            "/config/command",
            format!("must have at most {MAX_ARG_BYTES} bytes in all"),
        );
    }
    if vars > MAX_ARG_BYTES {
        complaints.add(
            "/environment/config/env",
            format!("must have at most {MAX_ARG_BYTES} bytes in all"),
        );
    }
}

/// The complaint about a field of a form, found by its pointer or by one below it.
pub fn error_at<'a>(errors: &'a [FieldError], pointer: &str) -> Option<&'a FieldError> {
    errors.iter().find(|error| {
        error.pointer == pointer
            || error
                .pointer
                .strip_prefix(pointer)
                .is_some_and(|rest| rest.starts_with('/'))
    })
}

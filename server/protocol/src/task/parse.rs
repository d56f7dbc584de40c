//! Reads a posted task. Every offending field is named at once, by JSON pointer; nothing wrong gets through.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::value::RawValue;

use super::reader::{Complaints, ObjectReader, child, kind_of};
use super::requirement::RequirementOp;
use super::{EnvVar, ImageRef, Limits, PayOn, RequestedLimits, Requirement, TaskSpec};
use crate::amount::{Reward, TokenAmount, TokenInfo};
use crate::error::{ApiError, ErrorCode, FieldError};
use crate::quantity::Span;

/// The largest body of a task that is read.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

const MAX_TITLE: usize = 200;
const MAX_DESCRIPTION: usize = 10_000;
const MAX_ARGS: usize = 1_000;
/// Command and environment together. The kernel's own bound is 128 KiB for one argument.
const MAX_ARG_BYTES: usize = 64 * 1024;
const MAX_ENV: usize = 200;
const MAX_VOLUMES: usize = 8;
const MAX_REQUIRES: usize = 16;
const MAX_PATH: usize = 1_000;
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

fn check_docker(pointer: &str, kind: &str, complaints: &mut Complaints) {
    if kind != "docker" {
        complaints.add(pointer, "must be \"docker\"");
    }
}

fn read_config(
    task: &mut ObjectReader,
    policy: &SpecPolicy,
    complaints: &mut Complaints,
) -> Option<(Vec<String>, RequestedLimits)> {
    let mut config = task.required_object("config", complaints)?;
    let command = read_strings(&mut config, "command", MAX_ARGS, complaints).unwrap_or_default();
    for (index, arg) in command.iter().enumerate() {
        if arg.contains('\0') {
            let pointer = child(&config.pointer_to("command"), &index.to_string());
            complaints.add(&pointer, "must not contain a NUL character");
        }
    }
    let limits = config
        .object("limits", complaints)
        .map(|limits| read_limits(limits, policy, complaints))
        .unwrap_or_default();
    config.finish(complaints);
    Some((command, limits))
}

/// An array of strings; complains about each element that is none.
fn read_strings(
    object: &mut ObjectReader,
    name: &'static str,
    max: usize,
    complaints: &mut Complaints,
) -> Option<Vec<String>> {
    let raws: Vec<Box<RawValue>> = object.value(name, "an array of strings", complaints)?;
    let pointer = object.pointer_to(name);
    if raws.len() > max {
        complaints.add(&pointer, format!("must have at most {max} entries"));
        return None;
    }
    let mut strings = Vec::with_capacity(raws.len());
    for (index, raw) in raws.iter().enumerate() {
        match serde_json::from_str::<String>(raw.get()) {
            Ok(text) => strings.push(text),
            Err(_) => complaints.add(
                &child(&pointer, &index.to_string()),
                format!("must be a string, not {}", kind_of(raw.get())),
            ),
        }
    }
    Some(strings)
}

fn read_limits(
    mut object: ObjectReader,
    policy: &SpecPolicy,
    complaints: &mut Complaints,
) -> RequestedLimits {
    let (min, max) = (Limits::MIN, policy.caps);
    let limits = RequestedLimits {
        memory: read_quantity(&mut object, "memory", (min.memory, max.memory), complaints),
        cpus: read_quantity(&mut object, "cpus", (min.cpus, max.cpus), complaints),
        timeout: read_quantity(&mut object, "timeout", (min.timeout, max.timeout), complaints),
        pids: read_number(&mut object, "pids", (min.pids, max.pids), complaints),
        disk: read_quantity(&mut object, "disk", (min.disk, max.disk), complaints),
        output: read_quantity(&mut object, "output", (min.output, max.output), complaints),
        log: read_quantity(&mut object, "log", (min.log, max.log), complaints),
    };
    object.finish(complaints);
    limits
}

/// A quantity in its text form. A bare JSON number is read as its text, so `"cpus": 2` works.
fn read_quantity<T>(
    object: &mut ObjectReader,
    name: &'static str,
    (min, max): (T, T),
    complaints: &mut Complaints,
) -> Option<T>
where
    T: FromStr<Err: std::fmt::Display> + PartialOrd + std::fmt::Display,
{
    let raw = object.raw(name)?;
    let pointer = object.pointer_to(name);
    let text = match kind_of(raw.get()) {
        "a string" => serde_json::from_str(raw.get()).unwrap_or_default(),
        "a number" => raw.get().to_owned(),
        other => {
            complaints.add(&pointer, format!("must be a string with a unit, not {other}"));
            return None;
        }
    };
    match text.parse::<T>() {
        Ok(value) if value < min || value > max => {
            complaints.add(&pointer, format!("must be between {min} and {max}"));
            None
        }
        Ok(value) => Some(value),
        Err(error) => {
            complaints.add(&pointer, error.to_string());
            None
        }
    }
}

fn read_number(
    object: &mut ObjectReader,
    name: &'static str,
    (min, max): (u32, u32),
    complaints: &mut Complaints,
) -> Option<u32> {
    let raw = object.raw(name)?;
    let value = raw
        .get()
        .parse::<u32>()
        .ok()
        .filter(|value| (min..=max).contains(value));
    if value.is_none() {
        complaints.add(
            &object.pointer_to(name),
            format!("must be a whole number between {min} and {max}"),
        );
    }
    value
}

struct Environment {
    image: Option<ImageRef>,
    workdir: Option<String>,
    env: Vec<EnvVar>,
    volumes: BTreeMap<String, String>,
}

fn read_environment(task: &mut ObjectReader, complaints: &mut Complaints) -> Option<Environment> {
    let mut environment = task.required_object("environment", complaints)?;
    if let Some(kind) = environment.required::<String>("type", "a string", complaints) {
        check_docker(&environment.pointer_to("type"), &kind, complaints);
    }
    let config = environment.required_object("config", complaints);
    environment.finish(complaints);
    let mut config = config?;
    let read = Environment {
        image: read_image(&mut config, complaints),
        workdir: read_workdir(&mut config, complaints),
        env: read_env(&mut config, complaints),
        volumes: read_volumes(&mut config, complaints),
    };
    config.finish(complaints);
    Some(read)
}

fn read_image(config: &mut ObjectReader, complaints: &mut Complaints) -> Option<ImageRef> {
    let text: String = config.required("image", "a string", complaints)?;
    text.parse()
        .map_err(|error| complaints.add(&config.pointer_to("image"), format!("{error}")))
        .ok()
}

fn read_workdir(config: &mut ObjectReader, complaints: &mut Complaints) -> Option<String> {
    let path: String = config.value("workdir", "a string", complaints)?;
    check_path(&config.pointer_to("workdir"), &path, complaints);
    Some(path)
}

/// An absolute path that stays inside the container: `/proc/self/fd/N` as a working directory was CVE-2024-21626.
fn check_path(pointer: &str, path: &str, complaints: &mut Complaints) {
    let parts = || path.split('/').filter(|part| !part.is_empty());
    if !path.starts_with('/')
        || path.len() > MAX_PATH
        || path.contains('\0')
        || parts().any(|part| part == "..")
    {
        complaints.add(
            pointer,
            format!("must be an absolute path without .., at most {MAX_PATH} bytes"),
        );
    } else if parts()
        .next()
        .is_some_and(|first| ["proc", "sys", "dev"].contains(&first))
    {
        complaints.add(pointer, "must not be under /proc, /sys or /dev");
    }
}

fn read_env(config: &mut ObjectReader, complaints: &mut Complaints) -> Vec<EnvVar> {
    let lines = read_strings(config, "env", MAX_ENV, complaints).unwrap_or_default();
    let pointer = config.pointer_to("env");
    let mut variables = Vec::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        match parse_env(line) {
            Ok(variable) => variables.push(variable),
            Err(detail) => complaints.add(&child(&pointer, &index.to_string()), detail),
        }
    }
    variables
}

fn parse_env(line: &str) -> Result<EnvVar, &'static str> {
    let (name, value) = line
        .split_once('=')
        .ok_or("must be NAME=value; a bare name would leak the runner's own")?;
    let is_name_byte = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let starts_well = name
        .bytes()
        .next()
        .is_some_and(|b| is_name_byte(b) && !b.is_ascii_digit());
    if !starts_well || !name.bytes().all(is_name_byte) {
        return Err("the name before = may hold letters, digits and _, and must not start with a digit");
    }
    if value.contains('\0') {
        return Err("must not contain a NUL character");
    }
    Ok(EnvVar {
        name: name.to_owned(),
        value: value.to_owned(),
    })
}

fn read_volumes(config: &mut ObjectReader, complaints: &mut Complaints) -> BTreeMap<String, String> {
    let Some(volumes) = config.value::<BTreeMap<String, String>>(
        "volumes",
        "an object of volume names and container paths",
        complaints,
    ) else {
        return BTreeMap::new();
    };
    let pointer = config.pointer_to("volumes");
    if volumes.len() > MAX_VOLUMES {
        complaints.add(&pointer, format!("must have at most {MAX_VOLUMES} entries"));
    }
    for (name, path) in &volumes {
        let at = child(&pointer, name);
        if name.contains('/') {
            complaints.add(&at, "host paths are not offered: name the volume without a /");
        } else if !is_volume_name(name) {
            complaints.add(&at, "the name may hold up to 64 letters, digits, _ and -");
        }
        check_path(&at, path, complaints);
        if path.split('/').all(str::is_empty) {
            complaints.add(&at, "must not be the root directory");
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    if !volumes
        .values()
        .all(|path| seen.insert(path.trim_end_matches('/')))
    {
        complaints.add(&pointer, "two volumes have the same path");
    }
    volumes
}

fn is_volume_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

fn read_reward(task: &mut ObjectReader, policy: &SpecPolicy, complaints: &mut Complaints) -> Option<Reward> {
    let token = read_token(task, policy, complaints);
    let raw = task.required_raw("reward", complaints)?;
    let token = token?;
    let pointer = task.pointer_to("reward");
    let text = match kind_of(raw.get()) {
        "a string" => serde_json::from_str(raw.get()).unwrap_or_default(),
        "a number" => raw.get().to_owned(),
        other => {
            complaints.add(
                &pointer,
                format!("must be a number or a decimal string, not {other}"),
            );
            return None;
        }
    };
    match TokenAmount::from_tokens(&text, token.decimals) {
        Ok(amount) => Some(Reward {
            amount,
            token: token.symbol,
            decimals: token.decimals,
        }),
        Err(error) => {
            complaints.add(&pointer, error.to_string());
            None
        }
    }
}

fn read_token(
    task: &mut ObjectReader,
    policy: &SpecPolicy,
    complaints: &mut Complaints,
) -> Option<TokenInfo> {
    let Some(symbol) = task.value::<String>("token", "a string", complaints) else {
        return policy.tokens.first().cloned();
    };
    let found = policy.tokens.iter().find(|token| token.symbol == symbol).cloned();
    if found.is_none() {
        let offered: Vec<&str> = policy.tokens.iter().map(|token| token.symbol.as_str()).collect();
        complaints.add(
            &task.pointer_to("token"),
            format!("must be one of {}", offered.join(", ")),
        );
    }
    found
}

fn read_max_attempts(task: &mut ObjectReader, complaints: &mut Complaints) -> u32 {
    read_number(task, "max_attempts", (1, MAX_ATTEMPTS), complaints).unwrap_or(DEFAULT_ATTEMPTS)
}

fn read_pay_on(task: &mut ObjectReader, complaints: &mut Complaints) -> PayOn {
    task.value("pay_on", "\"success\" or \"completion\"", complaints)
        .unwrap_or_default()
}

fn read_requires(task: &mut ObjectReader, complaints: &mut Complaints) -> Vec<Requirement> {
    let raws: Vec<Box<RawValue>> = task
        .value("requires", "an array of objects", complaints)
        .unwrap_or_default();
    let pointer = task.pointer_to("requires");
    if raws.len() > MAX_REQUIRES {
        complaints.add(&pointer, format!("must have at most {MAX_REQUIRES} entries"));
        return Vec::new();
    }
    let read = |(index, raw): (usize, &RawValue)| {
        let object = ObjectReader::new(&child(&pointer, &index.to_string()), raw, complaints)?;
        read_requirement(object, complaints)
    };
    raws.iter()
        .map(AsRef::as_ref)
        .enumerate()
        .filter_map(read)
        .collect()
}

fn read_requirement(mut object: ObjectReader, complaints: &mut Complaints) -> Option<Requirement> {
    let label: Option<String> = object.required("label", "a string", complaints);
    if label
        .as_ref()
        .is_some_and(|label| label.is_empty() || label.len() > 63)
    {
        complaints.add(&object.pointer_to("label"), "must have 1 to 63 characters");
    }
    let word: Option<String> = object.required("op", "a string", complaints);
    let op = word.as_deref().and_then(RequirementOp::from_word);
    if word.is_some() && op.is_none() {
        complaints.add(
            &object.pointer_to("op"),
            "must be one of equals, exists, in, greater",
        );
    }
    let values = read_strings(&mut object, "values", 32, complaints).unwrap_or_default();
    let fits = match op {
        Some(RequirementOp::Exists) => values.is_empty(),
        Some(RequirementOp::In) => !values.is_empty(),
        Some(RequirementOp::Equals) => values.len() == 1,
        Some(RequirementOp::Greater) => values.len() == 1 && values.iter().all(|v| v.parse::<i64>().is_ok()),
        None => true,
    };
    if !fits {
        let detail = "equals takes one value, greater one whole number, in at least one, exists none";
        complaints.add(&object.pointer_to("values"), detail);
    }
    object.finish(complaints);
    Some(Requirement {
        label: label?,
        op: op?,
        values,
    })
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

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;

//! The form as it is sent, and the request it stands for.

use protocol::error::FieldError;
use protocol::task::parse::error_at;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The fields of the form as text, each possibly empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskForm {
    pub title: String,
    pub description: String,
    pub image: String,
    /// Words as for a POSIX shell, split but never run by one.
    pub command: String,
    pub workdir: String,
    /// One `NAME=value` per line.
    pub env: String,
    pub memory: String,
    pub cpus: String,
    pub timeout: String,
    pub reward: String,
    pub token: String,
    pub max_attempts: String,
}

/// A field of the form, in its order on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Title,
    Description,
    Image,
    Command,
    Workdir,
    Env,
    Memory,
    Cpus,
    Timeout,
    Reward,
    Token,
    MaxAttempts,
}

impl Field {
    pub const ALL: [Self; 12] = [
        Self::Title,
        Self::Description,
        Self::Image,
        Self::Command,
        Self::Workdir,
        Self::Env,
        Self::Memory,
        Self::Cpus,
        Self::Timeout,
        Self::Reward,
        Self::Token,
        Self::MaxAttempts,
    ];

    /// The name it is sent under.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Description => "description",
            Self::Image => "image",
            Self::Command => "command",
            Self::Workdir => "workdir",
            Self::Env => "env",
            Self::Memory => "memory",
            Self::Cpus => "cpus",
            Self::Timeout => "timeout",
            Self::Reward => "reward",
            Self::Token => "token",
            Self::MaxAttempts => "max_attempts",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Title => "Title",
            Self::Description => "Description",
            Self::Image => "Image",
            Self::Command => "Command",
            Self::Workdir => "Working directory",
            Self::Env => "Environment",
            Self::Memory => "Memory",
            Self::Cpus => "Processors",
            Self::Timeout => "Time limit",
            Self::Reward => "Reward",
            Self::Token => "Token",
            Self::MaxAttempts => "Attempts",
        }
    }

    /// Where it stands in the request.
    pub const fn pointer(self) -> &'static str {
        match self {
            Self::Title => "/title",
            Self::Description => "/description",
            Self::Image => "/environment/config/image",
            Self::Command => "/config/command",
            Self::Workdir => "/environment/config/workdir",
            Self::Env => "/environment/config/env",
            Self::Memory => "/config/limits/memory",
            Self::Cpus => "/config/limits/cpus",
            Self::Timeout => "/config/limits/timeout",
            Self::Reward => "/reward",
            Self::Token => "/token",
            Self::MaxAttempts => "/max_attempts",
        }
    }

    /// What is wrong with this field, if anything.
    pub fn error(self, errors: &[FieldError]) -> Option<String> {
        let error = error_at(errors, self.pointer())?;
        let index = error
            .pointer
            .strip_prefix(self.pointer())
            .and_then(|rest| rest.strip_prefix('/'));
        Some(match index.and_then(|index| index.parse::<usize>().ok()) {
            Some(index) => format!("entry {} {}", index + 1, error.detail),
            None => error.detail.clone(),
        })
    }
}

/// The errors that no field of the form can show, in words.
pub(super) fn errors_elsewhere(errors: &[FieldError]) -> Vec<String> {
    let is_shown = |error: &FieldError| {
        Field::ALL
            .into_iter()
            .any(|field| error_at(std::slice::from_ref(error), field.pointer()).is_some())
    };
    let others = errors.iter().filter(|error| !is_shown(error));
    others
        .map(|error| format!("{} {}", error.pointer, error.detail).trim().to_owned())
        .collect()
}

impl TaskForm {
    /// The request this form stands for, as `POST /api/v1/tasks` takes it. Only what has no JSON form at all is an
    /// error here; everything else is for the one parser of tasks to judge.
    pub fn to_request_json(&self) -> Result<String, Vec<FieldError>> {
        let command = split_command(&self.command)?;
        let mut config = json!({ "command": command });
        let limits = [
            ("memory", &self.memory),
            ("cpus", &self.cpus),
            ("timeout", &self.timeout),
        ];
        let limits: Map<String, Value> = limits
            .into_iter()
            .filter_map(|(name, text)| Some((name.to_owned(), filled(text)?)))
            .collect();
        if !limits.is_empty() {
            config["limits"] = limits.into();
        }
        let mut environment = json!({ "image": self.image.trim() });
        set(&mut environment, "workdir", filled(&self.workdir));
        let env: Vec<&str> = self
            .env
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        set(&mut environment, "env", (!env.is_empty()).then(|| json!(env)));
        let mut task = json!({
            "title": self.title.trim(),
            "type": "docker",
            "config": config,
            "environment": { "type": "docker", "config": environment },
        });
        let description = unix_lines(&self.description);
        set(
            &mut task,
            "description",
            (!description.trim().is_empty()).then(|| json!(description)),
        );
        set(&mut task, "reward", filled(&self.reward));
        set(&mut task, "token", filled(&self.token));
        set(
            &mut task,
            "max_attempts",
            filled(&self.max_attempts).map(as_number),
        );
        Ok(task.to_string())
    }
}

/// The words of a command line. Nothing is expanded: no shell runs it.
pub(super) fn split_command(line: &str) -> Result<Vec<String>, Vec<FieldError>> {
    shlex::split(&unix_lines(line)).ok_or_else(|| {
        vec![FieldError {
            pointer: Field::Command.pointer().to_owned(),
            detail: "has a quote that is not closed or a backslash at its end".to_owned(),
        }]
    })
}

/// The trimmed text, when there is any.
fn filled(text: &str) -> Option<Value> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(Value::from)
}

/// A number where it is one; other text stays text for the parser to refuse.
fn as_number(value: Value) -> Value {
    let number = value.as_str().and_then(|text| text.parse::<u32>().ok());
    number.map_or(value, Value::from)
}

fn set(object: &mut Value, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        object[name] = value;
    }
}

/// Browsers send line ends as CR LF.
fn unix_lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;

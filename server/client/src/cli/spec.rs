//! From flags to the body of a request. What is wrong with a value is for the server to say, for all clients alike.

use serde_json::{Map, Value, json};

use super::arguments::TaskFlags;
use super::error::CliError;

/// As long as the server takes a title.
const MAX_TITLE_CHARS: usize = 200;

/// The JSON of the task the flags describe. Absent flags leave their field out, so that the server's default holds.
pub fn body(flags: TaskFlags) -> Result<String, CliError> {
    let title = flags
        .title
        .unwrap_or_else(|| default_title(&flags.command, flags.image.as_deref()));
    let limits = [
        ("memory", flags.memory),
        ("cpus", flags.cpus),
        ("timeout", flags.timeout),
    ];
    let mut config = json!({ "command": flags.command });
    let limits = object(limits);
    if !limits.is_empty() {
        config["limits"] = Value::Object(limits);
    }
    let mut container = object([("image", flags.image), ("workdir", flags.workdir)]);
    container.insert("env".to_owned(), json!(flags.env));
    if !flags.volume.is_empty() {
        container.insert("volumes".to_owned(), Value::Object(volumes(&flags.volume)?));
    }
    let mut task = object([
        ("title", Some(title)),
        ("description", flags.description),
        ("token", flags.token),
        ("deadline", flags.deadline),
        // As text, because a number would lose digits on the way.
        ("reward", Some(flags.reward.unwrap_or_else(|| "0".to_owned()))),
    ]);
    task.insert("type".to_owned(), json!("docker"));
    task.insert("config".to_owned(), config);
    task.insert(
        "environment".to_owned(),
        json!({ "type": "docker", "config": container }),
    );
    if let Some(attempts) = flags.max_attempts {
        task.insert("max_attempts".to_owned(), json!(attempts));
    }
    Ok(Value::Object(task).to_string())
}

fn object<const N: usize>(fields: [(&str, Option<String>); N]) -> Map<String, Value> {
    fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?))))
        .collect()
}

fn volumes(words: &[String]) -> Result<Map<String, Value>, CliError> {
    words
        .iter()
        .map(|word| {
            let (name, path) = word
                .split_once(':')
                .ok_or_else(|| CliError::BadVolume(word.clone()))?;
            Ok((name.to_owned(), Value::String(path.to_owned())))
        })
        .collect()
}

fn default_title(command: &[String], image: Option<&str>) -> String {
    let words = if command.is_empty() {
        image.unwrap_or_default().to_owned()
    } else {
        command.join(" ")
    };
    let line: String = words
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    line.trim().chars().take(MAX_TITLE_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use protocol::task::{SpecPolicy, TaskSpec, parse_task};

    use super::*;
    use crate::cli::arguments::{Arguments, Command, TaskCommand};

    fn spec(words: &[&str]) -> TaskSpec {
        let all = ["parity", "task", "create"].iter().chain(words);
        let arguments = Arguments::try_parse_from(all).unwrap();
        let Command::Task(TaskCommand::Create(create)) = arguments.command else {
            panic!("not read as `task create`");
        };
        parse_task(&body(create.flags).unwrap(), &SpecPolicy::default()).unwrap()
    }

    #[test]
    fn flags_become_a_task_the_server_reads() {
        let spec = spec(&[
            "--image",
            "alpine:latest",
            "--title",
            "A title",
            "--description",
            "Why",
            "--env",
            "A=1",
            "--env",
            "B=x=y",
            "--workdir",
            "/app",
            "--volume",
            "data:/data",
            "--memory",
            "64m",
            "--cpus",
            "0.5",
            "--timeout",
            "90s",
            "--reward",
            "0.000000000000000001",
            "--max-attempts",
            "2",
            "--deadline",
            "1h",
            "--",
            "sh",
            "-c",
            "echo hi",
        ]);
        assert_eq!(
            (spec.title.as_str(), spec.description.as_str()),
            ("A title", "Why")
        );
        assert_eq!(spec.command, ["sh", "-c", "echo hi"]);
        assert_eq!(spec.env[1].to_string(), "B=x=y");
        assert_eq!(spec.volumes["data"], "/data");
        assert_eq!(spec.limits.memory.unwrap().to_string(), "64m");
        assert_eq!(spec.limits.cpus.unwrap().to_string(), "0.5");
        assert_eq!(spec.limits.timeout.unwrap().to_string(), "1m30s");
        assert_eq!(spec.reward.amount.to_string(), "1");
        assert_eq!(spec.max_attempts, 2);
    }

    #[test]
    fn an_image_is_enough() {
        let spec = spec(&["--image", "alpine:latest"]);
        assert_eq!(spec.title, "alpine:latest");
        assert!(spec.reward.amount.is_zero());
        assert!(spec.command.is_empty());
    }

    #[test]
    fn a_long_command_makes_a_title_that_fits() {
        let spec = spec(&["--image", "alpine", "--", "sh", "-c", &"line\n".repeat(100)]);
        assert_eq!(spec.title.chars().count(), MAX_TITLE_CHARS);
    }
}

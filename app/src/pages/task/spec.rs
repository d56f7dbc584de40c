use leptos::prelude::*;
use protocol::task::{Limits, PayOn, TaskSpec};

use crate::parts::Erase;

/// What was asked for. It never changes.
#[component]
pub(super) fn SpecCard(spec: TaskSpec) -> impl IntoView {
    let json = serde_json::to_string_pretty(&spec).unwrap_or_default();
    let rows = rows(&spec).into_iter().map(row_view).collect::<Vec<_>>();
    let TaskSpec { description, .. } = spec;
    let description = (!description.is_empty()).then(
        || view! { <section class="panel description" aria-label="Description">{description}</section> },
    );
    view! {
        {description}
        <details class="panel spec">
            <summary>
                <h2>"What was asked for"</h2>
            </summary>
            <table class="spec-table">
                <caption class="visually-hidden">"The task as posted"</caption>
                <tbody>{rows}</tbody>
            </table>
            <details>
                <summary>"As JSON"</summary>
                <pre class="json"><code>{json}</code></pre>
            </details>
        </details>
    }
    .erase()
}

fn row_view((name, value): (&'static str, String)) -> impl IntoView {
    view! {
        <tr>
            <th scope="row">{name}</th>
            <td>
                <code>{value}</code>
            </td>
        </tr>
    }
}

/// Only what was set, except for limits: their defaults apply, so they are worth knowing.
fn rows(spec: &TaskSpec) -> Vec<(&'static str, String)> {
    let lines = |items: Vec<String>| (!items.is_empty()).then(|| items.join("\n"));
    let command = (!spec.command.is_empty()).then(|| command_line(&spec.command));
    let limits = Limits::MAX.applied_to(&spec.limits);
    let volumes = spec
        .volumes
        .iter()
        .map(|(name, path)| format!("{name} at {path}"))
        .collect();
    let requires = spec
        .requires
        .iter()
        .filter_map(|wish| serde_json::to_string(wish).ok())
        .collect();
    let rows = [
        ("Image", Some(spec.image.to_string())),
        (
            "Command",
            Some(command.unwrap_or_else(|| "as the image says".to_owned())),
        ),
        ("Working directory", spec.workdir.clone()),
        (
            "Environment",
            lines(spec.env.iter().map(ToString::to_string).collect()),
        ),
        ("Volumes", lines(volumes)),
        ("Memory", Some(limits.memory.to_string())),
        ("Processors", Some(limits.cpus.to_string())),
        ("Time limit", Some(limits.timeout.to_string())),
        ("Processes", Some(limits.pids.to_string())),
        ("Disk", Some(limits.disk.to_string())),
        ("Log", Some(limits.log.to_string())),
        ("Reward", Some(spec.reward.to_string())),
        ("Paid on", Some(pay_on_in_words(spec.pay_on).to_owned())),
        ("Attempts", Some(format!("at most {}", spec.max_attempts))),
        ("Requires", lines(requires)),
        ("Given up after", Some(spec.give_up_after.to_string())),
    ];
    rows.into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// The words as one would type them into a shell.
fn command_line(words: &[String]) -> String {
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
}

const fn pay_on_in_words(pay_on: PayOn) -> &'static str {
    match pay_on {
        PayOn::Success => "exit code 0",
        PayOn::Completion => "any end of its own",
    }
}

#[cfg(test)]
mod tests {
    use protocol::task::{SpecPolicy, parse_task};

    use super::*;

    #[test]
    fn what_was_set_is_shown_and_what_was_not_is_left_out() {
        let request = r#"{ "title": "t", "type": "docker", "reward": 1,
            "config": { "command": ["echo", "hello world"], "limits": { "memory": "64m" } },
            "environment": { "type": "docker", "config": { "image": "alpine", "env": ["A=1", "B=2"] } } }"#;
        let rows = rows(&parse_task(request, &SpecPolicy::default()).unwrap());
        let value = |name| rows.iter().find(|row| row.0 == name).map(|row| row.1.as_str());
        assert_eq!(value("Command"), Some("echo 'hello world'"));
        assert_eq!(value("Memory"), Some("64m"));
        assert_eq!(value("Time limit"), Some("5m"));
        assert_eq!(value("Environment"), Some("A=1\nB=2"));
        assert_eq!(value("Working directory"), None);
    }
}

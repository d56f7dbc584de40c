//! `parity task show`

use std::fmt::Write;
use std::process::ExitCode;

use client::Client;
use protocol::id::TaskId;
use protocol::task::TaskView;

use super::error::CliError;
use super::filter::printable;
use super::output::{Output, painted, print_json, print_text};

pub async fn run(client: &Client, id: TaskId, output: Output) -> Result<ExitCode, CliError> {
    let task = client.task(id).await?;
    if output.is_json {
        print_json(&task)?;
    } else {
        print_text(&in_words(&task))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn in_words(task: &TaskView) -> String {
    let mut text = String::new();
    for (name, value) in fields(task) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name:9}  {value}");
    }
    for entry in &task.timeline {
        let detail = entry.detail.as_deref().map(printable).unwrap_or_default();
        let _ = writeln!(text, "  {}  {:16}  {detail}", entry.at, entry.step.as_str());
    }
    text
}

fn fields(task: &TaskView) -> Vec<(&'static str, String)> {
    let spec = &task.spec;
    let mut fields = vec![
        ("task", task.id.to_string()),
        ("title", printable(&spec.title)),
        ("status", painted(task.status, 0)),
    ];
    if let Some(outcome) = &task.outcome {
        fields.push(("outcome", printable(&outcome.in_words())));
    }
    fields.push(("image", spec.image.to_string()));
    if !spec.command.is_empty() {
        fields.push(("command", printable(&format!("{:?}", spec.command))));
    }
    fields.push(("reward", spec.reward.to_string()));
    fields.push(("payment", task.payment.as_str().to_owned()));
    if let Some(attempt) = task.attempts.last() {
        fields.push(("runner", printable(&attempt.runner_name)));
    }
    fields
}

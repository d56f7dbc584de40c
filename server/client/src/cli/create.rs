//! `parity task create`

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use client::Client;
use protocol::id::TaskId;
use protocol::task::{TaskStatus, TaskView};

use super::arguments::CreateArguments;
use super::error::CliError;
use super::filter::printable;
use super::logs::Sink;
use super::output::{Output, note, print_json, print_text};
use super::{logs, spec};

pub async fn run(client: &Client, arguments: CreateArguments, output: Output) -> Result<ExitCode, CliError> {
    let body = match &arguments.file {
        Some(path) => read(path)?,
        None => spec::body(arguments.flags)?,
    };
    let task = client.create_task(body).await?;
    if arguments.wait {
        return wait(client, task.id, output).await;
    }
    if output.is_json {
        print_json(&task)?;
    } else {
        print_text(&format!("{}\n", task.id))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn wait(client: &Client, id: TaskId, output: Output) -> Result<ExitCode, CliError> {
    note(&format!("task {id}"));
    let sink = if output.is_json {
        Sink::Nowhere
    } else {
        Sink::for_log(output)
    };
    // The followed log ends when the task has, whatever happens to the server meanwhile.
    logs::follow(client, id, sink).await?;
    let task = client.task(id).await?;
    match &task.outcome {
        _ if output.is_json => print_json(&task)?,
        Some(outcome) => {
            let words = printable(&outcome.in_words());
            note(&format!("{}: {words}", task.status.as_str()));
        }
        None => note(task.status.as_str()),
    }
    Ok(exit_code(&task))
}

fn read(path: &Path) -> Result<String, CliError> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    text.map_err(|source| CliError::ReadFile {
        path: path.to_owned(),
        source,
    })
}

/// The task's own exit code. A task that did not succeed never counts as success, whatever its command said.
fn exit_code(task: &TaskView) -> ExitCode {
    if task.status == TaskStatus::Succeeded {
        return ExitCode::SUCCESS;
    }
    let code = task
        .outcome
        .as_ref()
        .and_then(|outcome| outcome.exit_code)
        .unwrap_or(1);
    match u8::try_from(code) {
        Ok(0) | Err(_) => ExitCode::FAILURE,
        Ok(code) => ExitCode::from(code),
    }
}

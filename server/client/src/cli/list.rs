//! `parity task list`

use std::process::ExitCode;

use client::{Client, TaskQuery};
use protocol::task::TaskSummary;

use super::arguments::ListArguments;
use super::error::CliError;
use super::filter::printable;
use super::output::{Output, note, painted, print_json, print_text};

pub async fn run(client: &Client, arguments: ListArguments, output: Output) -> Result<ExitCode, CliError> {
    let query = TaskQuery {
        status: arguments.status,
        cursor: arguments.cursor,
        limit: arguments.limit,
    };
    let page = client.tasks(&query).await?;
    if output.is_json {
        print_json(&page)?;
        return Ok(ExitCode::SUCCESS);
    }
    print_text(&page.items.iter().map(line).collect::<String>())?;
    if let Some(cursor) = page.next_cursor {
        note(&format!("more with --cursor {cursor}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn line(task: &TaskSummary) -> String {
    // As wide as `awaiting_funding`, the longest word.
    let status = painted(task.status, 16);
    let title = printable(&task.title);
    format!(
        "{}  {}  {status}  {title}  ({})\n",
        task.id, task.posted_at, task.reward
    )
}

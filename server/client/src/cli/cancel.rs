//! `parity task cancel`

use std::process::ExitCode;

use client::Client;
use protocol::id::TaskId;

use super::error::CliError;
use super::output::{Output, print_json, print_text};

pub async fn run(client: &Client, id: TaskId, output: Output) -> Result<ExitCode, CliError> {
    let task = client.cancel(id).await?;
    if output.is_json {
        print_json(&task)?;
    } else {
        print_text(&format!("{}\n", task.status.as_str()))?;
    }
    Ok(ExitCode::SUCCESS)
}

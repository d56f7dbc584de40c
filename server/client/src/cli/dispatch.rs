//! From the command line to the command.

use std::env;
use std::process::ExitCode;

use clap::Parser;
use client::Client;

use super::arguments::{Arguments, Command, TaskCommand};
use super::error::CliError;
use super::output::Output;
use super::{cancel, create, list, logs, show, sibling};

/// Reads the command line, does what it says, and reports a failure in words and as exit code.
pub fn run() -> ExitCode {
    // Before anything is read: what follows is another program's, also where it looks like an option of ours.
    let mut words = env::args_os().skip(1);
    if let Some(name) = words.next().as_deref().and_then(sibling::named) {
        return sibling::exec(name, words.collect()).report(false);
    }
    let arguments = Arguments::parse();
    let is_json = arguments.json;
    match dispatch(arguments) {
        Ok(code) => code,
        Err(error) => error.report(is_json),
    }
}

fn dispatch(arguments: Arguments) -> Result<ExitCode, CliError> {
    let Command::Task(command) = arguments.command else {
        return Err(CliError::OptionBeforeSibling);
    };
    let output = Output::new(arguments.json);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CliError::Runtime)?;
    runtime.block_on(task(command, &arguments.server, output))
}

async fn task(command: TaskCommand, server: &str, output: Output) -> Result<ExitCode, CliError> {
    let client = Client::new(server)?;
    match command {
        TaskCommand::Create(arguments) => create::run(&client, *arguments, output).await,
        TaskCommand::List(arguments) => list::run(&client, arguments, output).await,
        TaskCommand::Show { id } => show::run(&client, id, output).await,
        TaskCommand::Logs { id, follow } => logs::run(&client, id, follow, output).await,
        TaskCommand::Cancel { id } => cancel::run(&client, id, output).await,
    }
}

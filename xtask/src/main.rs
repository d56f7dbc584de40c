//! `cargo xtask`: the commands a person types to build, try, test and measure Parity.
//!
//! Each command is one module under `commands`; what several of them need has a module of its own. Every
//! command sets up what is missing (packages, the wasm target, an engine) and removes or stops whatever it
//! started.
//!
//! To add a command: 1. a module in `commands` with a `run` function, 2. a variant of `Command` below, 3. its
//! line in `main`.

mod commands;
mod engine;
mod files;
mod licences;
mod process;
mod progress;
mod setup;
mod signals;
mod site;
mod temporary;
mod toolchain;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Build, try, test and measure Parity")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the page and the three binaries
    Build(commands::build::Arguments),
    /// Start a server and a runner on this machine and say how to post a task
    Demo(commands::demo::Arguments),
    /// Run everything that has to pass
    Test(commands::test::Arguments),
    /// Measure against peers
    Bench(commands::bench::Arguments),
    /// Build the page and fail when its wasm is over the size limit
    Size,
    /// Check licences and forbidden crates against deny.toml
    Licences,
    /// Run a command with a private Docker engine and the environment of the tests
    With(commands::with::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = signals::listen().and_then(|()| run(arguments.command));
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Build(arguments) => commands::build::run(&arguments),
        Command::Demo(arguments) => commands::demo::run(&arguments),
        Command::Test(arguments) => commands::test::run(&arguments),
        Command::Bench(arguments) => commands::bench::run(&arguments),
        Command::Size => commands::size::run(),
        Command::Licences => commands::licences::run(),
        Command::With(arguments) => commands::with::run(&arguments),
    }
}

//! `parity-server`: reads the configuration, sets up the log, runs.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use server::{Args, ServerConfig};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let args = Args::parse();
    let config = match ServerConfig::load(&args) {
        Ok(config) => config,
        Err(error) => return fail(&error, ExitCode::from(2)),
    };
    let filter = EnvFilter::try_from_env("PARITY_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error, ExitCode::FAILURE),
    };
    match runtime.block_on(server::run(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, ExitCode::FAILURE),
    }
}

/// The error and its causes, one line.
fn fail(error: &dyn std::error::Error, code: ExitCode) -> ExitCode {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    eprintln!("parity-server: {}", texts.join(": "));
    code
}

//! `parity-runner`

use std::io::{IsTerminal, stderr};
use std::process::ExitCode;

use clap::Parser;
use runner::program::{Cli, RunError, run};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::builder()
        .with_env_var("PARITY_LOG")
        .with_default_directive(tracing::Level::INFO.into())
        .from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .init();
    // The one provider that is compiled in; it can only be taken already, by nobody.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("parity-runner: {}", runner::chain(&error));
            // 2 as for a wrong flag: what was given is wrong, not what happened.
            if matches!(error, RunError::Settings(_)) {
                ExitCode::from(2)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

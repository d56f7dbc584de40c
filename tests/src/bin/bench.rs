//! `cargo xtask bench`: figures beside their peers and their floor.

use std::process::ExitCode;

use clap::Parser;
use tests::bench::{Form, run};

#[derive(Debug, Parser)]
#[command(about)]
struct Arguments {
    /// Cells to measure; all of them when none is named
    cells: Vec<String>,
    /// Only see that every cell runs and its answers are right
    #[arg(long)]
    check: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let form = if arguments.check { Form::Check } else { Form::Full };
    match run(&arguments.cells, form).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            eprintln!("bench: {error}{}", cause.unwrap_or_default());
            ExitCode::FAILURE
        }
    }
}

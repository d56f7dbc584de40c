//! `parity`: the one command people type.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}

//! `cargo xtask size`: the gate on what a visitor downloads.

use std::process::ExitCode;

use crate::site::{self, Shrink};

pub fn run() -> anyhow::Result<ExitCode> {
    site::build(Shrink::Required)?;
    site::check_size()?;
    Ok(ExitCode::SUCCESS)
}

//! `cargo xtask bench [cell ...]`: builds for release and hands over to the bench harness in `tests`.

use std::process::{Command, ExitCode};

use clap::Args;

use super::test::environment::TestEnvironment;
use crate::{
    process,
    site::{self, Shrink},
    toolchain,
    workspace::Profile,
};

#[derive(Args)]
pub struct Arguments {
    /// The cells to measure; all of them when none is named
    cells: Vec<String>,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    site::build(Shrink::Required)?;
    build()?;
    let environment = TestEnvironment::set_up("bench")?;
    let mut command = harness(Profile::Release);
    environment.apply(command.args(&arguments.cells), Profile::Release);
    let outcome = process::run(&mut command);
    environment.tear_down()?;
    outcome.map(|()| ExitCode::SUCCESS)
}

/// The bench harness that was built last, ready for its own arguments. `cargo run` would resolve other features for
/// it alone and compile much of the tree again.
pub fn harness(profile: Profile) -> Command {
    Command::new(profile.folder().join("bench"))
}

/// One build for the harness and what it measures, so that both agree on the features of what they share.
fn build() -> anyhow::Result<()> {
    eprintln!("building for release (several minutes the first time) ...");
    let mut command = toolchain::cargo("build");
    command
        .args(super::build::BINARY_PACKAGES)
        .args(["--package", "tests", "--bins", "--release"]);
    process::run(command.args(toolchain::lock_flags()))
}

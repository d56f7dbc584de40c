//! `cargo xtask with -- <command>`: the tests' environment around any command, for work on a single test.

use std::{
    ffi::OsString,
    process::{Command, ExitCode},
};

use clap::Args;

use super::test::environment::TestEnvironment;
use crate::{process, workspace::Profile};

#[derive(Args)]
pub struct Arguments {
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true)]
    command: Vec<OsString>,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let environment = TestEnvironment::set_up("with")?;
    let mut words = arguments.command.iter();
    let mut command = Command::new(words.next().expect("clap requires one"));
    environment.apply(command.args(words), Profile::Debug);
    let status = process::status(&mut command);
    environment.tear_down()?;
    Ok(exit_code(status?))
}

/// The child's own exit code; one that ended by a signal counts as a failure.
fn exit_code(status: std::process::ExitStatus) -> ExitCode {
    status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}

//! The few commands that need root: packages and the Docker engine.

use std::{process::Command, sync::OnceLock};

use anyhow::bail;

use crate::process;

/// `program` as root: directly when we are root, else through sudo.
pub fn as_root(program: &str) -> anyhow::Result<Command> {
    if rustix::process::geteuid().is_root() {
        return Ok(Command::new(program));
    }
    if process::find("sudo").is_none() {
        bail!("`{program}` has to run as root here, and there is no sudo: run this command as root");
    }
    if !*SUDO_UNLOCKED.get_or_init(unlock_sudo) {
        bail!("`{program}` has to run as root here, and sudo refused");
    }
    let mut command = Command::new("sudo");
    command.args(["--non-interactive", "--", program]);
    Ok(command)
}

static SUDO_UNLOCKED: OnceLock<bool> = OnceLock::new();

/// Lets sudo ask for the password once, in our own process group: only that one may read from the terminal.
fn unlock_sudo() -> bool {
    Command::new("sudo")
        .arg("--validate")
        .status()
        .is_ok_and(|status| status.success())
}

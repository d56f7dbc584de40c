//! `cargo xtask licences`: what may be depended on, and what is known to be broken.

use std::{
    process::{Command, ExitCode},
    time::Duration,
};

use anyhow::bail;

use crate::{licences, process, workspace};

pub fn run() -> anyhow::Result<ExitCode> {
    check()?;
    Ok(ExitCode::SUCCESS)
}

/// Our own check always; advisories with whichever tool is installed, and a clear word when none is.
pub fn check() -> anyhow::Result<()> {
    let violations = licences::violations()?;
    for violation in &violations {
        eprintln!("{violation}");
    }
    if !violations.is_empty() {
        bail!("{} dependencies break the rules in deny.toml", violations.len());
    }
    eprintln!("licences, forbidden crates and sources: every dependency keeps the rules in deny.toml");
    advisories()
}

fn advisories() -> anyhow::Result<()> {
    if process::find("cargo-deny").is_some() {
        let mut deny = Command::new("cargo-deny");
        process::run(deny.current_dir(workspace::root()).args([
            "--offline",
            "check",
            "bans",
            "licenses",
            "sources",
        ]))?;
        return advisories_with(Command::new("cargo-deny").args(["check", "advisories"]));
    }
    if process::find("cargo-audit").is_some() {
        return advisories_with(Command::new("cargo-audit").arg("audit"));
    }
    eprintln!("advisories: NOT checked, neither cargo-deny nor cargo-audit is installed here");
    Ok(())
}

/// A finding fails; a database that cannot be fetched is only said, because that depends on the machine and
/// not on us.
fn advisories_with(command: &mut Command) -> anyhow::Result<()> {
    if !is_database_reachable() {
        eprintln!("advisories: NOT checked, the database at {DATABASE} cannot be reached from here");
        return Ok(());
    }
    process::run(command.current_dir(workspace::root()))
}

const DATABASE: &str = "https://github.com/RustSec/advisory-db";

fn is_database_reachable() -> bool {
    let mut command = Command::new("git");
    command
        .env("GIT_TERMINAL_PROMPT", "0")
        .args(["ls-remote", "--exit-code", "--quiet", DATABASE, "HEAD"]);
    process::succeeds_within(&mut command, Duration::from_secs(30))
}

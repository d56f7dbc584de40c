//! `cargo xtask build`: the page, then the binaries that embed it or talk to it.

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use crate::{
    process,
    site::{self, Shrink},
    toolchain,
    workspace::Profile,
};

#[derive(Args)]
pub struct Arguments {
    /// Optimise, as for people who will use it
    #[arg(long)]
    release: bool,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (profile, shrink) = if arguments.release {
        (Profile::Release, Shrink::Required)
    } else {
        (Profile::Debug, Shrink::IfAvailable)
    };
    site::build(shrink)?;
    binaries(profile)?;
    Ok(ExitCode::SUCCESS)
}

/// The packages whose binaries a person installs.
pub const BINARY_PACKAGES: &[&str] = &[
    "--package",
    "server",
    "--package",
    "runner",
    "--package",
    "client",
];

/// Builds the server, the runner and the command-line tool; the site must be there.
pub fn binaries(profile: Profile) -> anyhow::Result<()> {
    eprintln!("building the server, the runner and the command-line tool (a few minutes the first time) ...");
    let mut command = toolchain::cargo("build");
    command
        .args(BINARY_PACKAGES)
        .arg("--bins")
        .args(profile.flags())
        .args(toolchain::lock_flags());
    process::run(&mut command).context("the binaries do not compile")
}

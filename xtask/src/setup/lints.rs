//! rustfmt and clippy, which a minimal Rust installation lacks.

use std::process::Command;

use anyhow::Context;

use crate::{process, progress, toolchain, workspace};

pub fn ensure() -> anyhow::Result<()> {
    ensure_component("fmt", "rustfmt")?;
    ensure_component("clippy", "clippy")
}

fn ensure_component(subcommand: &str, component: &str) -> anyhow::Result<()> {
    if process::succeeds(toolchain::cargo(subcommand).arg("--version")) {
        return Ok(());
    }
    progress::during(&format!("adding {component} with rustup"), || {
        process::quietly(Command::new("rustup").current_dir(workspace::root()).args([
            "component",
            "add",
            component,
        ]))
    })
    .with_context(|| format!("{component} is missing and cannot be had: install it for this Rust toolchain"))
}

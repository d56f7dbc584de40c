//! Debian packages.

use std::{path::Path, sync::OnceLock};

use anyhow::{Context, bail};

use super::as_root;
use crate::{process, progress};

/// A package and a file that proves it is installed.
pub struct Package {
    pub name: &'static str,
    pub proof: &'static str,
}

impl Package {
    pub fn is_installed(&self) -> bool {
        Path::new(self.proof).exists()
    }
}

/// Installs those of `packages` whose proof is missing. `purpose` completes "installing ... for".
pub fn ensure(packages: &[Package], purpose: &str) -> anyhow::Result<()> {
    let missing: Vec<_> = packages
        .iter()
        .filter(|package| !package.is_installed())
        .map(|package| package.name)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    if process::find("apt-get").is_none() {
        bail!("{purpose} needs {names}, and there is no apt-get here to install it: install it by hand");
    }
    refresh_lists()?;
    progress::during(&format!("installing {names} for {purpose}"), || install(&missing))
        .with_context(|| format!("cannot install {names} for {purpose}"))
}

fn install(packages: &[&str]) -> anyhow::Result<()> {
    let mut command = as_root("env")?;
    // `env` because sudo would drop the variable otherwise.
    command.args([
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "install",
        "--yes",
        "--no-install-recommends",
    ]);
    process::quietly(command.args(packages))
}

/// Refreshes the package lists once per run; a machine image often comes without any.
fn refresh_lists() -> anyhow::Result<()> {
    static REFRESHED: OnceLock<()> = OnceLock::new();
    if REFRESHED.get().is_none() {
        progress::during("refreshing the package lists", || {
            process::quietly(as_root("apt-get")?.arg("update"))
        })?;
        REFRESHED.get_or_init(|| ());
    }
    Ok(())
}

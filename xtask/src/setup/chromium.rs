//! The browser of the end-to-end tests and its driver.

use std::{env, path::PathBuf};

use anyhow::Context;

use super::apt::{self, Package};
use crate::process;

pub struct Browser {
    pub chromium: PathBuf,
    pub driver: PathBuf,
}

/// The browser named by `PARITY_CHROMIUM` and `PARITY_CHROMEDRIVER`, else the one on PATH, else Debian's.
pub fn ensure() -> anyhow::Result<Browser> {
    if let Some(browser) = present() {
        return Ok(browser);
    }
    apt::ensure(
        &[
            Package {
                name: "chromium",
                proof: "/usr/bin/chromium",
            },
            Package {
                name: "chromium-driver",
                proof: "/usr/bin/chromedriver",
            },
        ],
        "the browser tests",
    )?;
    present().context("chromium is installed but not on PATH")
}

fn present() -> Option<Browser> {
    let chromium = env::var_os("PARITY_CHROMIUM")
        .map(PathBuf::from)
        .or_else(|| process::find("chromium"))?;
    let driver = env::var_os("PARITY_CHROMEDRIVER")
        .map(PathBuf::from)
        .or_else(|| process::find("chromedriver"))?;
    Some(Browser { chromium, driver })
}

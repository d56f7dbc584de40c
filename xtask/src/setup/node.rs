//! Tools from npm, in a folder of this checkout.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, bail};

use super::apt::{self, Package};
use crate::{process, progress, workspace};

/// The version whose `-Oz` was measured; a newer one changes every file name.
pub const BINARYEN: &str = "132.0.0";

/// `wasm-opt`, installed from npm when it is not there yet.
pub fn ensure_wasm_opt() -> anyhow::Result<PathBuf> {
    let folder = workspace::tools().join("binaryen").join(BINARYEN);
    let wasm_opt = folder.join("node_modules/.bin/wasm-opt");
    if wasm_opt.exists() {
        return Ok(wasm_opt);
    }
    let npm = ensure_npm()?;
    fs::create_dir_all(&folder)?;
    progress::during(&format!("installing binaryen {BINARYEN} from npm"), || {
        process::quietly(
            Command::new(npm)
                .current_dir(&folder)
                .args([
                    "install",
                    "--no-save",
                    "--no-audit",
                    "--no-fund",
                    "--no-package-lock",
                    "--prefix",
                ])
                .arg(&folder)
                .arg(format!("binaryen@{BINARYEN}")),
        )
    })
    .context("cannot install binaryen, which makes the page's wasm small")?;
    if !wasm_opt.exists() {
        bail!("binaryen {BINARYEN} came without wasm-opt");
    }
    Ok(wasm_opt)
}

/// Whether asking for `wasm-opt` would need more than npm as it is.
pub fn is_npm_present() -> bool {
    process::find("npm").is_some()
}

fn ensure_npm() -> anyhow::Result<PathBuf> {
    if let Some(npm) = process::find("npm") {
        return Ok(npm);
    }
    apt::ensure(
        &[
            Package {
                name: "nodejs",
                proof: "/usr/bin/node",
            },
            Package {
                name: "npm",
                proof: "/usr/bin/npm",
            },
        ],
        "wasm-opt",
    )?;
    process::find("npm").context("npm is installed but not on PATH")
}

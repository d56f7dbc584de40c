//! The files a browser gets, built into `target/site`, which the server embeds.
//!
//! cargo -> wasm-bindgen (as a library: its version cannot differ from the lock file's) -> wasm-opt -> names
//! by content -> brotli and gzip. Everything slow is kept under `target/site-work` by a hash of what went in,
//! and a file in `target/site` is written only when its bytes differ, so a second run costs a second and
//! rebuilds nothing.

mod bindings;
mod compress;
mod plan;
mod shrink;
mod styles;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

pub use shrink::Shrink;

use crate::{
    files, process, setup,
    toolchain::{self, WASM_TARGET},
    workspace,
};
use plan::Plan;

/// The most a visitor downloads as wasm, in bytes of the brotli file (issue 2, "It is done when" 6).
const WASM_LIMIT_BYTES: u64 = 300_000;

/// The URLs of the three files every page names.
#[derive(Serialize, Deserialize)]
pub struct Manifest {
    pub js: String,
    pub wasm: String,
    pub css: String,
}

/// Builds the site and says how large the wasm is.
pub fn build(shrink: Shrink) -> anyhow::Result<()> {
    let compiled = compile()?;
    let bindings = bindings::generate(&fs::read(compiled)?, shrink)?;
    let mut plan = Plan::default();
    let manifest = plan.add_page(
        &bindings,
        &styles::bundle(&workspace::root().join("style/main.css"))?,
    );
    plan.add_verbatim(&workspace::root().join("public"))?;
    plan.add("manifest.json", serde_json::to_vec_pretty(&manifest)?);
    let compressed = compress::all(&plan, &work())?;
    plan.extend(compressed);
    plan.write_to(&workspace::site())?;
    eprintln!(
        "the page's wasm is {} kB as brotli",
        brotli_size()?.div_ceil(1000)
    );
    Ok(())
}

/// Fails when the wasm of the built site is over the limit.
pub fn check_size() -> anyhow::Result<()> {
    let size = brotli_size()?;
    if size > WASM_LIMIT_BYTES {
        bail!("the page's wasm is {size} bytes as brotli, the limit is {WASM_LIMIT_BYTES}");
    }
    eprintln!("{size} bytes of wasm as brotli, the limit is {WASM_LIMIT_BYTES}");
    Ok(())
}

/// The folder must exist before the server compiles, even when only lints are wanted.
pub fn ensure_folder() -> anyhow::Result<()> {
    Ok(fs::create_dir_all(workspace::site())?)
}

fn compile() -> anyhow::Result<PathBuf> {
    let toolchain = setup::wasm::ensure()?;
    eprintln!("compiling the page (a few minutes the first time) ...");
    let mut command = toolchain.cargo("build");
    command.args([
        "--package",
        "app",
        "--lib",
        "--no-default-features",
        "--features",
        "hydrate",
    ]);
    command
        .args(["--profile", "wasm-release"])
        .args(toolchain::lock_flags());
    process::run(&mut command).context("the page does not compile")?;
    Ok(workspace::cargo_target()
        .join(WASM_TARGET)
        .join("wasm-release/app.wasm"))
}

fn brotli_size() -> anyhow::Result<u64> {
    let manifest = workspace::site().join("manifest.json");
    let text = fs::read(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
    let manifest: Manifest = serde_json::from_slice(&text)?;
    let file = workspace::site().join(format!("{}.br", manifest.wasm.trim_start_matches('/')));
    Ok(fs::metadata(&file)
        .with_context(|| format!("cannot read {}", file.display()))?
        .len())
}

/// Where results of slow steps are kept, by a hash of what went in.
fn work() -> PathBuf {
    workspace::generated().join("site-work")
}

/// The folder `<work>/<step>-<key>`, filled by `fill` unless an earlier run did. Folders of the step's other
/// keys go away.
fn kept(step: &str, key: &str, fill: impl FnOnce(&Path) -> anyhow::Result<()>) -> anyhow::Result<PathBuf> {
    let folder = work().join(format!("{step}-{key}"));
    if folder.is_dir() {
        return Ok(folder);
    }
    fs::create_dir_all(work())?;
    let fresh = tempfile::Builder::new()
        .prefix("unfinished-")
        .tempdir_in(work())?;
    fill(fresh.path())?;
    forget_others(step)?;
    // The rename comes last: a folder under its final name is complete.
    fs::rename(fresh.keep(), &folder)?;
    Ok(folder)
}

fn forget_others(step: &str) -> anyhow::Result<()> {
    for entry in fs::read_dir(work())? {
        let entry = entry?;
        if entry
            .file_name()
            .to_string_lossy()
            .starts_with(&format!("{step}-"))
        {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// A key from the versions of the tools and the bytes they get.
fn key(versions: &[&str], bytes: &[u8]) -> String {
    let mut parts: Vec<&[u8]> = versions.iter().map(|version| version.as_bytes()).collect();
    parts.push(bytes);
    files::fingerprint(&parts)
}

//! `wasm-opt`: a fifth off the size, for a few seconds of work.

use std::{path::Path, process::Command};

use crate::{process, progress, setup::node};

/// Whether the page has to be as small as it gets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shrink {
    /// What visitors get, and what the size gate measures.
    Required,
    /// A page that works is enough where npm is missing.
    IfAvailable,
}

/// Part of the key of everything made with it.
pub const VERSION: &str = node::BINARYEN;

/// What the compiler emits today. Never `--all-features`: it lets wasm-opt write imports that Chromium
/// refuses.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-call-indirect-overlong",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// The optimiser to use, or `None` where doing without it is allowed and npm is missing.
pub fn optimiser(shrink: Shrink) -> anyhow::Result<Option<std::path::PathBuf>> {
    if shrink == Shrink::IfAvailable && !node::is_npm_present() {
        eprintln!("npm is missing: the page's wasm stays larger than it has to be");
        return Ok(None);
    }
    node::ensure_wasm_opt().map(Some)
}

/// Shrinks `wasm` in place.
pub fn shrink(wasm_opt: &Path, wasm: &Path) -> anyhow::Result<()> {
    progress::during("shrinking the page's wasm", || {
        process::quietly(
            Command::new(wasm_opt)
                .arg("-Oz")
                .args(FEATURES)
                .arg(wasm)
                .arg("--output")
                .arg(wasm),
        )
    })
}

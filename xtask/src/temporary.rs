//! Folders under a short path, for sockets (a socket's path must stay below 108 bytes) and for what tests
//! write.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use tempfile::TempDir;

/// Not `TMPDIR`, which may be long.
const PARENT: &str = "/tmp";

/// A folder named `parity-<purpose>-...` that goes away with its handle.
pub fn folder(purpose: &str) -> anyhow::Result<TempDir> {
    tempfile::Builder::new()
        .prefix(&prefix(purpose))
        .tempdir_in(PARENT)
        .with_context(|| format!("cannot make a folder in {PARENT}"))
}

/// The folders for `purpose` that exist now, whoever made them.
pub fn folders(purpose: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(Path::new(PARENT)) else {
        return Vec::new();
    };
    let is_named_so = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(&prefix(purpose)))
    };
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter(is_named_so)
        .collect()
}

fn prefix(purpose: &str) -> String {
    format!("parity-{purpose}-")
}

//! A folder under a short path, for sockets (a socket's path must stay below 108 bytes) and for what tests write.

use std::path::Path;

use anyhow::Context;
use tempfile::TempDir;

/// A folder named `parity-<purpose>-...` that goes away with its handle.
pub fn folder(purpose: &str) -> anyhow::Result<TempDir> {
    // Not `TMPDIR`: it may be long.
    let parent = Path::new("/tmp");
    tempfile::Builder::new()
        .prefix(&format!("parity-{purpose}-"))
        .tempdir_in(parent)
        .with_context(|| format!("cannot make a folder in {}", parent.display()))
}

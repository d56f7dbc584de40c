//! Folders under a short path, for sockets (a socket's path must stay below 108 bytes) and for what tests write.
//!
//! Each is claimed by a lock that ends with the command that made it, however that ends. So the next command can tell
//! what a killed one left behind.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::Context;
use tempfile::TempDir;

/// Not `TMPDIR`, which may be long.
const PARENT: &str = "/tmp";

/// Held locked by the command that made the folder.
const CLAIM_FILE: &str = ".claim";

/// A folder named `parity-<purpose>-...` that goes away with its handle.
pub struct Folder {
    folder: TempDir,
    _claim: File,
}

impl Folder {
    pub fn create(purpose: &str) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix(&prefix(purpose))
            .tempdir_in(PARENT)
            .with_context(|| format!("cannot make a folder in {PARENT}"))?;
        let claim = File::create(folder.path().join(CLAIM_FILE))?;
        claim
            .try_lock()
            .with_context(|| format!("cannot claim {}", folder.path().display()))?;
        Ok(Self {
            folder,
            _claim: claim,
        })
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// The folders for `purpose` whose commands have ended without removing them.
pub fn abandoned(purpose: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(PARENT) else {
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
        .filter(|path| is_abandoned(path))
        .collect()
}

fn is_abandoned(folder: &Path) -> bool {
    // Without the file the folder is so new that its owner has not made it yet.
    File::open(folder.join(CLAIM_FILE)).is_ok_and(|claim| claim.try_lock().is_ok())
}

fn prefix(purpose: &str) -> String {
    format!("parity-{purpose}-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_abandoned_when_nobody_holds_its_claim() {
        let claimed = Folder::create("xtask-unit").unwrap();
        let path = claimed.path().to_path_buf();
        assert!(!abandoned("xtask-unit").contains(&path));

        // What a killed command leaves: the folder and the file, but no lock.
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_abandoned(folder.path()));
        fs::write(folder.path().join(CLAIM_FILE), "").unwrap();
        assert!(is_abandoned(folder.path()));

        drop(claimed);
        assert!(!path.exists());
    }
}

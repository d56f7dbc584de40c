//! Folders of engines whose command was killed before it could clean up.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::Context;

use super::private::{FOLDER, PID_FILE};
use crate::{process, setup, temporary};

/// Held locked by the command that owns the folder; the lock ends with that command, however it ends.
const CLAIM_FILE: &str = "claim";

/// Marks a new folder as in use for as long as the answer lives.
pub fn claim(folder: &Path) -> anyhow::Result<File> {
    let file = File::create(folder.join(CLAIM_FILE))?;
    file.try_lock()
        .with_context(|| format!("cannot claim {}", folder.display()))?;
    Ok(file)
}

/// Removes what killed commands left. A failure is only said: it is not this command's business.
pub fn remove_all() {
    for folder in temporary::folders(FOLDER) {
        if is_abandoned(&folder)
            && let Err(error) = remove_folder(&folder, &folder)
        {
            eprintln!(
                "{} is left from an earlier run and cannot be removed: {error:#}",
                folder.display()
            );
        }
    }
}

/// Unmounts what is mounted below either folder, then removes `run`.
pub fn remove_folder(run: &Path, data: &Path) -> anyhow::Result<()> {
    for mount in mounts_below(&[run, data])? {
        process::clean_up(setup::as_root("umount")?.arg(mount))?;
    }
    // What the daemon made belongs to root, who may not be the one who made the folder.
    process::clean_up(
        setup::as_root("rm")?
            .args(["-rf", "--one-file-system", "--"])
            .arg(run),
    )
    .map(drop)
}

/// Nobody holds the claim and the daemon, which gets a SIGTERM when its command dies, has ended too.
fn is_abandoned(folder: &Path) -> bool {
    // Without the file the folder is so new that its owner has not made it yet.
    let Ok(claim) = File::open(folder.join(CLAIM_FILE)) else {
        return false;
    };
    let daemon = fs::read_to_string(folder.join(PID_FILE)).unwrap_or_default();
    let is_running = !daemon.trim().is_empty() && Path::new("/proc").join(daemon.trim()).exists();
    claim.try_lock().is_ok() && !is_running
}

/// What is mounted below any of `folders`, deepest first.
fn mounts_below(folders: &[&Path]) -> anyhow::Result<Vec<PathBuf>> {
    let table = fs::read_to_string("/proc/self/mounts").context("cannot read the mount table")?;
    let mut mounts: Vec<_> = table
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .map(PathBuf::from)
        .filter(|mount| folders.iter().any(|folder| mount.starts_with(folder)))
        .collect();
    mounts.sort();
    mounts.reverse();
    Ok(mounts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_folder_nobody_claims_is_abandoned() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_abandoned(folder.path()));
        let claimed = claim(folder.path()).unwrap();
        assert!(!is_abandoned(folder.path()));
        drop(claimed);
        assert!(is_abandoned(folder.path()));
        fs::write(folder.path().join(PID_FILE), std::process::id().to_string()).unwrap();
        assert!(!is_abandoned(folder.path()));
    }
}

//! Folders of engines whose command was killed before it could clean up.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

use super::private::{FOLDER, PID_FILE};
use crate::{process, setup, temporary};

/// Removes what killed commands left. A failure is only said: it is not this command's business.
pub fn remove_all() {
    for folder in temporary::abandoned(FOLDER) {
        if !is_running(&folder)
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

/// The daemon gets a SIGTERM when its command dies, and then takes its time.
fn is_running(folder: &Path) -> bool {
    let daemon = fs::read_to_string(folder.join(PID_FILE)).unwrap_or_default();
    !daemon.trim().is_empty() && Path::new("/proc").join(daemon.trim()).exists()
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

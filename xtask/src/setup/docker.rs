//! The programs of a Docker engine; `engine` starts them.

use std::{fs, path::PathBuf};

use anyhow::Context;

use super::{
    apt::{self, Package},
    as_root,
};
use crate::process;

/// `dockerd` and the `docker` client, from Debian when they are missing.
pub fn ensure() -> anyhow::Result<PathBuf> {
    if let (Some(daemon), Some(_)) = (daemon(), process::find("docker")) {
        return Ok(daemon);
    }
    apt::ensure(
        &[Package {
            name: "docker.io",
            proof: "/usr/sbin/dockerd",
        }],
        "running containers",
    )?;
    // Later Debian releases carry the client apart.
    if process::find("docker").is_none() {
        apt::ensure(
            &[Package {
                name: "docker-cli",
                proof: "/usr/bin/docker",
            }],
            "running containers",
        )?;
    }
    daemon().context("docker.io is installed, but dockerd is not where it should be")
}

/// Not every user has the folders for system programs on PATH.
fn daemon() -> Option<PathBuf> {
    process::find("dockerd")
        .or_else(|| Some(PathBuf::from("/usr/sbin/dockerd")).filter(|file| file.is_file()))
}

/// Control groups, without which no container starts; a machine without an init system may lack them.
pub fn ensure_control_groups() -> anyhow::Result<()> {
    let mounts = fs::read_to_string("/proc/self/mounts").context("cannot read the mount table")?;
    let are_mounted = mounts
        .lines()
        .any(|line| matches!(line.split(' ').nth(2), Some("cgroup" | "cgroup2")));
    if are_mounted {
        return Ok(());
    }
    apt::ensure(
        &[Package {
            name: "cgroupfs-mount",
            proof: "/usr/bin/cgroupfs-mount",
        }],
        "running containers",
    )?;
    process::quietly(&mut as_root("cgroupfs-mount")?).context("control groups cannot be mounted")
}

//! The programs of a Docker engine; `engine` starts them.

use std::path::PathBuf;

use anyhow::Context;

use super::apt::{self, Package};
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

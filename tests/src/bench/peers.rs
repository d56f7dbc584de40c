//! Peers, installed from their registries into `target/bench/peers` and nowhere else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::BenchError;
use crate::binaries::workspace;

/// Pinned, so that a figure of today can be compared with one of tomorrow.
const FASTIFY: &str = "fastify@5.12.8";
const BUILDBOT: [&str; 3] = [
    "buildbot[bundle]==4.3.0",
    "buildbot-worker==4.3.0",
    "setuptools<81",
];

/// `target/bench`, made when it is not there.
pub fn bench_folder() -> Result<PathBuf, BenchError> {
    let folder = workspace().join("target/bench");
    fs::create_dir_all(&folder).map_err(BenchError::io("target/bench"))?;
    Ok(folder)
}

/// The folder with fastify below its `node_modules`.
pub fn fastify() -> Result<PathBuf, BenchError> {
    let folder = peer_folder("fastify")?;
    if !folder.join("node_modules/fastify/package.json").is_file() {
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--prefix"])
            .arg(&folder)
            .arg(FASTIFY);
        run("fastify", &mut npm)?;
    }
    Ok(folder)
}

/// The folder with a Python environment that holds buildbot, in `bin`.
pub fn buildbot() -> Result<PathBuf, BenchError> {
    let folder = peer_folder("buildbot")?;
    if !folder.join("bin/buildbot-worker").is_file() {
        run(
            "buildbot",
            Command::new("python3").args(["-m", "venv"]).arg(&folder),
        )?;
        let mut pip = Command::new(folder.join("bin/pip"));
        run(
            "buildbot",
            pip.args(["install", "--quiet", "--disable-pip-version-check"])
                .args(BUILDBOT),
        )?;
    }
    Ok(folder)
}

fn peer_folder(name: &str) -> Result<PathBuf, BenchError> {
    let folder = bench_folder()?.join("peers").join(name);
    fs::create_dir_all(&folder).map_err(BenchError::io(format!("the folder of {name}")))?;
    Ok(folder)
}

/// Writes a file of a peer's own set-up.
pub fn write(path: &Path, text: &str) -> Result<(), BenchError> {
    fs::write(path, text).map_err(BenchError::io(path.display().to_string()))
}

/// Runs a tool that prepares something, and fails with what it said.
pub fn run(what: &'static str, command: &mut Command) -> Result<(), BenchError> {
    let complaint = match command.output() {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => error.to_string(),
    };
    Err(BenchError::Install { what, complaint })
}

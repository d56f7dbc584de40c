//! Which cargo builds what.

use std::{env, path::Path, process::Command};

use crate::workspace;

/// The standard target of the page.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The cargo that runs us, in the folder of the workspace.
pub fn cargo(subcommand: &str) -> Command {
    in_workspace(
        Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into())),
        subcommand,
    )
}

/// On a continuous-integration machine the lock file is what is tested.
pub fn lock_flags() -> &'static [&'static str] {
    if env::var_os("CI").is_some() {
        &["--locked"]
    } else {
        &[]
    }
}

/// A toolchain that can compile for the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WasmToolchain {
    /// The toolchain that runs us, which has the target's standard library.
    Own,
    /// Debian's `rustc-web`, which carries the sources of the standard library and compiles them along.
    Debian,
}

impl WasmToolchain {
    /// `cargo <subcommand>` for the wasm target. Its own arguments come before any `--`.
    pub fn cargo(self, subcommand: &str) -> Command {
        let mut command = match self {
            Self::Own => cargo(subcommand),
            Self::Debian => debian_cargo(subcommand),
        };
        command.args(["--target", WASM_TARGET]);
        command
    }
}

/// Debian's programs by their full names: no toolchain has to be registered with rustup, and nothing of the
/// user's is changed.
fn debian_cargo(subcommand: &str) -> Command {
    let bin = Path::new("/usr/bin");
    // Asked for clippy, cargo would start the first `cargo-clippy` on PATH, which may be rustup's.
    let program = if subcommand == "clippy" {
        "cargo-clippy"
    } else {
        "cargo"
    };
    let mut command = in_workspace(Command::new(bin.join(program)), subcommand);
    command
        .env_remove("RUSTUP_TOOLCHAIN")
        .env("CARGO", bin.join("cargo"))
        .env("RUSTC", bin.join("rustc"))
        // Debian ships the sources of std but no built std for the browser; building it is behind this
        // switch.
        .env("RUSTC_BOOTSTRAP", "1")
        .args([
            "-Z",
            "build-std=std,panic_abort",
            "-Z",
            "build-std-features=optimize_for_size",
        ]);
    command
}

fn in_workspace(mut command: Command, subcommand: &str) -> Command {
    command.current_dir(workspace::root()).arg(subcommand);
    // Our own package's variables would make every build script that reads them look changed.
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
            command.env_remove(name);
        }
    }
    command
}

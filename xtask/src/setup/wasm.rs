//! A toolchain that compiles for the browser: rustup's target where it can be downloaded, else Debian's
//! compiler.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use anyhow::{Context, bail};

use super::apt::{self, Package};
use crate::{
    process, progress,
    toolchain::{WASM_TARGET, WasmToolchain},
    workspace,
};

/// Set to `debian` to use the substitute although rustup's target is there, which is how the substitute is
/// tested.
const CHOICE: &str = "PARITY_WASM_TOOLCHAIN";

/// The toolchain to compile the page with; installed when missing.
pub fn ensure() -> anyhow::Result<WasmToolchain> {
    static CHOSEN: OnceLock<WasmToolchain> = OnceLock::new();
    if let Some(chosen) = CHOSEN.get() {
        return Ok(*chosen);
    }
    let chosen = choose()?;
    Ok(*CHOSEN.get_or_init(|| chosen))
}

/// Makes sure that `cargo clippy` works in the given toolchain too.
pub fn ensure_clippy(toolchain: WasmToolchain) -> anyhow::Result<()> {
    match toolchain {
        WasmToolchain::Own => Ok(()),
        WasmToolchain::Debian => apt::ensure(
            &[Package {
                name: "rust-web-clippy",
                proof: "/usr/bin/cargo-clippy",
            }],
            "clippy for wasm32",
        ),
    }
}

fn choose() -> anyhow::Result<WasmToolchain> {
    match env::var(CHOICE).as_deref() {
        Ok("debian") => return ensure_debian(),
        Ok(other) => bail!("{CHOICE} is `{other}`, expected `debian` or nothing"),
        Err(_) => {}
    }
    if own_has_target()? {
        return Ok(WasmToolchain::Own);
    }
    // Where the substitute is installed rustup has failed before, and would only take its time to fail again.
    if !is_debian_installed() && process::find("rustup").is_some() {
        match add_with_rustup() {
            Ok(()) => return Ok(WasmToolchain::Own),
            Err(error) => eprintln!("rustup cannot add it ({error:#}); taking Debian's compiler instead"),
        }
    }
    ensure_debian()
}

fn add_with_rustup() -> anyhow::Result<()> {
    // Where nothing answers, rustup keeps trying for longer than Debian's compiler takes to install.
    const LIMIT: Duration = Duration::from_mins(2);
    progress::during(&format!("adding {WASM_TARGET} with rustup"), || {
        let mut add = Command::new("rustup");
        add.current_dir(workspace::root())
            .args(["target", "add", WASM_TARGET]);
        process::quietly_within(&mut add, Some(LIMIT))
    })
}

fn own_has_target() -> anyhow::Result<bool> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(rustc);
    let sysroot = process::capture(
        command
            .current_dir(workspace::root())
            .args(["--print", "sysroot"]),
    )?;
    Ok(PathBuf::from(sysroot.trim())
        .join("lib/rustlib")
        .join(WASM_TARGET)
        .join("lib")
        .is_dir())
}

const DEBIAN_PACKAGES: &[Package] = &[
    Package {
        name: "rustc-web",
        proof: "/usr/share/doc/rustc-web",
    },
    Package {
        name: "cargo-web",
        proof: "/usr/share/doc/cargo-web",
    },
    Package {
        name: "rust-web-src",
        proof: "/usr/share/doc/rust-web-src",
    },
    Package {
        name: "rust-web-llvm",
        proof: "/usr/share/doc/rust-web-llvm",
    },
    Package {
        name: "lld-22",
        proof: "/usr/share/doc/lld-22",
    },
];

fn is_debian_installed() -> bool {
    DEBIAN_PACKAGES.iter().all(Package::is_installed)
}

fn ensure_debian() -> anyhow::Result<WasmToolchain> {
    apt::ensure(
        DEBIAN_PACKAGES,
        "compiling the page (rustup has no wasm32 target here)",
    )?;
    let rustc = Path::new("/usr/bin/rustc");
    let version =
        process::capture(Command::new(rustc).arg("--version")).context("Debian's rustc does not start")?;
    eprintln!("the page is compiled with Debian's {}", version.trim());
    Ok(WasmToolchain::Debian)
}

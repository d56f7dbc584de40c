//! Where things are. Every path that two modules share is named here once.

use std::{
    env,
    path::{Path, PathBuf},
};

/// The folder of the workspace's `Cargo.toml`.
pub fn root() -> PathBuf {
    // `cargo run` sets the variable for the checkout it runs in, which is not always the one that compiled
    // us.
    let manifest =
        env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    manifest
        .parent()
        .map_or_else(|| manifest.clone(), Path::to_path_buf)
}

/// Where cargo puts what it builds.
pub fn cargo_target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// Our own generated files; always inside the checkout, because the server embeds `site` from a path relative
/// to itself.
pub fn generated() -> PathBuf {
    root().join("target")
}

/// The folder the server embeds.
pub fn site() -> PathBuf {
    generated().join("site")
}

/// Tools installed for this checkout alone.
pub fn tools() -> PathBuf {
    generated().join("tools")
}

/// How binaries are built, which is also the name of the folder they land in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    Debug,
    Release,
}

impl Profile {
    pub fn folder(self) -> PathBuf {
        cargo_target().join(match self {
            Self::Debug => "debug",
            Self::Release => "release",
        })
    }

    pub fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Debug => &[],
            Self::Release => &["--release"],
        }
    }
}

//! Where the programs under test are.

use std::env;
use std::path::{Path, PathBuf};

/// A program of this workspace. Tests never build it themselves: cargo would wait for its own lock.
pub fn binary(name: &str) -> PathBuf {
    let folder = env::var_os("PARITY_BIN_DIR").map_or_else(beside_this_program, PathBuf::from);
    let path = folder.join(name);
    assert!(
        path.is_file(),
        "{} is not there: build it first, for example with `cargo build --workspace`",
        path.display()
    );
    path
}

fn beside_this_program() -> PathBuf {
    let own = env::current_exe().expect("the system knows the running program");
    let folder = own.parent().expect("a program is in a folder");
    // Test programs are one folder below the others.
    match folder.file_name() {
        Some(name) if name == "deps" => folder.parent().expect("`deps` is in a folder").to_owned(),
        _ => folder.to_owned(),
    }
}

/// The root of the checkout.
pub fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

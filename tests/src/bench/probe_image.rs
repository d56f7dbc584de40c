//! An image that holds the probe and what it is linked to, and nothing else.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::error::BenchError;
use super::peers;
use crate::binaries::binary;
use crate::engine::TestEngine;
use crate::server::temporary_folder;

/// Removed from the engine when dropped.
#[derive(Debug)]
pub struct ProbeImage {
    pub engine: TestEngine,
}

impl ProbeImage {
    pub const NAME: &str = "parity-bench-probe:latest";
    /// Where it is in the image.
    pub const PROGRAM: &str = "/bench-probe";

    pub fn make(engine: &TestEngine) -> Result<Self, BenchError> {
        let folder = temporary_folder();
        let root = folder.path().join("root");
        let archive = folder.path().join("root.tar");
        let probe = binary("bench-probe");
        put(&probe, &root, Self::PROGRAM)?;
        for library in libraries(&probe)? {
            put(Path::new(&library), &root, &library)?;
        }
        // The places a caged container gets its own file systems at.
        for place in ["tmp", "dev", "proc", "sys", "etc"] {
            fs::create_dir_all(root.join(place)).map_err(BenchError::io(place))?;
        }
        let mut tar = Command::new("tar");
        tar.args(["--owner=0", "--group=0", "--create", "--file"])
            .arg(&archive);
        peers::run("the probe's image", tar.arg("--directory").arg(&root).arg("."))?;
        let imported = engine.docker(&["import", &archive.to_string_lossy(), Self::NAME]);
        if imported.status.success() {
            Ok(Self {
                engine: engine.clone(),
            })
        } else {
            let complaint = String::from_utf8_lossy(&imported.stderr).into_owned();
            Err(BenchError::Install {
                what: "the probe's image",
                complaint,
            })
        }
    }
}

impl Drop for ProbeImage {
    fn drop(&mut self) {
        self.engine.docker(&["image", "rm", "--force", Self::NAME]);
    }
}

fn put(file: &Path, root: &Path, place: &str) -> Result<(), BenchError> {
    let target = root.join(place.trim_start_matches('/'));
    let folder = target.parent().unwrap_or(root);
    let copied = fs::create_dir_all(folder).and_then(|()| fs::copy(file, &target));
    copied.map(|_bytes| ()).map_err(BenchError::io(place))
}

/// Absolute paths of the libraries a program is linked to, its loader included.
fn libraries(program: &Path) -> Result<Vec<String>, BenchError> {
    let listed = Command::new("ldd")
        .arg(program)
        .output()
        .map_err(BenchError::io("ldd"))?;
    let text = String::from_utf8_lossy(&listed.stdout);
    // `libc.so.6 => /lib/libc.so.6 (0x..)`, `/lib64/ld-linux.so.2 (0x..)`, and a `linux-vdso` that is no file.
    let paths = text.split_whitespace().filter(|word| word.starts_with('/'));
    Ok(paths.map(str::to_owned).collect())
}

//! The JavaScript between the browser and the wasm, and the wasm it belongs to.

use std::{fs, path::Path, path::PathBuf};

use anyhow::Context;
use wasm_bindgen_cli_support::Bindgen;

use super::shrink::{self, Shrink};
use crate::{files, progress};

/// Must change whenever the options below do.
const OPTIONS: &str = "web-1";

/// What wasm-bindgen made of the compiled page.
pub struct Bindings {
    pub js: Vec<u8>,
    pub wasm: Vec<u8>,
    /// Scripts that crates bring along, by their path below the folder of the glue, which imports them by it.
    pub snippets: Vec<(PathBuf, Vec<u8>)>,
}

pub fn generate(compiled: &[u8], shrink: Shrink) -> anyhow::Result<Bindings> {
    let optimiser = shrink::optimiser(shrink)?;
    let key = super::key(
        &[
            OPTIONS,
            if optimiser.is_some() {
                shrink::VERSION
            } else {
                "as compiled"
            },
        ],
        compiled,
    );
    let folder = super::kept("bindings", &key, |folder| {
        progress::during("generating the page's bindings", || bind(compiled, folder))?;
        optimiser.map_or(Ok(()), |wasm_opt| {
            shrink::shrink(&wasm_opt, &folder.join("parity_bg.wasm"))
        })
    })?;
    read(&folder)
}

fn bind(compiled: &[u8], folder: &Path) -> anyhow::Result<()> {
    Bindgen::new()
        .input_bytes("parity", compiled.to_vec())
        .web(true)
        .and_then(|bindgen| {
            bindgen
                .typescript(false)
                // The page passes the wasm's URL, because its name is known only after the glue is written.
                .omit_default_module_path(true)
                .remove_name_section(true)
                .remove_producers_section(true)
                .generate(folder)
        })
        .context("wasm-bindgen refused the compiled page")
}

fn read(folder: &Path) -> anyhow::Result<Bindings> {
    let mut bindings = Bindings {
        js: Vec::new(),
        wasm: Vec::new(),
        snippets: Vec::new(),
    };
    for path in files::all_below(folder)? {
        let bytes = fs::read(folder.join(&path))?;
        match path.to_str() {
            Some("parity.js") => bindings.js = bytes,
            Some("parity_bg.wasm") => bindings.wasm = bytes,
            _ => bindings.snippets.push((path, bytes)),
        }
    }
    Ok(bindings)
}

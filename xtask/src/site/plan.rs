//! What `target/site` should hold, before it is written.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::{Manifest, bindings::Bindings};
use crate::files;

/// Contents by path relative to the site's folder.
#[derive(Default)]
pub struct Plan(BTreeMap<PathBuf, Vec<u8>>);

impl Plan {
    pub fn add(&mut self, path: impl Into<PathBuf>, bytes: Vec<u8>) {
        self.0.insert(path.into(), bytes);
    }

    /// Adds the files every page loads, under names that change with their content: browsers may keep them
    /// forever.
    pub fn add_page(&mut self, bindings: &Bindings, css: &[u8]) -> Manifest {
        for (path, bytes) in &bindings.snippets {
            self.add(Path::new("pkg").join(path), bytes.clone());
        }
        Manifest {
            js: self.add_hashed("parity", "js", &bindings.js),
            wasm: self.add_hashed("parity_bg", "wasm", &bindings.wasm),
            css: self.add_hashed("main", "css", css),
        }
    }

    /// Adds files that are reached by a fixed name, such as `favicon.ico`.
    pub fn add_verbatim(&mut self, folder: &Path) -> anyhow::Result<()> {
        for path in files::all_below(folder)? {
            let bytes = fs::read(folder.join(&path))?;
            self.add(path, bytes);
        }
        Ok(())
    }

    pub fn extend(&mut self, more: Vec<(PathBuf, Vec<u8>)>) {
        self.0.extend(more);
    }

    pub fn files(&self) -> impl Iterator<Item = (&Path, &[u8])> {
        self.0
            .iter()
            .map(|(path, bytes)| (path.as_path(), bytes.as_slice()))
    }

    /// Makes `folder` hold exactly this, touching only what differs.
    pub fn write_to(&self, folder: &Path) -> anyhow::Result<()> {
        for (path, bytes) in &self.0 {
            files::write_if_changed(&folder.join(path), bytes)?;
        }
        for path in files::all_below(folder)? {
            if !self.0.contains_key(&path) {
                fs::remove_file(folder.join(path))?;
            }
        }
        Ok(())
    }

    fn add_hashed(&mut self, stem: &str, extension: &str, bytes: &[u8]) -> String {
        let path = format!("pkg/{stem}.{}.{extension}", files::content_hash(bytes));
        self.add(&path, bytes.to_vec());
        format!("/{path}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_ends_up_with_exactly_the_plan() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("old.js"), "old").unwrap();
        let mut plan = Plan::default();
        let bindings = Bindings {
            js: b"js".to_vec(),
            wasm: b"wasm".to_vec(),
            snippets: vec![("snippets/a/inline0.js".into(), b"snippet".to_vec())],
        };
        let manifest = plan.add_page(&bindings, b"css");
        plan.write_to(folder.path()).unwrap();

        let js = format!("/pkg/parity.{}.js", files::content_hash(b"js"));
        assert_eq!(manifest.js, js);
        assert_eq!(
            fs::read(folder.path().join(js.trim_start_matches('/'))).unwrap(),
            b"js"
        );
        assert!(folder.path().join("pkg/snippets/a/inline0.js").exists());
        assert!(!folder.path().join("old.js").exists());
    }
}

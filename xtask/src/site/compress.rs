//! Brotli and gzip beside each file, made once here so that the server never compresses.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};

use super::plan::Plan;
use crate::{files, signals};

/// Brotli's window is two to this power: 4 MiB covers the whole wasm, which is where the last per cent is.
const BROTLI_WINDOW: i32 = 22;

/// The compressed companions of every file that gains from it; results are kept in `work` by content.
pub fn all(plan: &Plan, work: &Path) -> anyhow::Result<Vec<(PathBuf, Vec<u8>)>> {
    let cache = work.join("compressed");
    fs::create_dir_all(&cache)?;
    let mut used = Vec::new();
    let mut companions = Vec::new();
    for (path, bytes) in plan.files().filter(|(path, _)| is_served(path)) {
        for (extension, compress) in FORMATS {
            signals::check()?;
            let kept = cache.join(format!("{}.{extension}", files::content_hash(bytes)));
            if !kept.exists() {
                files::write_if_changed(&kept, &compress(bytes)?)?;
            }
            let compressed = fs::read(&kept)?;
            if compressed.len() < bytes.len() {
                companions.push((with_extension(path, extension), compressed));
            }
            used.push(kept);
        }
    }
    forget_unused(&cache, &used)?;
    Ok(companions)
}

type Compress = fn(&[u8]) -> anyhow::Result<Vec<u8>>;

const FORMATS: &[(&str, Compress)] = &[("br", brotli), ("gz", gzip)];

/// The manifest is read by the server alone.
fn is_served(path: &Path) -> bool {
    path != Path::new("manifest.json")
}

fn brotli(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: BROTLI_WINDOW,
        size_hint: bytes.len(),
        ..brotli::enc::BrotliEncoderParams::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut compressed, &parameters)?;
    Ok(compressed)
}

fn gzip(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::best());
    writer.write_all(bytes)?;
    Ok(writer.finish()?)
}

fn with_extension(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

fn forget_unused(cache: &Path, used: &[PathBuf]) -> anyhow::Result<()> {
    for entry in fs::read_dir(cache)? {
        let path = entry?.path();
        if !used.contains(&path) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn companions_unpack_to_the_file_and_exist_only_when_smaller() {
        let folder = tempfile::tempdir().unwrap();
        let text = "body { margin: 0 } ".repeat(200).into_bytes();
        let mut plan = Plan::default();
        plan.add("a.css", text.clone());
        plan.add("tiny.txt", b"x".to_vec());
        let companions = all(&plan, folder.path()).unwrap();

        let names: Vec<_> = companions
            .iter()
            .map(|(path, _)| path.to_str().unwrap())
            .collect();
        assert_eq!(names, ["a.css.br", "a.css.gz"]);
        let mut unpacked = Vec::new();
        brotli::Decompressor::new(companions[0].1.as_slice(), 4096)
            .read_to_end(&mut unpacked)
            .unwrap();
        assert_eq!(unpacked, text);
        unpacked.clear();
        flate2::read::GzDecoder::new(companions[1].1.as_slice())
            .read_to_end(&mut unpacked)
            .unwrap();
        assert_eq!(unpacked, text);
    }
}

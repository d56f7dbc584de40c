//! Brotli and gzip beside each file, made once here so that the server never compresses.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};

use super::plan::Plan;
use crate::{files, progress, signals};

/// Brotli's window is two to this power: 4 MiB covers the whole wasm, which is where the last per cent is.
const BROTLI_WINDOW: i32 = 22;

/// The compressed companions of every file that gains from it; results are kept in `work` by content.
pub fn all(plan: &Plan, work: &Path) -> anyhow::Result<Vec<(PathBuf, Vec<u8>)>> {
    let cache = work.join("compressed");
    fs::create_dir_all(&cache)?;
    let companions = companions(plan, &cache);
    if companions.iter().any(|companion| !companion.kept.exists()) {
        progress::during("compressing the page's files", || {
            companions.iter().try_for_each(Companion::make)
        })?;
    }
    forget_unused(&cache, &companions)?;
    let mut smaller = Vec::new();
    for companion in companions {
        let compressed = fs::read(companion.kept)?;
        if compressed.len() < companion.bytes.len() {
            smaller.push((companion.path, compressed));
        }
    }
    Ok(smaller)
}

/// One file in one format.
struct Companion<'a> {
    path: PathBuf,
    bytes: &'a [u8],
    compress: Compress,
    kept: PathBuf,
}

impl Companion<'_> {
    fn make(&self) -> anyhow::Result<()> {
        signals::check()?;
        if self.kept.exists() {
            return Ok(());
        }
        // Under another name until it is whole: an interrupted run must not leave half a file to be taken for all of it.
        let unfinished = self.kept.with_extension("unfinished");
        fs::write(&unfinished, (self.compress)(self.bytes)?)?;
        Ok(fs::rename(unfinished, &self.kept)?)
    }
}

fn companions<'a>(plan: &'a Plan, cache: &Path) -> Vec<Companion<'a>> {
    let served = plan.files().filter(|(path, _)| is_served(path));
    let in_each_format = served.flat_map(|file| FORMATS.iter().map(move |format| (file, *format)));
    in_each_format
        .map(|((path, bytes), (extension, compress))| Companion {
            path: with_extension(path, extension),
            bytes,
            compress,
            kept: cache.join(format!("{}.{extension}", files::content_hash(bytes))),
        })
        .collect()
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

fn forget_unused(cache: &Path, companions: &[Companion]) -> anyhow::Result<()> {
    for entry in fs::read_dir(cache)? {
        let path = entry?.path();
        if !companions.iter().any(|companion| companion.kept == path) {
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

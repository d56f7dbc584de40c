//! Nothing may be left of the tests: no container, volume, network, image, process or temporary folder.

use std::{fs, path::Path};

use anyhow::bail;

use super::environment::TestEnvironment;
use crate::engine::Contents;

/// The prefix every temporary folder of the tests carries; other programs leave what they like.
const OURS: &str = "parity-";

/// Fails and names what is left.
pub fn check(environment: &TestEnvironment) -> anyhow::Result<()> {
    let after = Contents::of(&environment.engine)?;
    let mut left: Vec<String> = after.since(&environment.before).map(str::to_owned).collect();
    left.extend(folders(environment.temporary())?);
    left.extend(processes(environment.temporary()));
    if left.is_empty() {
        eprintln!("no container, volume, network, image, process or temporary folder is left");
        return Ok(());
    }
    bail!("the tests left behind:\n  {}", left.join("\n  "))
}

fn folders(temporary: &Path) -> anyhow::Result<Vec<String>> {
    let mut left = Vec::new();
    for entry in fs::read_dir(temporary)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(OURS) {
            left.push(format!("temporary {}", entry.path().display()));
        }
    }
    Ok(left)
}

/// Processes that were started with our folder as their `TMPDIR`, which only the tests' children are.
fn processes(temporary: &Path) -> Vec<String> {
    let mark = format!("TMPDIR={}", temporary.display());
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        // A process that ends while we look, or belongs to someone else, cannot be read and is not ours.
        .filter(|entry| {
            fs::read(entry.path().join("environ")).is_ok_and(|environment| {
                environment
                    .split(|byte| *byte == 0)
                    .any(|pair| pair == mark.as_bytes())
            })
        })
        .map(|entry| {
            format!(
                "process {} {}",
                entry.file_name().display(),
                command_line(&entry.path())
            )
        })
        .collect()
}

fn command_line(process: &Path) -> String {
    let words = fs::read(process.join("cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&words)
        .replace('\0', " ")
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_process_that_outlives_its_test_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let mut idler = Command::new("cat")
            .env("TMPDIR", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // A process has no environment to read until its exec is through, which an answer of it proves.
        idler.stdin.as_mut().unwrap().write_all(b"x").unwrap();
        idler.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let found = processes(folder.path());
        idler.kill().unwrap();
        idler.wait().unwrap();
        assert_eq!(found.len(), 1);
        assert!(found[0].ends_with("cat"));
        assert_eq!(processes(folder.path()), Vec::<String>::new());
    }

    #[test]
    fn a_folder_with_our_prefix_is_found() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("parity-test-x")).unwrap();
        fs::create_dir(folder.path().join("org.chromium.x")).unwrap();
        assert_eq!(folders(folder.path()).unwrap().len(), 1);
    }
}

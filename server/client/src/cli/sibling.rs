//! `parity server` and `parity runner` become the program of that name, the way git finds its subcommands.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::CliError;

/// The program that stands behind a word after `parity`.
pub fn named(word: &OsStr) -> Option<&'static str> {
    match word.to_str()? {
        "server" => Some("parity-server"),
        "runner" => Some("parity-runner"),
        _ => None,
    }
}

/// Replaces this process; signals and exit code are the program's own. Comes back only with the reason why not.
pub fn exec(name: &'static str, arguments: Vec<OsString>) -> CliError {
    let own = env::current_exe().ok();
    let path = env::var_os("PATH").unwrap_or_default();
    match find(name, own.as_deref(), &path) {
        Some(path) => {
            let source = Command::new(&path).args(arguments).exec();
            CliError::StartSibling { path, source }
        }
        None => CliError::NoSibling { name },
    }
}

/// Beside this program first, so that programs of one release stay together; then along `PATH`.
fn find(name: &str, own: Option<&Path>, path: &OsStr) -> Option<PathBuf> {
    let beside = own.and_then(Path::parent).map(Path::to_owned);
    beside
        .into_iter()
        .chain(env::split_paths(path))
        .map(|folder| folder.join(name))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn program(folder: &Path, mode: u32) -> PathBuf {
        let file = folder.join("parity-x");
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        file
    }

    #[test]
    fn the_one_beside_comes_before_the_one_on_path() {
        let (beside, on_path) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let own = beside.path().join("parity");
        let path = on_path.path().as_os_str();
        assert_eq!(find("parity-x", Some(&own), path), None);
        let second = program(on_path.path(), 0o755);
        assert_eq!(find("parity-x", Some(&own), path), Some(second));
        let first = program(beside.path(), 0o755);
        assert_eq!(find("parity-x", Some(&own), path), Some(first));
    }

    #[test]
    fn a_file_that_cannot_run_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        program(folder.path(), 0o644);
        assert_eq!(find("parity-x", None, folder.path().as_os_str()), None);
    }
}

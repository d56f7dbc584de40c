//! From what a task may use to the numbers and mount options that enforce it. Pure: no engine, no clock.

use std::collections::BTreeMap;

use protocol::quantity::ByteSize;
use protocol::task::Limits;

/// Containers of slot n run as this uid and gid plus n: no account of any distribution, never root, and never 65534,
/// which may use the reserved blocks of file systems mounted with `resuid=65534`.
const FIRST_UID: u32 = 20_000;

/// Enough for a build step with a few hundred open files, few enough that a leak of them ends in the container.
const OPEN_FILES: i64 = 4096;

/// Shared memory is memory: what databases and browsers need of it, and no more.
const SHM: ByteSize = ByteSize::mib(64);

/// One inode per this many bytes of a writable place, as ext4 does it by default.
const BYTES_PER_INODE: u64 = 16 * 1024;
const MIN_INODES: u64 = 1024;
const MAX_INODES: u64 = 1024 * 1024;

/// The kernel numbers, apart from any engine's names for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resources {
    /// Memory and swap together: nothing of a task is swapped out.
    pub memory_bytes: i64,
    /// Thousand-millionths of a core.
    pub nano_cpus: i64,
    pub pids: i64,
    pub open_files: i64,
    /// The largest file it can write.
    pub file_bytes: i64,
}

pub fn resources(limits: &Limits) -> Resources {
    let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    Resources {
        memory_bytes: signed(limits.memory.bytes()),
        nano_cpus: i64::from(limits.cpus.millis) * 1_000_000,
        pids: i64::from(limits.pids),
        open_files: OPEN_FILES,
        file_bytes: signed(limits.disk.bytes()),
    }
}

/// The uid, and gid, of everything in the containers of a slot.
pub const fn uid_of(slot: u32) -> u32 {
    FIRST_UID + slot
}

/// Where a container can write, path to tmpfs options: `/tmp`, `/dev/shm` and the given places.
pub fn writable_places<'a>(
    limits: &Limits,
    uid: u32,
    places: impl IntoIterator<Item = &'a str>,
) -> BTreeMap<String, String> {
    let disk = limits.disk;
    let mut mounts: BTreeMap<String, String> = places
        .into_iter()
        .map(|place| (place.to_owned(), tmpfs_options(disk, uid, "exec", "0755")))
        .collect();
    mounts.insert("/tmp".to_owned(), tmpfs_options(disk, uid, "exec", "1777"));
    let shm = SHM.min(disk);
    mounts.insert("/dev/shm".to_owned(), tmpfs_options(shm, uid, "noexec", "1777"));
    mounts
}

/// The owner is named because the mode alone is not honoured for a path that exists in the image.
fn tmpfs_options(size: ByteSize, uid: u32, exec: &str, mode: &str) -> String {
    let bytes = size.bytes();
    let inodes = (bytes / BYTES_PER_INODE).clamp(MIN_INODES, MAX_INODES);
    format!("rw,nosuid,nodev,{exec},size={bytes},nr_inodes={inodes},mode={mode},uid={uid},gid={uid}")
}

/// An absolute path without `.`, `..` and doubled slashes; nothing when it is none, is the root itself, or lies where
/// the kernel keeps its own files.
pub fn clean_path(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.strip_prefix('/')?.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let first = parts.first()?;
    if ["proc", "sys", "dev"].contains(first) || path.contains('\0') {
        return None;
    }
    Some(format!("/{}", parts.join("/")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use protocol::quantity::Cpus;

    use super::*;

    #[test]
    fn every_limit_has_its_number() {
        let limits = Limits {
            memory: ByteSize::mib(64),
            cpus: Cpus::from_millis(250),
            pids: 32,
            disk: ByteSize::mib(1),
            ..Limits::DEFAULT
        };
        let expected = Resources {
            memory_bytes: 67_108_864,
            nano_cpus: 250_000_000,
            pids: 32,
            open_files: 4096,
            file_bytes: 1_048_576,
        };
        assert_eq!(resources(&limits), expected);
    }

    #[test]
    fn nothing_is_unlimited_even_at_the_largest_and_smallest() {
        for limits in [Limits::MIN, Limits::MAX] {
            let numbers = resources(&limits);
            let Resources {
                memory_bytes,
                nano_cpus,
                pids,
                open_files,
                file_bytes,
            } = numbers;
            assert!(
                [memory_bytes, nano_cpus, pids, open_files, file_bytes]
                    .into_iter()
                    .all(|n| n > 0)
            );
        }
    }

    #[test]
    fn every_writable_place_is_capped_and_owned() {
        let limits = Limits {
            disk: ByteSize::mib(32),
            ..Limits::DEFAULT
        };
        let mounts = writable_places(&limits, uid_of(3), ["/data"]);
        assert_eq!(
            mounts["/data"],
            "rw,nosuid,nodev,exec,size=33554432,nr_inodes=2048,mode=0755,uid=20003,gid=20003"
        );
        assert_eq!(
            mounts.keys().map(String::as_str).collect::<Vec<_>>(),
            ["/data", "/dev/shm", "/tmp"]
        );
        assert!(mounts["/dev/shm"].contains("noexec,size=33554432"));
    }

    #[test]
    fn paths_are_cleaned_or_refused() {
        for (path, clean) in [
            ("/app", Some("/app")),
            ("//a/./b//c/", Some("/a/b/c")),
            ("/a/../b", Some("/b")),
            ("/", None),
            ("/..", None),
            ("relative", None),
            ("/proc/self/fd/7", None),
            ("/data/../proc/x", None),
            ("/dev", None),
            ("/sys/fs", None),
            ("/processes", Some("/processes")),
        ] {
            assert_eq!(clean_path(path).as_deref(), clean, "{path}");
        }
    }

    proptest! {
        #[test]
        fn a_clean_path_stays_as_it_is(path in "(/[a-z.]{0,3}){1,6}") {
            if let Some(clean) = clean_path(&path) {
                prop_assert_eq!(clean_path(&clean), Some(clean.clone()));
                prop_assert!(!clean.split('/').any(|part| part == ".."));
            }
        }
    }
}

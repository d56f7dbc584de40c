//! The system calls a task may make: an allowlist of our own, shipped in the binary.
//!
//! The engine's default is not relied on: Docker 20.10 lets a container open `io_uring` and `AF_VSOCK`. What is not
//! in the list fails with `EPERM`, among it everything that makes or joins namespaces, mounts, traces other
//! processes, loads code into the kernel, or reaches the kernel's key rings (they are shared between containers).
//! The list names no 32-bit architecture, so that a call made the old way ends the process.
//!
//! To allow another call: 1. the name in `seccomp.json`, in the group it belongs to, 2. what it can do to another
//! container or to the host, in the commit message.

/// The profile as the engine takes it: JSON in the form of its `--security-opt seccomp=` files.
pub const PROFILE: &str = include_str!("seccomp.json");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    fn profile() -> Value {
        serde_json::from_str(PROFILE).unwrap()
    }

    fn allowed() -> BTreeSet<String> {
        let profile = profile();
        let rules = profile["syscalls"].as_array().unwrap().clone();
        rules
            .iter()
            .filter(|rule| rule["action"] == "SCMP_ACT_ALLOW")
            .flat_map(|rule| rule["names"].as_array().unwrap().clone())
            .map(|name| name.as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn what_is_not_listed_is_refused() {
        let profile = profile();
        assert_eq!(profile["defaultAction"], "SCMP_ACT_ERRNO");
        for arch in profile["archMap"].as_array().unwrap() {
            assert_eq!(arch["subArchitectures"], Value::Array(Vec::new()));
        }
    }

    #[test]
    fn the_ways_out_are_not_listed() {
        let allowed = allowed();
        for call in [
            "acct",
            "add_key",
            "bpf",
            "chroot",
            "clone3",
            "delete_module",
            "fanotify_init",
            "finit_module",
            "fsconfig",
            "fsmount",
            "fsopen",
            "init_module",
            "io_uring_enter",
            "io_uring_register",
            "io_uring_setup",
            "kcmp",
            "kexec_file_load",
            "kexec_load",
            "keyctl",
            "lookup_dcookie",
            "mount",
            "mount_setattr",
            "move_mount",
            "name_to_handle_at",
            "open_by_handle_at",
            "open_tree",
            "perf_event_open",
            "pivot_root",
            "process_vm_readv",
            "process_vm_writev",
            "ptrace",
            "quotactl",
            "reboot",
            "request_key",
            "setns",
            "socketcall",
            "swapon",
            "umount2",
            "unshare",
            "userfaultfd",
        ] {
            assert!(!allowed.contains(call), "{call}");
        }
    }

    #[test]
    fn sockets_are_of_three_families_and_threads_make_no_namespace() {
        let profile = profile();
        let arguments = |name: &str| -> Vec<Value> {
            let rules = profile["syscalls"].as_array().unwrap();
            let named = |rule: &&Value| rule["names"].as_array().unwrap().contains(&name.into());
            rules
                .iter()
                .filter(named)
                .map(|rule| rule["args"][0].clone())
                .collect()
        };
        let families: Vec<_> = arguments("socket")
            .iter()
            .map(|arg| arg["value"].clone())
            .collect();
        assert_eq!(families, [1, 2, 10]);
        assert!(
            arguments("socket")
                .iter()
                .all(|arg| arg["op"] == "SCMP_CMP_EQ" && arg["index"] == 0)
        );
        let [clone] = arguments("clone").try_into().unwrap();
        assert_eq!(clone["value"], 0x7E02_0000);
        assert_eq!(
            (clone["op"].as_str(), &clone["valueTwo"]),
            (Some("SCMP_CMP_MASKED_EQ"), &Value::from(0))
        );
    }
}

//! A container's configuration. Everything that holds a task in stands here, on one page.

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigCgroupnsModeEnum, HostConfigLogConfig,
    ResourcesUlimits, RestartPolicy, RestartPolicyNameEnum,
};
use protocol::agent::AttemptKey;
use protocol::id::RunnerId;

use crate::sandbox::limits::{Resources, resources, uid_of, writable_places};
use crate::sandbox::{CageSpec, seccomp};

pub(super) const LABEL_RUNNER: &str = "dev.parity.runner";
pub(super) const LABEL_TASK: &str = "dev.parity.task";
pub(super) const LABEL_EPOCH: &str = "dev.parity.epoch";

/// When the host runs out of memory, the kernel takes a task before anything of the host.
const OOM_SCORE: i64 = 500;

/// What the engine and the runner add to a [`CageSpec`].
pub(super) struct Surroundings {
    pub(super) runner: RunnerId,
    /// The engine has an init process to reap the task's orphans.
    pub(super) has_init: bool,
    /// The working directory is not in the image and has to be made.
    pub(super) workdir_is_missing: bool,
}

pub(super) fn container_name(attempt: &AttemptKey) -> String {
    format!("parity-{}-{}", attempt.task, attempt.epoch)
}

pub(super) fn labels(runner: RunnerId, attempt: &AttemptKey) -> HashMap<String, String> {
    HashMap::from([
        (LABEL_RUNNER.to_owned(), runner.to_string()),
        (LABEL_TASK.to_owned(), attempt.task.to_string()),
        (LABEL_EPOCH.to_owned(), attempt.epoch.to_string()),
    ])
}

pub(super) fn container(spec: &CageSpec, around: &Surroundings) -> ContainerCreateBody {
    let uid = uid_of(spec.slot);
    ContainerCreateBody {
        image: Some(spec.image.id.clone()),
        // The image's own ENTRYPOINT stays; an empty command means the image's own CMD.
        cmd: (!spec.command.is_empty()).then(|| spec.command.clone()),
        working_dir: spec.workdir.clone(),
        env: Some(environment(spec)),
        user: Some(format!("{uid}:{uid}")),
        hostname: Some("parity".to_owned()),
        labels: Some(labels(around.runner, &spec.attempt)),
        attach_stdin: Some(false),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        open_stdin: Some(false),
        tty: Some(false),
        network_disabled: Some(true),
        // A health check would be a second command, run again and again.
        healthcheck: Some(HealthConfig {
            test: Some(vec!["NONE".to_owned()]),
            ..HealthConfig::default()
        }),
        // The image must not choose the signal that ends it.
        stop_signal: Some("SIGKILL".to_owned()),
        host_config: Some(host_config(spec, around)),
        ..ContainerCreateBody::default()
    }
}

/// The user has no entry in the image's passwd file, and without HOME half of all tools write to `/`.
fn environment(spec: &CageSpec) -> Vec<String> {
    let names_home = spec.env.iter().any(|variable| variable.name == "HOME");
    let home = (!names_home && !spec.image.sets_home).then(|| "HOME=/tmp".to_owned());
    spec.env.iter().map(ToString::to_string).chain(home).collect()
}

fn host_config(spec: &CageSpec, around: &Surroundings) -> HostConfig {
    let numbers = resources(&spec.limits);
    let workdir = spec.workdir.as_ref().filter(|_| around.workdir_is_missing);
    let places = spec.image.volumes.iter().chain(&spec.volumes).chain(workdir);
    let tmpfs = writable_places(&spec.limits, uid_of(spec.slot), places.map(String::as_str));
    HostConfig {
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec![
            "no-new-privileges:true".to_owned(),
            format!("seccomp={}", seccomp::PROFILE),
        ]),
        privileged: Some(false),
        readonly_rootfs: Some(true),
        tmpfs: Some(tmpfs.into_iter().collect()),
        network_mode: Some("none".to_owned()),
        ipc_mode: Some("private".to_owned()),
        cgroupns_mode: Some(HostConfigCgroupnsModeEnum::PRIVATE),
        memory: Some(numbers.memory_bytes),
        memory_swap: Some(numbers.memory_bytes),
        nano_cpus: Some(numbers.nano_cpus),
        pids_limit: Some(numbers.pids),
        oom_kill_disable: Some(false),
        oom_score_adj: Some(OOM_SCORE),
        ulimits: Some(ulimits(&numbers)),
        init: Some(around.has_init),
        // The runner reads the attached streams; the engine would fill the disk with a second copy.
        log_config: Some(HostConfigLogConfig {
            typ: Some("none".to_owned()),
            config: None,
        }),
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::NO),
            maximum_retry_count: None,
        }),
        // The runner asks how it ended before it removes it.
        auto_remove: Some(false),
        ..HostConfig::default()
    }
}

fn ulimits(numbers: &Resources) -> Vec<ResourcesUlimits> {
    [
        ("nofile", numbers.open_files),
        ("fsize", numbers.file_bytes),
        // A core dump can go to a program of the host, as the host's `core_pattern` says.
        ("core", 0),
    ]
    .map(|(name, limit)| ResourcesUlimits {
        name: Some(name.to_owned()),
        soft: Some(limit),
        hard: Some(limit),
    })
    .to_vec()
}

#[cfg(test)]
mod tests {
    use protocol::id::TaskId;
    use protocol::task::{EnvVar, Limits};
    use uuid::Uuid;

    use super::*;
    use crate::sandbox::LocalImage;

    fn spec() -> CageSpec {
        CageSpec {
            attempt: AttemptKey {
                task: TaskId::from_uuid(Uuid::nil()),
                epoch: 4,
            },
            image: LocalImage {
                id: "sha256:1".to_owned(),
                volumes: vec!["/var/lib/data".to_owned()],
                ..LocalImage::default()
            },
            command: vec!["echo".to_owned(), "hello world".to_owned()],
            workdir: Some("/app".to_owned()),
            env: vec![EnvVar {
                name: "KEY".to_owned(),
                value: "value".to_owned(),
            }],
            volumes: vec!["/cache".to_owned()],
            limits: Limits::DEFAULT,
            slot: 1,
        }
    }

    fn around() -> Surroundings {
        Surroundings {
            runner: RunnerId::from_uuid(Uuid::nil()),
            has_init: true,
            workdir_is_missing: true,
        }
    }

    #[test]
    fn the_cage_is_closed() {
        let body = container(&spec(), &around());
        let host = body.host_config.unwrap();
        assert_eq!(body.user.as_deref(), Some("20001:20001"));
        assert_eq!(host.cap_drop.unwrap(), ["ALL"]);
        assert_eq!(host.cap_add, None);
        assert_eq!(host.privileged, Some(false));
        assert_eq!(host.readonly_rootfs, Some(true));
        assert_eq!(host.network_mode.as_deref(), Some("none"));
        assert_eq!(host.memory, host.memory_swap);
        assert_eq!((host.binds, host.mounts, host.devices), (None, None, None));
        let security = host.security_opt.unwrap();
        assert_eq!(security[0], "no-new-privileges:true");
        assert!(security[1].starts_with("seccomp={"));
        let tmpfs = host.tmpfs.unwrap();
        for place in ["/app", "/cache", "/dev/shm", "/tmp", "/var/lib/data"] {
            assert!(tmpfs[place].contains("size="), "{place}");
        }
        assert_eq!(tmpfs.len(), 5);
    }

    #[test]
    fn home_is_set_only_when_nobody_set_it() {
        let mut spec = spec();
        assert_eq!(environment(&spec), ["KEY=value", "HOME=/tmp"]);
        spec.image.sets_home = true;
        assert_eq!(environment(&spec), ["KEY=value"]);
        spec.image.sets_home = false;
        spec.env[0].name = "HOME".to_owned();
        assert_eq!(environment(&spec), ["HOME=value"]);
    }

    #[test]
    fn a_workdir_of_the_image_is_not_covered() {
        let surroundings = Surroundings {
            workdir_is_missing: false,
            ..around()
        };
        let host = container(&spec(), &surroundings).host_config.unwrap();
        assert!(!host.tmpfs.unwrap().contains_key("/app"));
    }
}

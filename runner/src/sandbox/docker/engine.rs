//! The connection to the engine, and the sandbox it offers.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bollard::errors::Error;
use bollard::models::{ContainerCreateBody, ContainerSummary, HostConfig, SystemInfo};
use bollard::query_parameters::{
    ContainerArchiveInfoOptionsBuilder, CreateContainerOptionsBuilder, ListContainersOptionsBuilder,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use protocol::agent::AttemptKey;
use protocol::id::RunnerId;
use protocol::quantity::Span;
use protocol::task::ImageRef;

use super::body::{self, LABEL_EPOCH, LABEL_RUNNER, LABEL_TASK, Surroundings};
use super::cage::{self, DockerCage};
use super::fault;
use super::images::Images;
use crate::sandbox::{Cage, CageSpec, EngineInfo, Leftover, LocalImage, Sandbox, SandboxError};

/// How long the engine may take for the head of an answer. A busy disk makes it slow, nothing makes it this slow.
const ANSWER_LIMIT_SECS: u64 = 120;

const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";

/// More working directories than any runner sees; past it the memory of them starts anew.
const MAX_KNOWN_WORKDIRS: usize = 1024;

#[derive(Debug, Clone)]
pub struct DockerSettings {
    /// `unix:///path` or `tcp://host:port`; absent means Docker's usual socket.
    pub host: Option<String>,
    pub runner: RunnerId,
    pub allowed_registries: Vec<String>,
    pub pull_timeout: Span,
}

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("{0:?} is not the address of a container engine: it must start with unix:// or tcp://")]
    BadHost(String),
    #[error(
        "no container engine answers at {host}: install and start Docker (`sudo systemctl start docker`), let this \
         user reach its socket, or name another with --docker-host or DOCKER_HOST"
    )]
    NoAnswer {
        host: String,
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    #[error("the engine at {host} runs {os} containers; tasks need linux")]
    NotLinux { host: String, os: String },
    #[error("the engine at {host} has no seccomp, without which a task is not held in: use another engine")]
    NoSeccomp { host: String },
}

/// Docker as a [`Sandbox`].
pub struct DockerSandbox {
    docker: Docker,
    runner: RunnerId,
    images: Images,
    has_init: bool,
    info: EngineInfo,
    /// Image id and working directory, to whether the image lacks it.
    workdirs: Mutex<HashMap<(String, String), bool>>,
}

impl DockerSandbox {
    pub async fn connect(settings: DockerSettings) -> Result<Self, ConnectError> {
        let host = settings.host.unwrap_or_else(|| DEFAULT_HOST.to_owned());
        let no_answer = |source: Error| ConnectError::NoAnswer {
            host: host.clone(),
            source: Box::new(source),
        };
        let client = if host.starts_with("unix://") {
            Docker::connect_with_unix(&host, ANSWER_LIMIT_SECS, API_DEFAULT_VERSION)
        } else if host.starts_with("tcp://") || host.starts_with("http://") {
            Docker::connect_with_http(&host, ANSWER_LIMIT_SECS, API_DEFAULT_VERSION)
        } else {
            return Err(ConnectError::BadHost(host));
        };
        let docker = client
            .map_err(no_answer)?
            .negotiate_version()
            .await
            .map_err(no_answer)?;
        let info = docker.info().await.map_err(no_answer)?;
        check(&info, &host)?;
        Ok(Self {
            images: Images::new(docker.clone(), settings.allowed_registries, settings.pull_timeout),
            runner: settings.runner,
            has_init: has_init(&info),
            info: describe(&info),
            workdirs: Mutex::default(),
            docker,
        })
    }

    pub const fn info(&self) -> &EngineInfo {
        &self.info
    }

    /// Whether the working directory has to be made. Below a writable place nothing is there before the start; for
    /// the rest the image is asked once.
    async fn workdir_is_missing(&self, spec: &CageSpec) -> Result<bool, SandboxError> {
        let Some(workdir) = spec.workdir.as_deref() else {
            return Ok(false);
        };
        if workdir.trim_matches('/').is_empty() || spec.image.workdir.as_deref() == Some(workdir) {
            return Ok(false);
        }
        let places = spec.image.volumes.iter().chain(&spec.volumes).map(String::as_str);
        if places.chain(["/tmp"]).any(|place| is_below(workdir, place)) {
            return Ok(workdir != "/tmp");
        }
        let key = (spec.image.id.clone(), workdir.to_owned());
        let known = self.known_workdirs().get(&key).copied();
        if let Some(is_missing) = known {
            return Ok(is_missing);
        }
        let is_missing = self.image_lacks(spec, workdir).await?;
        let mut known = self.known_workdirs();
        if known.len() >= MAX_KNOWN_WORKDIRS {
            known.clear();
        }
        known.insert(key, is_missing);
        Ok(is_missing)
    }

    fn known_workdirs(&self) -> std::sync::MutexGuard<'_, HashMap<(String, String), bool>> {
        self.workdirs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks into the image by way of a container that is never started.
    async fn image_lacks(&self, spec: &CageSpec, path: &str) -> Result<bool, SandboxError> {
        let body = ContainerCreateBody {
            image: Some(spec.image.id.clone()),
            cmd: Some(vec!["true".to_owned()]),
            labels: Some(body::labels(self.runner, &spec.attempt)),
            network_disabled: Some(true),
            host_config: Some(HostConfig {
                network_mode: Some("none".to_owned()),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let doing = "looking into the image";
        let created = self
            .docker
            .create_container(None, body)
            .await
            .map_err(fault::engine(doing))?;
        let mut probe = DockerCage::new(self.docker.clone(), created.id.clone(), Vec::new());
        let options = ContainerArchiveInfoOptionsBuilder::default().path(path).build();
        let found = self
            .docker
            .get_container_archive_info(&created.id, Some(options))
            .await;
        probe.remove().await?;
        match found {
            Ok(_) => Ok(false),
            Err(error) if fault::is_not_found(&error) => Ok(true),
            Err(error) => Err(fault::engine(doing)(error)),
        }
    }

    async fn create_named(
        &self,
        spec: &CageSpec,
        body: ContainerCreateBody,
    ) -> Result<DockerCage, SandboxError> {
        let name = body::container_name(&spec.attempt);
        let options = CreateContainerOptionsBuilder::default().name(&name).build();
        match self.docker.create_container(Some(options), body).await {
            Ok(created) => Ok(DockerCage::new(
                self.docker.clone(),
                created.id,
                spec.command.clone(),
            )),
            Err(error) => match fault::not_runnable(&error, &spec.command) {
                Some(why) => Err(SandboxError::NotRunnable(why)),
                None => Err(fault::engine("creating the container")(error)),
            },
        }
    }
}

#[async_trait]
impl Sandbox for DockerSandbox {
    async fn image(
        &self,
        image: &ImageRef,
        on_pull: &(dyn Fn() + Send + Sync),
    ) -> Result<LocalImage, SandboxError> {
        self.images.ensure(image, on_pull).await
    }

    async fn create(&self, spec: &CageSpec) -> Result<Box<dyn Cage>, SandboxError> {
        if spec.command.is_empty() && !spec.image.has_command {
            let why = "neither the task nor the image names a command";
            return Err(SandboxError::NotRunnable(why.to_owned()));
        }
        let surroundings = Surroundings {
            runner: self.runner,
            has_init: self.has_init,
            workdir_is_missing: self.workdir_is_missing(spec).await?,
        };
        let mut cage = self
            .create_named(spec, body::container(spec, &surroundings))
            .await?;
        cage.attach().await?;
        Ok(Box::new(cage))
    }

    async fn health(&self) -> Result<(), SandboxError> {
        let answer = self.docker.ping().await;
        answer
            .map(drop)
            .map_err(fault::engine("asking whether it is there"))
    }

    async fn cages(&self) -> Result<Vec<Leftover>, SandboxError> {
        let label = format!("{LABEL_RUNNER}={}", self.runner);
        let filters = HashMap::from([("label", vec![label.as_str()])]);
        let options = ListContainersOptionsBuilder::default()
            .all(true)
            .filters(&filters)
            .build();
        let found = self
            .docker
            .list_containers(Some(options))
            .await
            .map_err(fault::engine("listing the runner's containers"))?;
        Ok(found.into_iter().filter_map(leftover).collect())
    }

    async fn remove(&self, leftover: &Leftover) -> Result<(), SandboxError> {
        cage::remove(&self.docker, &leftover.id).await
    }
}

fn leftover(summary: ContainerSummary) -> Option<Leftover> {
    let labels = summary.labels.unwrap_or_default();
    let attempt = || {
        Some(AttemptKey {
            task: labels.get(LABEL_TASK)?.parse().ok()?,
            epoch: labels.get(LABEL_EPOCH)?.parse().ok()?,
        })
    };
    Some(Leftover {
        id: summary.id?,
        attempt: attempt(),
    })
}

fn is_below(path: &str, place: &str) -> bool {
    path.strip_prefix(place)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn check(info: &SystemInfo, host: &str) -> Result<(), ConnectError> {
    let os = info.os_type.as_deref().unwrap_or("linux");
    if os != "linux" {
        return Err(ConnectError::NotLinux {
            host: host.to_owned(),
            os: os.to_owned(),
        });
    }
    let options = info.security_options.as_deref().unwrap_or_default();
    if !options.iter().any(|option| option.contains("seccomp")) {
        return Err(ConnectError::NoSeccomp {
            host: host.to_owned(),
        });
    }
    Ok(())
}

/// The engine names its init binary whether or not that is installed, but asks its version only of one that is.
fn has_init(info: &SystemInfo) -> bool {
    let commit = info.init_commit.as_ref().and_then(|commit| commit.id.as_deref());
    commit.is_some_and(|id| id != "N/A")
}

fn describe(info: &SystemInfo) -> EngineInfo {
    let arch = match info.architecture.as_deref() {
        Some("x86_64") => "amd64",
        Some("aarch64") => "arm64",
        Some(other) => other,
        None => "unknown",
    };
    let cores = info.ncpu.and_then(|n| u32::try_from(n).ok()).unwrap_or(1);
    EngineInfo {
        os: "linux".to_owned(),
        arch: arch.to_owned(),
        cpu_millis: cores.saturating_mul(1000),
        memory_bytes: info
            .mem_total
            .and_then(|n| u64::try_from(n).ok())
            .unwrap_or_default(),
    }
}

//! What an attempt asks of a sandbox, whatever is behind it.

use std::error::Error;
use std::io;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use protocol::agent::AttemptKey;
use protocol::log::LogStream;
use protocol::outcome::OutcomeReason;
use protocol::quantity::Span;
use protocol::task::{EnvVar, ImageRef, Limits};

/// Makes cages, and finds those that nobody minds any more.
#[async_trait]
pub trait Sandbox: Send + Sync + 'static {
    /// Makes sure that the image is here. `on_pull` is called when it has to be fetched. Several callers that want
    /// one image share one pull.
    async fn image(
        &self,
        image: &ImageRef,
        on_pull: &(dyn Fn() + Send + Sync),
    ) -> Result<LocalImage, SandboxError>;

    /// A cage that is ready to start, its output already connected. Dropping it removes everything it left.
    async fn create(&self, spec: &CageSpec) -> Result<Box<dyn Cage>, SandboxError>;

    /// Whether there is anything that could run a cage.
    async fn health(&self) -> Result<(), SandboxError>;

    /// Every cage of this runner that exists, running or not.
    async fn cages(&self) -> Result<Vec<Leftover>, SandboxError>;

    /// Removes one by the name that [`Sandbox::cages`] gave it.
    async fn remove(&self, leftover: &Leftover) -> Result<(), SandboxError>;
}

/// One attempt's container, from creation to removal.
#[async_trait]
pub trait Cage: Send + Sync {
    /// What the command writes, in the order in which it arrives. It ends when the command has ended. Given once.
    fn output(&mut self) -> OutputStream;

    /// Runs the command.
    async fn start(&self) -> Result<(), SandboxError>;

    /// Waits for the end of a started command.
    async fn exited(&self) -> Result<(), SandboxError>;

    /// How it ended; asked after [`Cage::exited`] and after the end of its output.
    async fn ended(&self) -> Result<Ended, SandboxError>;

    /// Sends a signal; no error when nothing runs any more.
    async fn signal(&self, signal: Signal) -> Result<(), SandboxError>;

    /// Removes the container, its volumes and its writable places, running or not.
    async fn remove(&mut self) -> Result<(), SandboxError>;
}

pub type OutputStream = BoxStream<'static, io::Result<Output>>;

/// Bytes as the command wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    pub stream: LogStream,
    pub data: Bytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    Terminate,
    Kill,
}

/// An image that is here, with what matters of its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LocalImage {
    /// What the engine runs, immune to a tag that moves in between.
    pub id: String,
    /// `sha256:...` by which a registry knows it, or its id when it came from none.
    pub digest: String,
    /// Paths that the image declares as volumes; they bypass a read-only root.
    pub volumes: Vec<String>,
    pub workdir: Option<String>,
    pub sets_home: bool,
    pub has_command: bool,
}

/// Everything about one container that a task, the runner or its operator decides.
#[derive(Debug, Clone)]
pub struct CageSpec {
    pub attempt: AttemptKey,
    pub image: LocalImage,
    pub command: Vec<String>,
    pub workdir: Option<String>,
    pub env: Vec<EnvVar>,
    /// Paths of the task's volumes.
    pub volumes: Vec<String>,
    pub limits: Limits,
    /// Which of the runner's slots it fills; each has a user of its own.
    pub slot: u32,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ended {
    pub exit_code: i64,
    /// The kernel killed something in it for memory.
    pub oom_killed: bool,
    /// The command never ran, and why.
    pub not_runnable: Option<String>,
}

/// A container with this runner's label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    pub id: String,
    /// Absent when its labels do not say.
    pub attempt: Option<AttemptKey>,
}

/// What the runner tells the server about the host behind the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EngineInfo {
    /// `linux`
    pub os: String,
    /// `amd64`, `arm64`
    pub arch: String,
    pub cpu_millis: u32,
    pub memory_bytes: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("the registry {registry} is not among those this runner pulls from ({})", allowed.join(", "))]
    RegistryRefused { registry: String, allowed: Vec<String> },
    #[error("the image {image} is refused: {problem}")]
    ImageRefused { image: String, problem: String },
    #[error("the image {image} does not exist or may not be pulled")]
    ImageNotFound {
        image: String,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    #[error("the image {image} could not be pulled")]
    ImagePull {
        image: String,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    #[error("the image {image} was not pulled within {limit}")]
    PullTimeout { image: String, limit: Span },
    #[error("{0}")]
    NotRunnable(String),
    #[error("the container engine failed while {doing}")]
    Engine {
        doing: &'static str,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl SandboxError {
    /// What an attempt that meets it ends with.
    pub const fn reason(&self) -> OutcomeReason {
        match self {
            Self::RegistryRefused { .. } | Self::ImageRefused { .. } => OutcomeReason::ImageRefused,
            Self::ImageNotFound { .. } => OutcomeReason::ImageNotFound,
            Self::ImagePull { .. } | Self::PullTimeout { .. } => OutcomeReason::ImagePullFailed,
            Self::NotRunnable(_) => OutcomeReason::CommandNotRunnable,
            Self::Engine { .. } => OutcomeReason::EngineFailed,
        }
    }
}

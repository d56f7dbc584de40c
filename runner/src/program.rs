//! The process: configuration, identity, engine, loop, and out.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use protocol::runner::Capabilities;
use settings::{Layers, Section, SettingsError, process_environment};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tracing::{info, warn};

use crate::clock::{Clock, SystemClock};
use crate::config::RunnerConfig;
use crate::dispatch::{Dispatcher, Event, Profile};
use crate::identity::{Identity, IdentityError};
use crate::sandbox::docker::{ConnectError, DockerSandbox, DockerSettings};
use crate::sandbox::{EngineInfo, Sandbox, SandboxError};
use crate::session::Session;

/// Events that wait for the loop. It never waits for anything itself, so this only evens out bursts.
const EVENT_QUEUE: usize = 1024;

/// Takes tasks from a Parity server and runs each in a hardened container.
///
/// Every key of the configuration file can also be given as a variable, such as
/// `PARITY_RUNNER__DOCKER__MEMORY_LIMIT=1g`. `PARITY_LOG` sets what is logged, `DOCKER_HOST` the engine.
#[derive(Debug, Parser)]
#[command(name = "parity-runner", version)]
pub struct Cli {
    #[arg(
        long,
        value_name = "URL",
        help = "Server to take tasks from [default: http://localhost:8080]"
    )]
    server: Option<String>,
    /// Folder of the runner's identity [default: parity-runner-data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// YAML file with a section `runner:`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Tasks at the same time [default: 2]
    #[arg(long, value_name = "N")]
    slots: Option<String>,
    /// Name that people see [default: the name of this host]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[arg(
        long,
        value_name = "ADDRESS",
        help = "Container engine: unix:///path or tcp://host:port [default: $DOCKER_HOST, else Docker's usual socket]"
    )]
    docker_host: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(transparent)]
    Engine(#[from] ConnectError),
    #[error("the containers of an earlier run cannot be removed")]
    Leftovers(#[source] SandboxError),
    #[error("signals cannot be received")]
    Signals(#[source] std::io::Error),
}

impl Cli {
    fn config(&self) -> Result<RunnerConfig, SettingsError> {
        Layers::new(Section::Runner)
            .file(self.config.as_deref())
            .environment(process_environment())
            .flag("--server", "server", self.server.clone())
            .flag("--data-dir", "data_dir", self.data_dir.clone())
            .flag("--slots", "slots", self.slots.clone())
            .flag("--name", "name", self.name.clone())
            .flag("--docker-host", "docker.host", self.docker_host.clone())
            .load()
    }
}

/// Runs until a signal asks it to leave.
pub async fn run(cli: Cli) -> Result<(), RunError> {
    let config = cli.config()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (identity, _lock) = Identity::open(&config.data_dir, clock.as_ref())?;
    let signals = Signals::listen().map_err(RunError::Signals)?;
    let settings = docker_settings(&config, &identity);
    let docker = DockerSandbox::connect(settings).await?;
    let profile = profile(&config, &identity, docker.info());
    let sandbox: Arc<dyn Sandbox> = Arc::new(docker);
    remove_leftovers(sandbox.as_ref())
        .await
        .map_err(RunError::Leftovers)?;

    let (events, happenings) = mpsc::channel(EVENT_QUEUE);
    let dispatcher = Dispatcher::new(profile, sandbox, clock, events.clone());
    tokio::spawn(signals.forward(events.clone()));
    let session = Session {
        server: config.server,
        identity,
        events,
        random,
    };
    let session = tokio::spawn(session.run());
    dispatcher.run(happenings).await;
    // The loop dropped its link; the session says good-bye and ends.
    let _ended = session.await;
    info!("the runner has stopped");
    Ok(())
}

fn docker_settings(config: &RunnerConfig, identity: &Identity) -> DockerSettings {
    let from_environment = || std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty());
    DockerSettings {
        host: config.docker.host.clone().or_else(from_environment),
        runner: identity.id,
        allowed_registries: config.docker.allowed_registries.clone(),
        pull_timeout: config.docker.pull_timeout,
    }
}

fn profile(config: &RunnerConfig, identity: &Identity, engine: &EngineInfo) -> Profile {
    let host_name = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    Profile {
        runner: identity.id,
        name: config.name.clone().unwrap_or_else(host_name),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        capabilities: capabilities(config.slots, config.labels.clone(), &config.docker.caps(), engine),
        caps: config.docker.caps(),
    }
}

/// What all slots together may use, and no more than the host has.
fn capabilities(
    slots: u32,
    labels: BTreeMap<String, String>,
    caps: &protocol::task::Limits,
    engine: &EngineInfo,
) -> Capabilities {
    Capabilities {
        os: engine.os.clone(),
        arch: engine.arch.clone(),
        cpu_millis: caps.cpus.millis.saturating_mul(slots).min(engine.cpu_millis),
        memory_bytes: caps
            .memory
            .bytes()
            .saturating_mul(u64::from(slots))
            .min(engine.memory_bytes),
        slots,
        labels,
    }
}

/// At the start nothing of this runner's can be wanted: it holds no attempt.
async fn remove_leftovers(sandbox: &dyn Sandbox) -> Result<(), SandboxError> {
    for leftover in sandbox.cages().await? {
        warn!(
            container = leftover.id,
            "removing what an earlier run left behind"
        );
        sandbox.remove(&leftover).await?;
    }
    Ok(())
}

/// The two signals that ask a process to leave.
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn forward(mut self, events: mpsc::Sender<Event>) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
            if events.send(Event::StopRequested).await.is_err() {
                return;
            }
        }
    }
}

/// Any number; a system without randomness only loses the variety of its pauses.
fn random() -> u16 {
    let mut bytes = [0; 2];
    let _filled = getrandom::fill(&mut bytes);
    u16::from_be_bytes(bytes)
}

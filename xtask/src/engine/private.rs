//! A `dockerd` of our own.

use std::{
    fs::{self, File, TryLockError},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

use super::abandoned;
use crate::{
    process::{self, Running},
    progress, setup, signals,
    temporary::Folder,
    workspace,
};

/// A cold start on a slow disk takes a few seconds; more means that something is wrong.
const START_LIMIT: Duration = Duration::from_mins(1);

/// dockerd gives its containers ten seconds to stop before it kills them.
const STOP_PAUSE: Duration = Duration::from_secs(20);

/// More engines at once than any person runs; beyond it something forgets to stop them.
const MOST_AT_ONCE: u32 = 16;

pub struct PrivateEngine {
    daemon: Running,
    data: Data,
    /// Socket, pid file and exec root: a short path that disappears with the engine.
    run: Folder,
}

/// What the folder in `run` is for, which becomes part of its name.
pub(super) const FOLDER: &str = "engine";

/// The daemon's own process id, in `run`.
pub(super) const PID_FILE: &str = "docker.pid";

impl PrivateEngine {
    pub fn start(name: &str) -> anyhow::Result<Self> {
        let program = setup::docker::ensure()?;
        setup::docker::ensure_control_groups()?;
        let data = Data::claim(name)?;
        abandoned::remove_all();
        let run = Folder::create(FOLDER)?;
        let log_file = data.folder.with_extension("log");
        let log = File::create(&log_file).with_context(|| format!("cannot write {}", log_file.display()))?;
        let mut command = daemon_command(&program, run.path(), &data.folder)?;
        let daemon = Running::start(command.stdout(log.try_clone()?).stderr(log), || ())?;
        let mut engine = Self { daemon, data, run };
        progress::during("starting a private Docker engine", || {
            engine.wait_until_it_answers()
        })
        .with_context(|| last_lines(&log_file))?;
        Ok(engine)
    }

    pub fn host(&self) -> String {
        format!("unix://{}/docker.sock", self.run.path().display())
    }

    pub fn stop(mut self) -> anyhow::Result<()> {
        self.halt()
    }

    fn wait_until_it_answers(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        while began.elapsed() < START_LIMIT {
            signals::check()?;
            if self.daemon.wait_at_most(Duration::from_millis(100)) {
                bail!("dockerd ended at once");
            }
            if process::succeeds(Command::new("docker").args(["--host", &self.host(), "version"])) {
                return Ok(());
            }
        }
        bail!("dockerd did not answer within {} s", START_LIMIT.as_secs())
    }

    fn halt(&mut self) -> anyhow::Result<()> {
        // Containers first: the daemon would ask each of them politely and wait, and nothing in here is worth
        // that.
        if let Err(error) = self.remove_containers() {
            eprintln!("containers of the private Docker engine cannot be removed: {error:#}");
        }
        for signal in ["-TERM", "-KILL"] {
            if self.daemon.wait_at_most(Duration::ZERO) {
                break;
            }
            self.signal(signal)?;
            self.daemon.wait_at_most(STOP_PAUSE);
        }
        abandoned::remove_folder(self.run.path(), &self.data.folder)
    }

    fn remove_containers(&self) -> anyhow::Result<()> {
        let docker = |arguments: &[&str]| {
            process::clean_up(
                Command::new("docker")
                    .args(["--host", &self.host()])
                    .args(arguments),
            )
        };
        for container in docker(&["ps", "--all", "--quiet"])?.lines() {
            docker(&["rm", "--force", "--volumes", container])?;
        }
        Ok(())
    }

    /// By the number the daemon wrote down: under sudo our child is sudo, not the daemon.
    fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let file = self.run.path().join(PID_FILE);
        let pid = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        process::clean_up(setup::as_root("kill")?.args([signal, "--", pid.trim()])).map(drop)
    }
}

impl Drop for PrivateEngine {
    fn drop(&mut self) {
        if self.run.path().exists()
            && let Err(error) = self.halt()
        {
            eprintln!("the private Docker engine did not stop cleanly: {error:#}");
        }
    }
}

/// A data folder nobody else uses; held for as long as this exists.
struct Data {
    folder: PathBuf,
    _claim: File,
}

impl Data {
    /// `target/engine/<name>`, or the same with a number when another command is using that one right now.
    fn claim(name: &str) -> anyhow::Result<Self> {
        let parent = workspace::generated().join("engine");
        fs::create_dir_all(&parent)?;
        for number in 1..=MOST_AT_ONCE {
            let name = if number == 1 {
                name.to_owned()
            } else {
                format!("{name}-{number}")
            };
            let file = File::create(parent.join(format!("{name}.lock")))?;
            match file.try_lock() {
                Ok(()) => {
                    return Ok(Self {
                        folder: parent.join(name),
                        _claim: file,
                    });
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
        }
        bail!("{MOST_AT_ONCE} engines of this checkout are running already")
    }
}

fn daemon_command(program: &Path, run: &Path, data: &Path) -> anyhow::Result<Command> {
    let mut command = if rustix::process::geteuid().is_root() {
        process::dying_with_us(program)
    } else {
        setup::as_root(&program.display().to_string())?
    };
    command
        .arg("--host")
        .arg(format!("unix://{}/docker.sock", run.display()))
        .arg("--data-root")
        .arg(data)
        .arg("--exec-root")
        .arg(run.join("exec"))
        .arg("--pidfile")
        .arg(run.join(PID_FILE))
        // The group that made the folder may use the socket: under sudo that is the user who called us.
        .args(["--group", &fs::metadata(run)?.gid().to_string()])
        // A containerd of the machine, if there is one, would be shared: these keep our containers apart in
        // it.
        .args([
            "--containerd-namespace",
            "parity",
            "--containerd-plugins-namespace",
            "parity-plugins",
        ])
        // Tasks get no network by default, and the machine's firewall is not ours to change.
        .args(["--bridge", "none", "--iptables=false", "--ip6tables=false"]);
    Ok(command)
}

/// The end of a log, for the person who has to find out why.
fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    let tail = &lines[lines.len().saturating_sub(15)..];
    format!("{}\n(the whole log is {})", tail.join("\n"), log.display())
}

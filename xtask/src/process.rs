//! Children: tools that run to their end, and services that run until they are stopped.
//!
//! Every child gets a process group of its own, no standard input, and is gone when its handle is dropped.

use std::{
    fs::File,
    io::{Read, Seek},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};

use crate::signals::{self, Forwarding};

/// A started child. Dropping it kills its whole group.
pub struct Running {
    child: Child,
    pid: Pid,
    exited: Receiver<()>,
    has_exited: bool,
}

impl Running {
    /// Starts `command`; `on_exit` is called once from another thread when it has ended.
    pub fn start(command: &mut Command, on_exit: impl FnOnce() + Send + 'static) -> anyhow::Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let pid = Pid::from_child(&child);
        let (sender, exited) = mpsc::channel();
        thread::spawn(move || {
            // NOWAIT leaves the child unreaped: its number cannot be reused while someone may still signal
            // it.
            let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
            // Nobody listening means the handle is gone, and with it the child.
            let _ = sender.send(());
            on_exit();
        });
        Ok(Self {
            child,
            pid,
            exited,
            has_exited: false,
        })
    }

    pub fn take_stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// Whether the child ended within `limit`.
    pub fn wait_at_most(&mut self, limit: Duration) -> bool {
        // The message comes once; whoever asks again must hear the same.
        self.has_exited =
            self.has_exited || self.exited.recv_timeout(limit) != Err(RecvTimeoutError::Timeout);
        self.has_exited
    }

    /// Sends SIGTERM once per pause, then kills the group. Returns whether the kill was needed.
    pub fn stop(&mut self, pauses: &[Duration]) -> bool {
        for pause in pauses {
            let _ = kill_process(self.pid, Signal::TERM);
            if self.wait_at_most(*pause) {
                return false;
            }
        }
        let _ = kill_process_group(self.pid, Signal::KILL);
        true
    }

    /// Waits for the end and passes signals on meanwhile; past `limit` the group is killed and there is no
    /// status.
    fn wait(mut self, limit: Option<Duration>) -> anyhow::Result<Option<ExitStatus>> {
        let forwarding = Forwarding::to(self.pid);
        let ended = match limit {
            Some(limit) => self.wait_at_most(limit),
            None => self.exited.recv().is_ok(),
        };
        if !ended {
            let _ = kill_process_group(self.pid, Signal::KILL);
        }
        // Before the reaping below: afterwards the number may belong to someone else.
        drop(forwarding);
        let status = self.child.wait()?;
        Ok(ended.then_some(status))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = kill_process_group(self.pid, Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// Runs a tool whose output the person should see; fails unless it succeeds.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = status(command)?;
    succeeded(command, status)
}

/// Runs a tool and returns how it ended.
pub fn status(command: &mut Command) -> anyhow::Result<ExitStatus> {
    status_within(command, None)
}

/// Like `status`, and fails when the tool takes longer than `limit`.
pub fn status_within(command: &mut Command, limit: Option<Duration>) -> anyhow::Result<ExitStatus> {
    signals::check()?;
    let status = Running::start(command, || ())?.wait(limit)?;
    signals::check()?;
    status.with_context(|| {
        format!(
            "`{}` did not end within {} s",
            describe(command),
            limit.unwrap_or_default().as_secs()
        )
    })
}

/// Runs a tool whose output matters only when it fails.
pub fn quietly(command: &mut Command) -> anyhow::Result<()> {
    quietly_within(command, None)
}

/// Like `quietly`, and fails when the tool takes longer than `limit`.
pub fn quietly_within(command: &mut Command, limit: Option<Duration>) -> anyhow::Result<()> {
    let mut output = tempfile::tempfile()?;
    let status = status_within(
        command.stdout(output.try_clone()?).stderr(output.try_clone()?),
        limit,
    )?;
    if !status.success() {
        eprintln!("{}", text_of(&mut output)?.trim_end());
    }
    succeeded(command, status)
}

/// Runs a tool and returns what it prints to standard output; what it says on standard error goes into the
/// failure.
pub fn capture(command: &mut Command) -> anyhow::Result<String> {
    let (mut output, mut complaints) = (tempfile::tempfile()?, tempfile::tempfile()?);
    let status = status(
        command
            .stdout(output.try_clone()?)
            .stderr(complaints.try_clone()?),
    )?;
    succeeded(command, status)
        .with_context(|| text_of(&mut complaints).unwrap_or_default().trim().to_owned())?;
    text_of(&mut output)
}

/// Whether a tool can be started and succeeds; its output is nobody's business.
pub fn succeeds(command: &mut Command) -> bool {
    status(command.stdout(Stdio::null()).stderr(Stdio::null())).is_ok_and(|status| status.success())
}

/// Like `succeeds`, for a tool that may wait for an answer that never comes.
pub fn succeeds_within(command: &mut Command, limit: Duration) -> bool {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    status_within(quiet, Some(limit)).is_ok_and(|status| status.success())
}

/// Runs a tool that cleans up, which must happen even after a signal told us to end, and returns what it
/// prints.
pub fn clean_up(command: &mut Command) -> anyhow::Result<String> {
    let (mut output, mut complaints) = (tempfile::tempfile()?, tempfile::tempfile()?);
    let mut running = Running::start(
        command
            .stdout(output.try_clone()?)
            .stderr(complaints.try_clone()?),
        || (),
    )?;
    if !running.wait_at_most(CLEAN_UP_LIMIT) {
        bail!(
            "`{}` did not end within {} s",
            describe(command),
            CLEAN_UP_LIMIT.as_secs()
        );
    }
    let status = running.child.wait()?;
    succeeded(command, status)
        .with_context(|| text_of(&mut complaints).unwrap_or_default().trim().to_owned())?;
    text_of(&mut output)
}

/// Longer than Docker takes to remove a container that does not listen.
const CLEAN_UP_LIMIT: Duration = Duration::from_mins(1);

/// The program of that name on PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// A command that gets SIGTERM when we die in a way that leaves no time to stop it.
pub fn dying_with_us(program: &Path) -> Command {
    // The kernel offers this only through `prctl` in the child, which is unsafe code here; `setpriv` does it
    // for us.
    match find("setpriv") {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "TERM", "--"]).arg(program);
            command
        }
        None => Command::new(program),
    }
}

fn succeeded(command: &Command, status: ExitStatus) -> anyhow::Result<()> {
    if !status.success() {
        bail!("`{}` failed ({status})", describe(command));
    }
    Ok(())
}

fn describe(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

fn text_of(file: &mut File) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_output_and_tells_failure() {
        assert_eq!(capture(Command::new("echo").arg("one")).unwrap(), "one\n");
        let error = capture(Command::new("sh").args(["-c", "echo reason >&2; exit 3"])).unwrap_err();
        assert!(format!("{error:#}").contains("reason"));
        assert!(!succeeds(&mut Command::new("false")));
    }

    #[test]
    fn a_tool_that_hangs_is_ended() {
        let error =
            quietly_within(Command::new("sleep").arg("60"), Some(Duration::from_millis(50))).unwrap_err();
        assert!(format!("{error:#}").contains("did not end"));
    }

    #[test]
    fn stopping_asks_before_it_kills() {
        let mut polite = Running::start(Command::new("sleep").arg("60"), || ()).unwrap();
        assert!(!polite.stop(&[Duration::from_secs(10)]));

        let mut deaf = Command::new("sh");
        deaf.args(["-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"])
            .stdout(Stdio::piped());
        let mut deaf = Running::start(&mut deaf, || ()).unwrap();
        let mut said = [0; 5];
        deaf.take_stdout().unwrap().read_exact(&mut said).unwrap();
        assert!(deaf.stop(&[Duration::from_millis(20)]));
    }
}

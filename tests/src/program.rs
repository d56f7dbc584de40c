//! A program under test: started with its output read, ended by its own process id, gone when its handle is.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::sync::watch;

use crate::deadline::{until, within};

#[derive(Debug)]
pub struct Program {
    child: Child,
    /// What it said on standard output, line by line.
    lines: watch::Receiver<Vec<String>>,
    /// All it said on standard error, once that is closed.
    complaints: mpsc::Receiver<String>,
    name: String,
}

impl Program {
    /// Starts a program in a process group of its own, so that its children end with it.
    pub fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let lines = read_lines(child.stdout.take().expect("stdout is piped"));
        let complaints = read_all(child.stderr.take().expect("stderr is piped"));
        Self {
            child,
            lines,
            complaints,
            name,
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the part after `prefix` of the first line that begins with it.
    pub async fn says(&mut self, prefix: &str) -> String {
        let find = |lines: &Vec<String>| {
            let rest = lines.iter().find_map(|line| line.strip_prefix(prefix));
            rest.map(str::to_owned)
        };
        let said = {
            let heard = self.lines.wait_for(|lines| find(lines).is_some());
            within(&format!("{} says {prefix:?}", self.name), heard)
                .await
                .ok()
                .and_then(|lines| find(&lines))
        };
        said.unwrap_or_else(|| {
            let complaints = self.end();
            panic!("{} ended without saying {prefix:?}: {complaints}", self.name)
        })
    }

    /// SIGKILL, the end that leaves no time for anything.
    pub fn kill_nine(&mut self) {
        kill_process(self.own_pid(), Signal::KILL).expect("the program runs");
        self.child.wait().expect("a child can be waited for");
    }

    /// SIGTERM, and waits for the end.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended().await
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.own_pid(), signal).expect("the program runs");
    }

    /// Waits for the program's own end.
    pub async fn ended(&mut self) -> ExitStatus {
        let name = format!("{} ends", self.name);
        until(&name, async || {
            self.child.try_wait().expect("a child can be waited for")
        })
        .await
    }

    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for the end; the exit code and what was said on standard output and standard error.
    pub async fn finish(&mut self) -> (Option<i32>, String, String) {
        let status = self.ended().await;
        let closed = self.lines.wait_for(|_| false);
        drop(within("the output is closed", closed).await);
        let said = self.lines.borrow().join("\n");
        let complaints = self.complaints.recv().unwrap_or_default();
        (
            status
                .code()
                .or_else(|| status.signal().map(|signal| 128 + signal)),
            said,
            complaints,
        )
    }

    fn own_pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Kills whatever is left of it and returns what it complained about.
    fn end(&mut self) -> String {
        if self.is_running() {
            // It may end by itself between the look and the kill.
            let _ = kill_process_group(self.own_pid(), Signal::KILL);
            let _ = self.child.wait();
        }
        self.complaints.recv().unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let was_running = self.is_running();
        let failed = thread::panicking();
        if was_running || failed {
            let complaints = self.end();
            if failed && !complaints.is_empty() {
                eprintln!("--- {} said:\n{complaints}---", self.name);
            }
        }
    }
}

/// Reads on a thread of its own: a program whose output nobody takes would stand still.
fn read_lines(stdout: impl Read + Send + 'static) -> watch::Receiver<Vec<String>> {
    let (sender, lines) = watch::channel(Vec::new());
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            sender.send_modify(|lines: &mut Vec<String>| lines.push(line));
        }
    });
    lines
}

fn read_all(mut stderr: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, all) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _cut_short = stderr.read_to_end(&mut bytes);
        let _nobody_asks = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    all
}

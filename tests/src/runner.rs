//! A runner beside a test's server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use protocol::id::RunnerId;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::binaries::binary;
use crate::engine::TestEngine;
use crate::program::Program;
use crate::server::{TestServer, temporary_folder};

/// How a runner is started when it is not started the usual way.
#[derive(Debug, Clone, Default)]
pub struct RunnerOptions {
    /// The configuration file.
    pub config: String,
    pub environment: Vec<(&'static str, String)>,
    /// 0 for the runner's own default.
    pub slots: u32,
}

#[derive(Debug)]
pub struct TestRunner {
    program: Program,
    folder: TempDir,
    options: RunnerOptions,
    engine: TestEngine,
    id: RunnerId,
}

impl TestRunner {
    pub async fn start(server: &TestServer, engine: &TestEngine) -> Self {
        Self::with_options(server, engine, RunnerOptions::default()).await
    }

    /// Starts a runner and waits until it is connected.
    pub async fn with_options(server: &TestServer, engine: &TestEngine, options: RunnerOptions) -> Self {
        let folder = temporary_folder();
        fs::write(folder.path().join("parity.yaml"), &options.config).expect("the folder is writable");
        fs::create_dir(folder.path().join("tmp")).expect("the folder is writable");
        let (program, id) = launch(folder.path(), server, engine, &options).await;
        Self {
            program,
            folder,
            options,
            engine: engine.clone(),
            id,
        }
    }

    /// Starts it again over what it left in its folder; it is the same runner then.
    pub async fn restart(&mut self, server: &TestServer) {
        assert!(
            !self.program.is_running(),
            "stop the runner before it is started again"
        );
        let (program, id) = launch(self.folder.path(), server, &self.engine, &self.options).await;
        assert_eq!(id, self.id);
        self.program = program;
    }

    pub fn id(&self) -> RunnerId {
        self.id
    }

    pub fn pid(&self) -> u32 {
        self.program.pid()
    }

    /// Where the runner's temporary files would be.
    pub fn scratch(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    /// SIGTERM once, after which a runner finishes what it has.
    pub fn asks_to_leave(&self) {
        self.program.signal(Signal::TERM);
    }

    /// SIGTERM, and waits for the end.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.program.terminate().await
    }

    pub fn kill_nine(&mut self) {
        self.program.kill_nine();
    }
}

impl Drop for TestRunner {
    /// A test that failed half-way leaves no container to the next one.
    fn drop(&mut self) {
        if self.program.is_running() {
            self.program.kill_nine();
        }
        self.engine.removes_all_of(self.id);
    }
}

async fn launch(
    folder: &Path,
    server: &TestServer,
    engine: &TestEngine,
    options: &RunnerOptions,
) -> (Program, RunnerId) {
    let mut command = Command::new(binary("parity-runner"));
    command.arg("--config").arg(folder.join("parity.yaml"));
    command.arg("--data-dir").arg(folder.join("data"));
    command.args([
        "--server",
        server.url(),
        "--docker-host",
        engine.host(),
        "--name",
        "test-runner",
    ]);
    command.env("TMPDIR", folder.join("tmp"));
    command.envs(options.environment.iter().map(|(name, value)| (name, value)));
    if options.slots > 0 {
        command.args(["--slots", &options.slots.to_string()]);
    }
    let mut program = Program::start(&mut command);
    let id = program
        .says(&format!("parity-runner connected to {} as ", server.url()))
        .await;
    (program, id.parse().expect("the runner says its id"))
}

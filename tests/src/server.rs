//! A server on a port and with data of its own.

use std::path::Path;
use std::process::{Command, ExitStatus};

use tempfile::TempDir;

use crate::binaries::binary;
use crate::program::Program;
use crate::user::TestUser;

/// The address a server says it listens on follows this.
const GREETING: &str = "parity-server listening on ";

#[derive(Debug)]
pub struct TestServer {
    program: Program,
    folder: TempDir,
    url: String,
}

impl TestServer {
    pub async fn start() -> Self {
        Self::with_config("").await
    }

    /// A server with this YAML as its configuration file.
    pub async fn with_config(yaml: &str) -> Self {
        let folder = temporary_folder();
        std::fs::write(folder.path().join("parity.yaml"), yaml).expect("the folder is writable");
        let mut program = launch(folder.path(), "127.0.0.1:0");
        let url = program.says(GREETING).await;
        Self { program, folder, url }
    }

    /// `http://127.0.0.1:port`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `127.0.0.1:port`
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    pub fn pid(&self) -> u32 {
        self.program.pid()
    }

    pub fn data_folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn user(&self) -> TestUser {
        TestUser::of(&self.url)
    }

    /// Ends the server the way a power cut does.
    pub fn kill_nine(&mut self) {
        self.program.kill_nine();
    }

    /// SIGTERM, and waits for the end.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.program.terminate().await
    }

    /// Starts it again on the same port with the same data.
    pub async fn restart(&mut self) {
        assert!(
            !self.program.is_running(),
            "stop the server before it is started again"
        );
        self.program = launch(self.folder.path(), self.address());
        assert_eq!(self.program.says(GREETING).await, self.url);
    }
}

fn launch(folder: &Path, listen: &str) -> Program {
    let mut command = Command::new(binary("parity-server"));
    command.arg("--config").arg(folder.join("parity.yaml"));
    command.args(["--listen", listen, "--ops-listen", "127.0.0.1:0"]);
    command.arg("--data-dir").arg(folder.join("data"));
    Program::start(&mut command)
}

/// A folder that goes with its handle, by a name that tells whose it was if it should ever stay.
pub(crate) fn temporary_folder() -> TempDir {
    let made = tempfile::Builder::new().prefix("parity-test-").tempdir();
    made.expect("there is a place for temporary files")
}

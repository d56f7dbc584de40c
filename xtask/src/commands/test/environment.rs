//! What tests find around them: a Docker engine nobody else uses, a browser, the binaries, a folder for
//! temporary files.

use std::{path::Path, process::Command};

use tempfile::TempDir;

use crate::{
    engine::{Contents, Engine},
    setup::{self, chromium::Browser},
    temporary,
    workspace::Profile,
};

pub struct TestEnvironment {
    pub engine: Engine,
    /// What the engine held before any test ran.
    pub before: Contents,
    browser: Browser,
    temporary: TempDir,
}

impl TestEnvironment {
    /// Starts a private engine, whose images are kept under `name` between runs; never the machine's own.
    pub fn set_up(name: &str) -> anyhow::Result<Self> {
        let browser = setup::chromium::ensure()?;
        let engine = Engine::private(name)?;
        setup::image::ensure_made(&engine)?;
        let before = Contents::of(&engine)?;
        Ok(Self {
            engine,
            before,
            browser,
            temporary: temporary::folder("tests")?,
        })
    }

    /// Where everything the tests write for a while goes.
    pub fn temporary(&self) -> &Path {
        self.temporary.path()
    }

    /// Tells `command` where things are.
    pub fn apply(&self, command: &mut Command, profile: Profile) {
        command
            .env("DOCKER_HOST", self.engine.host())
            .env("PARITY_BIN_DIR", profile.folder())
            .env("PARITY_CHROMIUM", &self.browser.chromium)
            .env("PARITY_CHROMEDRIVER", &self.browser.driver)
            .env("TMPDIR", self.temporary.path());
    }

    pub fn tear_down(self) -> anyhow::Result<()> {
        self.engine.stop()
    }
}

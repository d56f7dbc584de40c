//! What tests find around them: a Docker engine nobody else uses, a browser, the binaries, a folder for
//! temporary files.

use std::{fs, path::Path, process::Command};

use anyhow::Context;

use crate::{
    engine::{Contents, Engine},
    setup::{self, chromium::Browser},
    temporary::{self, Folder},
    workspace::Profile,
};

pub struct TestEnvironment {
    pub engine: Engine,
    /// What the engine held before any test ran.
    pub before: Contents,
    browser: Browser,
    temporary: Folder,
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
            temporary: temporary_folder()?,
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

/// A new folder; what killed commands left of theirs goes away.
fn temporary_folder() -> anyhow::Result<Folder> {
    const PURPOSE: &str = "tests";
    for folder in temporary::abandoned(PURPOSE) {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Folder::create(PURPOSE)
}

//! The steps of the test command.

use std::process::Command;

use anyhow::Context;

use super::{environment::TestEnvironment, leaks};
use crate::{
    commands, process, setup,
    site::{self, Shrink},
    toolchain,
    workspace::Profile,
};

pub struct Step {
    pub name: &'static str,
    pub what: &'static str,
    pub run: fn(&mut Session) -> anyhow::Result<()>,
}

/// Cheap checks first; the page before the server, which embeds it; lints before the builds that take
/// longest.
pub const STEPS: &[Step] = &[
    Step {
        name: "setup",
        what: "install what is missing",
        run: set_up,
    },
    Step {
        name: "fmt",
        what: "formatting",
        run: fmt,
    },
    Step {
        name: "licences",
        what: "licences, forbidden crates, advisories",
        run: licences,
    },
    Step {
        name: "clippy-wasm",
        what: "lints of the page for the browser",
        run: clippy_wasm,
    },
    Step {
        name: "site",
        what: "the page's files and the size of its wasm",
        run: site,
    },
    Step {
        name: "clippy",
        what: "lints of everything",
        run: clippy,
    },
    Step {
        name: "build",
        what: "binaries and tests",
        run: build,
    },
    Step {
        name: "tests",
        what: "unit, store, protocol, end to end, browser, architecture",
        run: tests,
    },
    Step {
        name: "doctests",
        what: "examples in the documentation",
        run: doctests,
    },
    Step {
        name: "bench-check",
        what: "every bench cell runs and its answers are right",
        run: bench_check,
    },
    Step {
        name: "leaks",
        what: "nothing left behind by the tests",
        run: leaks,
    },
];

/// What steps hand on to later ones.
#[derive(Default)]
pub struct Session {
    environment: Option<TestEnvironment>,
}

impl Session {
    /// The engine and browser, started for the first step that needs them.
    fn environment(&mut self) -> anyhow::Result<&TestEnvironment> {
        if self.environment.is_none() {
            self.environment = Some(TestEnvironment::set_up("test")?);
        }
        self.environment.as_ref().context("the environment was just made")
    }

    pub fn tear_down(self) -> anyhow::Result<()> {
        self.environment.map_or(Ok(()), TestEnvironment::tear_down)
    }
}

fn set_up(session: &mut Session) -> anyhow::Result<()> {
    setup::lints::ensure()?;
    let toolchain = setup::wasm::ensure()?;
    setup::wasm::ensure_clippy(toolchain)?;
    setup::node::ensure_wasm_opt()?;
    session.environment().map(|_| ())
}

fn fmt(_: &mut Session) -> anyhow::Result<()> {
    process::run(toolchain::cargo("fmt").args(["--all", "--check"])).context("run `cargo fmt`")
}

fn licences(_: &mut Session) -> anyhow::Result<()> {
    commands::licences::check()
}

fn clippy_wasm(_: &mut Session) -> anyhow::Result<()> {
    let toolchain = setup::wasm::ensure()?;
    setup::wasm::ensure_clippy(toolchain)?;
    let mut command = toolchain.cargo("clippy");
    command.args([
        "--package",
        "app",
        "--no-default-features",
        "--features",
        "hydrate",
    ]);
    // The profile of the real build: the sources of std, where they are compiled along, are then compiled for
    // one profile only.
    command.args(["--profile", "wasm-release"]);
    process::run(
        command
            .args(toolchain::lock_flags())
            .args(["--", "-D", "warnings"]),
    )
}

fn site(_: &mut Session) -> anyhow::Result<()> {
    site::build(Shrink::Required)?;
    site::check_size()
}

fn clippy(_: &mut Session) -> anyhow::Result<()> {
    site::ensure_folder()?;
    let mut command = toolchain::cargo("clippy");
    command
        .args(["--workspace", "--all-targets"])
        .args(toolchain::lock_flags());
    process::run(command.args(["--", "-D", "warnings"]))
}

/// All targets at once: naming packages would resolve other features and compile the tree a second time.
fn build(_: &mut Session) -> anyhow::Result<()> {
    site::ensure_folder()?;
    process::run(
        toolchain::cargo("build")
            .args(["--workspace", "--all-targets"])
            .args(toolchain::lock_flags()),
    )
}

fn tests(session: &mut Session) -> anyhow::Result<()> {
    let mut command = if process::find("cargo-nextest").is_some() {
        let mut command = toolchain::cargo("nextest");
        command.args(["run", "--no-fail-fast"]);
        command
    } else {
        let mut command = toolchain::cargo("test");
        // Examples are a step of their own, with nextest and without.
        command.args(["--all-targets", "--no-fail-fast"]);
        command
    };
    command.arg("--workspace").args(toolchain::lock_flags());
    run_in(session.environment()?, &mut command)
}

fn doctests(session: &mut Session) -> anyhow::Result<()> {
    let mut command = toolchain::cargo("test");
    command
        .args(["--workspace", "--doc", "--quiet"])
        .args(toolchain::lock_flags());
    run_in(session.environment()?, &mut command)
}

fn bench_check(session: &mut Session) -> anyhow::Result<()> {
    build(session)?;
    let mut command = commands::bench::harness(Profile::Debug);
    command.arg("--check");
    run_in(session.environment()?, &mut command)
}

fn leaks(session: &mut Session) -> anyhow::Result<()> {
    leaks::check(session.environment()?)
}

fn run_in(environment: &TestEnvironment, command: &mut Command) -> anyhow::Result<()> {
    environment.apply(command, Profile::Debug);
    process::run(command)
}

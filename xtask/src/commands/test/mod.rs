//! `cargo xtask test`: everything that has to pass, in the order that finds a mistake soonest.
//!
//! To add a step: a line in `steps::STEPS` and the function it names.

pub mod environment;
mod leaks;
mod steps;

use std::{process::ExitCode, time::Instant};

use anyhow::bail;
use clap::Args;

use crate::{progress, signals};
use steps::{STEPS, Session, Step};

#[derive(Args)]
pub struct Arguments {
    /// Run only the steps of these names
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    only: Vec<String>,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let chosen = choose(&arguments.only)?;
    let mut session = Session::default();
    let mut passed = 0;
    let began = Instant::now();
    let failure = chosen.iter().enumerate().find_map(|(index, step)| {
        let outcome = announced(index + 1, chosen.len(), step, &mut session);
        passed += usize::from(outcome.is_ok());
        outcome.err().map(|error| (step.name, error))
    });
    let stopped = session.tear_down();
    if let Some((step, error)) = &failure {
        eprintln!("\nstep `{step}` failed: {error:#}");
    }
    if let Err(error) = &stopped {
        eprintln!("\nwhat the tests used did not stop cleanly: {error:#}");
    }
    let failed = usize::from(failure.is_some()) + usize::from(stopped.is_err());
    eprintln!(
        "\n{} in {}",
        if failed == 0 {
            "everything passed"
        } else {
            "FAILED"
        },
        progress::elapsed(began.elapsed())
    );
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn choose(names: &[String]) -> anyhow::Result<Vec<&'static Step>> {
    for name in names {
        if !STEPS.iter().any(|step| step.name == name) {
            let known: Vec<_> = STEPS.iter().map(|step| step.name).collect();
            bail!("there is no step `{name}`; the steps are {}", known.join(", "));
        }
    }
    Ok(STEPS
        .iter()
        .filter(|step| names.is_empty() || names.iter().any(|name| name == step.name))
        .collect())
}

fn announced(number: usize, count: usize, step: &Step, session: &mut Session) -> anyhow::Result<()> {
    signals::check()?;
    eprintln!("\n==> [{number}/{count}] {}: {}", step.name, step.what);
    let began = Instant::now();
    let outcome = (step.run)(session);
    let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
    eprintln!(
        "<== {} {verdict} after {}",
        step.name,
        progress::elapsed(began.elapsed())
    );
    outcome
}

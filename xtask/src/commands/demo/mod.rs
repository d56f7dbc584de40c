//! `cargo xtask demo`: a server and a runner on this machine, for a person to try.
//!
//! Everything started here is stopped again in the reverse order: the runner first, so that it can end its
//! containers, then the server, then the Docker engine if it is ours.

mod once;
mod request;
mod service;

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::mpsc::{self, Receiver, Sender},
    time::Duration,
};

use anyhow::{Context, bail};
use clap::Args;

use crate::{
    engine::Engine,
    setup, signals,
    site::{self, Shrink},
    workspace::{self, Profile},
};
use service::{Event, Service};

#[derive(Args)]
pub struct Arguments {
    /// Post the documented request, follow it to its end, stop everything and exit with the task's exit code
    #[arg(long)]
    once: bool,
    /// The port of the server
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Where the server keeps its database and the runner its journal [default: target/demo]
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

/// The label every container carries, its value the id of the runner.
const RUNNER_LABEL: &str = "dev.parity.runner";

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    // Before anything slow: waiting for a build only to hear this would be unkind.
    check_port(arguments.port)?;
    site::build(Shrink::IfAvailable)?;
    super::build::binaries(Profile::Release)?;
    let engine = Engine::present_or_private("demo")?;
    eprintln!(
        "Docker engine: {} ({})",
        engine.host(),
        if engine.is_private() {
            "our own"
        } else {
            "this machine's"
        }
    );
    setup::image::ensure_pulled_or_made(&engine)?;
    let outcome = present(arguments, &engine);
    engine.stop()?;
    eprintln!("everything is stopped");
    outcome
}

/// From the start of the server to the end of the runner and the server.
fn present(arguments: &Arguments, engine: &Engine) -> anyhow::Result<ExitCode> {
    let data = arguments
        .data_dir
        .clone()
        .unwrap_or_else(|| workspace::generated().join("demo"));
    let (sender, events) = mpsc::channel();
    let interrupts = sender.clone();
    // After the end of this function nobody listens, and nobody needs to.
    signals::notify(move || drop(interrupts.send(Event::Interrupted)));
    signals::check()?;

    let server = start_server(arguments.port, &data, &sender)?;
    let url = wait_until_ready(&server, "listening on ", &events)?;
    let runner = start_runner(&url, &data, engine, &sender)?;
    let runner_id = wait_until_ready(&runner, " as ", &events)?;
    let outcome = if arguments.once {
        once::run(&url, &sender, &events)
    } else {
        invite(&url, &data);
        wait_for_end(&events)
    };
    // By hand, because the order matters: a runner without its server could not say how its tasks ended.
    drop(runner);
    let cleared = remove_left_containers(engine, &runner_id);
    drop(server);
    cleared.and(outcome)
}

fn check_port(port: u16) -> anyhow::Result<()> {
    if let Err(error) = TcpListener::bind(("127.0.0.1", port)) {
        bail!("port {port} cannot be used ({error}): stop what is using it or choose another with --port");
    }
    Ok(())
}

fn start_server(port: u16, data: &Path, events: &Sender<Event>) -> anyhow::Result<Service> {
    let mut command = binary("parity-server");
    command
        .args(["--listen", &format!("127.0.0.1:{port}")])
        .arg("--data-dir")
        .arg(data.join("server"));
    // A port of the system's choice: several demos may run, and nobody asked for this one.
    command.args(["--ops-listen", "127.0.0.1:0"]);
    Service::start("server", command, data, events)
}

fn start_runner(url: &str, data: &Path, engine: &Engine, events: &Sender<Event>) -> anyhow::Result<Service> {
    let mut command = binary("parity-runner");
    command.args(["--server", url, "--name", "demo", "--docker-host", engine.host()]);
    command.arg("--data-dir").arg(data.join("runner"));
    Service::start("runner", command, data, events)
}

fn binary(name: &str) -> Command {
    crate::process::dying_with_us(&Profile::Release.folder().join(name))
}

/// Waits for the line that says the service is ready, and returns the word after `sign` in it.
fn wait_until_ready(service: &Service, sign: &str, events: &Receiver<Event>) -> anyhow::Result<String> {
    const LIMIT: Duration = Duration::from_secs(30);
    loop {
        match events.recv_timeout(LIMIT) {
            Ok(Event::Said { service: name, line }) if name == service.name() => {
                if let Some((_, rest)) = line.split_once(sign) {
                    return Ok(rest.split_whitespace().next().unwrap_or_default().to_owned());
                }
            }
            Ok(Event::Ended { service: name }) => bail!("the {name} ended at once; {}", service.log_tail()),
            Ok(Event::Interrupted) => bail!("interrupted"),
            Ok(Event::Said { .. } | Event::Finished(_)) => {}
            Err(_) => bail!(
                "the {} was not ready within {} s; {}",
                service.name(),
                LIMIT.as_secs(),
                service.log_tail()
            ),
        }
    }
}

fn invite(url: &str, data: &Path) {
    println!("\nParity runs on {}\n", request::for_people(url));
    println!("Post a task from another terminal:\n\n{}\n", request::curl(url));
    println!("Logs are in {}. Ctrl-C stops everything.", data.display());
}

fn wait_for_end(events: &Receiver<Event>) -> anyhow::Result<ExitCode> {
    loop {
        match events.recv().context("nothing is left to wait for")? {
            Event::Interrupted => {
                eprintln!("\nstopping ...");
                return Ok(ExitCode::SUCCESS);
            }
            Event::Ended { service } => bail!("the {service} ended by itself"),
            Event::Said { .. } | Event::Finished(_) => {}
        }
    }
}

/// The runner removes its containers; one that is left is a bug worth a word, and goes away all the same. Those of other
/// runners on the same engine are not ours.
fn remove_left_containers(engine: &Engine, runner_id: &str) -> anyhow::Result<()> {
    for container in engine.labelled_containers(&format!("{RUNNER_LABEL}={runner_id}"))? {
        eprintln!("the runner left container {container} behind; removing it");
        crate::process::clean_up(engine.docker().args(["rm", "--force", "--volumes", &container]))?;
    }
    Ok(())
}

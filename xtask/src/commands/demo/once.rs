//! `--once`: the documented request through the public API, from the post to the end.

use std::{
    io,
    process::ExitCode,
    sync::mpsc::{Receiver, Sender},
    thread,
    time::Duration,
};

use anyhow::{Context, bail};
use serde::Deserialize;

use super::{request, service::Event};

/// The task at its end, as `GET /api/v1/tasks/{id}` tells it.
#[derive(Deserialize)]
pub struct EndedTask {
    status: String,
    #[serde(default)]
    outcome: Option<Outcome>,
    posted_at_ms: i64,
    #[serde(default)]
    leased_at_ms: Option<i64>,
    #[serde(default)]
    started_at_ms: Option<i64>,
    #[serde(default)]
    finished_at_ms: Option<i64>,
}

#[derive(Deserialize)]
struct Outcome {
    exit_code: Option<i64>,
}

#[derive(Deserialize)]
struct Posted {
    id: String,
}

/// Posts the task, prints its log as it comes and then how it ended; the exit code is the task's.
pub fn run(url: &str, sender: &Sender<Event>, events: &Receiver<Event>) -> anyhow::Result<ExitCode> {
    let (url, sender) = (url.to_owned(), sender.clone());
    // A thread of its own, because the read of the log blocks while signals and ends of services must be
    // heard.
    thread::spawn(move || drop(sender.send(Event::Finished(post_and_follow(&url)))));
    loop {
        match events.recv().context("nothing is left to wait for")? {
            Event::Finished(finished) => {
                let finished = finished?;
                report(&finished);
                return Ok(exit_code(&finished));
            }
            Event::Interrupted => bail!("interrupted"),
            Event::Ended { service } => bail!("the {service} ended before the task did"),
            Event::Said { .. } => {}
        }
    }
}

fn post_and_follow(url: &str) -> anyhow::Result<EndedTask> {
    // No time limit: the task has one of its own. No proxy: the server is on this machine.
    let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
    let mut posted = agent
        .post(format!("{url}/api/tasks"))
        .header("Content-Type", "application/json")
        .send(request::BODY)
        .context("the server refused the documented request")?;
    let task: Posted = serde_json::from_reader(posted.body_mut().as_reader())?;
    println!("posted {}/tasks/{}\n", request::for_people(url), task.id);
    let mut log = agent
        .get(format!("{url}/api/v1/tasks/{}/logs?follow=true", task.id))
        .call()?;
    io::copy(&mut log.body_mut().as_reader(), &mut io::stdout()).context("the log broke off")?;
    wait_for_end(&agent, url, &task.id)
}

/// The log ends with the container; the outcome is recorded a moment later.
fn wait_for_end(agent: &ureq::Agent, url: &str, id: &str) -> anyhow::Result<EndedTask> {
    const PAUSE: Duration = Duration::from_millis(50);
    const ATTEMPTS: u32 = 600;
    for _ in 0..ATTEMPTS {
        let mut answer = agent.get(format!("{url}/api/v1/tasks/{id}")).call()?;
        let task: EndedTask = serde_json::from_reader(answer.body_mut().as_reader())?;
        if matches!(
            task.status.as_str(),
            "succeeded" | "failed" | "cancelled" | "expired"
        ) {
            return Ok(task);
        }
        thread::sleep(PAUSE);
    }
    bail!("the log ended but the task did not")
}

fn report(task: &EndedTask) {
    println!("\nstatus      {}", task.status);
    if let Some(code) = task.outcome.as_ref().and_then(|outcome| outcome.exit_code) {
        println!("exit code   {code}");
    }
    let points = [
        ("leased", task.leased_at_ms),
        ("started", task.started_at_ms),
        ("finished", task.finished_at_ms),
    ];
    for (name, at_ms) in points {
        if let Some(at_ms) = at_ms {
            println!("{name:<11} {} ms after it was posted", at_ms - task.posted_at_ms);
        }
    }
}

/// The container's own code; a task that ended without one, or did not succeed with code 0, is a failure.
fn exit_code(task: &EndedTask) -> ExitCode {
    let code = task
        .outcome
        .as_ref()
        .and_then(|outcome| outcome.exit_code)
        .and_then(|code| u8::try_from(code).ok());
    match (task.status.as_str(), code) {
        ("succeeded", Some(code)) => ExitCode::from(code),
        (_, Some(code)) if code != 0 => ExitCode::from(code),
        _ => ExitCode::FAILURE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(status: &str, exit_code: Option<i64>) -> EndedTask {
        let outcome = exit_code.map(|exit_code| Outcome {
            exit_code: Some(exit_code),
        });
        let times = (None, None, None);
        let (leased_at_ms, started_at_ms, finished_at_ms) = times;
        EndedTask {
            status: status.to_owned(),
            outcome,
            posted_at_ms: 0,
            leased_at_ms,
            started_at_ms,
            finished_at_ms,
        }
    }

    #[test]
    fn the_exit_code_is_the_tasks() {
        assert_eq!(exit_code(&task("succeeded", Some(0))), ExitCode::SUCCESS);
        assert_eq!(exit_code(&task("failed", Some(7))), ExitCode::from(7));
        assert_eq!(exit_code(&task("failed", Some(0))), ExitCode::FAILURE);
        assert_eq!(exit_code(&task("cancelled", None)), ExitCode::FAILURE);
    }
}

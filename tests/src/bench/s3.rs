//! S3: from nothing to the first byte of a page, and what an idle server holds.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::buildbot::Master;
use super::cells::Form;
use super::error::BenchError;
use super::http::{first_answer, free_address};
use super::machine::{cpu_of, resident_mib};
use super::peers;
use super::report::Report;
use super::samples::{Samples, millis};
use crate::binaries::binary;
use crate::program::Program;
use crate::server::{TestServer, temporary_folder};
use crate::task::Task;

pub const METHOD: &str = "\
A program is started on data it already has, and asked for `/` as soon as it takes connections; the clock runs from
before the start of the process to the first byte of the answer. Ours opens its SQLite database and renders the market
page with 20 tasks. fastify renders the same 20 titles from memory. buildbot, a job server with a web page and SQLite
too, serves its start page. The floor is the smallest program that answers HTTP at all. Memory is what is resident
after one page and a quiet while.";

/// In every page that is worth a time.
const TITLE: &str = "Cold start";
const TASKS: u32 = 20;

/// A program that serves a page.
struct Contender {
    name: &'static str,
    start: Box<dyn Fn(SocketAddr) -> Command>,
    /// What its page must hold.
    expected: &'static str,
    first_byte: Samples,
    whole: Samples,
    cpu: Samples,
    memory_mib: f64,
}

impl Contender {
    fn new(
        name: &'static str,
        expected: &'static str,
        start: impl Fn(SocketAddr) -> Command + 'static,
    ) -> Self {
        Self {
            name,
            start: Box::new(start),
            expected,
            first_byte: Samples::default(),
            whole: Samples::default(),
            cpu: Samples::default(),
            memory_mib: 0.0,
        }
    }

    /// One start; with a quiet while, the memory after it.
    async fn round(&mut self, quiet: Option<Duration>) -> Result<(), BenchError> {
        let address = free_address().await?;
        let mut command = (self.start)(address);
        let began = Instant::now();
        let mut program = Program::start(&mut command);
        let answer = first_answer(address, began).await?;
        self.cpu.add(cpu_of(program.pid()));
        if !answer.text.starts_with("HTTP/1.1 200") || !answer.text.contains(self.expected) {
            return Err(BenchError::wrong(
                self.name,
                format!("an unexpected page: {}", answer.text),
            ));
        }
        self.first_byte.add(answer.first_byte);
        self.whole.add(answer.whole);
        if let Some(quiet) = quiet {
            // The one place where time itself is what is waited for.
            tokio::time::sleep(quiet).await;
            self.memory_mib = resident_mib(program.pid());
        }
        program.terminate().await;
        Ok(())
    }

    fn report(&self, report: &mut Report) {
        let name = self.name;
        report.row(format!("{name}: starts"), f64::from(self.first_byte.count()), "");
        report.row(
            format!("{name}: start to first byte, p50"),
            self.first_byte.p50_ms(),
            "ms",
        );
        report.row(
            format!("{name}: start to first byte, p99"),
            millis(self.first_byte.percentile(99)),
            "ms",
        );
        report.row(
            format!("{name}: start to whole page, p50"),
            self.whole.p50_ms(),
            "ms",
        );
        report.row(
            format!("{name}: processor time until then"),
            millis(self.cpu.mean()),
            "ms",
        );
        report.row(format!("{name}: idle memory"), self.memory_mib, "MiB");
    }
}

pub async fn run(form: Form) -> Result<Report, BenchError> {
    let data = server_with_tasks().await;
    let scratch = temporary_folder();
    let mut contenders = vec![ours(&data), floor(), fastify(scratch.path())?];
    if form == Form::Full {
        contenders.push(buildbot(scratch.path())?);
    }
    let rounds = form.pick(20, 1);
    for round in 1..=rounds {
        // Memory is looked at once, in the last round.
        let quiet =
            (round == rounds).then_some(form.pick(Duration::from_secs(10), Duration::from_millis(200)));
        for contender in &mut contenders {
            contender.round(quiet).await?;
        }
    }
    Ok(report(&contenders))
}

fn report(contenders: &[Contender]) -> Report {
    let mut report = Report::default();
    for contender in contenders {
        contender.report(&mut report);
    }
    let [ours, floor, peers @ ..] = contenders else {
        return report;
    };
    let start = ours.first_byte.p50_ms();
    report.ratio("start to first byte in ms", start, 50.0);
    report.ratio("idle memory in MiB", ours.memory_mib, 40.0);
    report.against("start: ours / floor", start, floor.first_byte.p50_ms(), 25.0);
    for peer in peers {
        let name = peer.name;
        report.against(
            format!("start: ours / {name}"),
            start,
            peer.first_byte.p50_ms(),
            1.0,
        );
        report.against(
            format!("memory: ours / {name}"),
            ours.memory_mib,
            peer.memory_mib,
            1.0,
        );
    }
    report
}

/// A stopped server whose data holds the tasks of the page.
async fn server_with_tasks() -> TestServer {
    let mut server = TestServer::start().await;
    let user = server.user();
    for number in 1..=TASKS {
        user.posts(&Task::running(&["true"]).titled(&format!("{TITLE} {number}")))
            .await;
    }
    server.terminate().await;
    server
}

fn ours(data: &TestServer) -> Contender {
    let folder = data.data_folder().join("data");
    Contender::new("parity", TITLE, move |address| {
        let mut command = Command::new(binary("parity-server"));
        command
            .args(["--listen", &address.to_string(), "--data-dir"])
            .arg(&folder);
        command
    })
}

fn floor() -> Contender {
    Contender::new("floor", "hello", |address| {
        let mut command = Command::new(binary("bench-probe"));
        command.args(["hello", &address.to_string()]);
        command
    })
}

/// A page of the same titles, as small as fastify allows.
const FASTIFY_PAGE: &str = "
import { createRequire } from 'node:module';
const [folder, port] = process.argv.slice(2);
const fastify = createRequire(folder + '/')('fastify')();
const titles = Array.from({ length: 20 }, (_, index) => `Cold start ${index + 1}`);
fastify.get('/', (request, reply) => {
    const rows = titles.map(title => `<li>${title}</li>`).join('');
    reply.type('text/html').send(`<!doctype html><title>Tasks</title><ul>${rows}</ul>`);
});
await fastify.listen({ host: '127.0.0.1', port: Number(port) });
";

fn fastify(scratch: &Path) -> Result<Contender, BenchError> {
    let installed = peers::fastify()?;
    let script = scratch.join("page.mjs");
    peers::write(&script, FASTIFY_PAGE)?;
    Ok(Contender::new("fastify", TITLE, move |address| {
        let mut command = Command::new("node");
        command
            .arg(&script)
            .arg(&installed)
            .arg(address.port().to_string());
        command
    }))
}

fn buildbot(scratch: &Path) -> Result<Contender, BenchError> {
    let master = Master::set_up(scratch)?;
    Ok(Contender::new("buildbot", "<html", move |address| {
        master.start(address)
    }))
}

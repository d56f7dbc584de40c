//! buildbot, a job server with workers, a web page and SQLite: the peer that is most like ours.
//!
//! Its worker runs the probe without a container, and its page learns of new lines by its own socket and then fetches
//! them, as its own web page does.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::error::BenchError;
use super::http::free_address;
use super::peers;
use super::samples::Samples;
use super::stream::Lines;
use crate::binaries::binary;
use crate::deadline::{until, within};
use crate::program::Program;
use crate::user::http_client;

const NAME: &str = "buildbot";

/// A master with one worker and one job, which prints lines.
const CONFIG: &str = "
import os
from buildbot.plugins import schedulers, steps, util, worker
local = ':interface=127.0.0.1'
c = BuildmasterConfig = {'protocols': {'pb': {'port': 'tcp:' + os.environ.get('BENCH_PB_PORT', '0') + local}}}
c['workers'] = [worker.Worker('bench', 'bench')]
print_lines = steps.ShellCommand(command=os.environ.get('BENCH_COMMAND', 'true').split())
c['builders'] = [util.BuilderConfig(name='bench', workernames=['bench'], factory=util.BuildFactory([print_lines]))]
c['schedulers'] = [schedulers.ForceScheduler(name='force', builderNames=['bench'])]
c['www'] = {'port': 'tcp:' + os.environ['BENCH_PORT'] + local, 'plugins': {}}
c['db'] = {'db_url': 'sqlite:///state.sqlite'}
c['buildbotNetUsageData'] = None
";

/// A master that is set up and not yet started.
#[derive(Debug, Clone)]
pub struct Master {
    programs: PathBuf,
    folder: PathBuf,
}

impl Master {
    pub fn set_up(scratch: &Path) -> Result<Self, BenchError> {
        let programs = peers::buildbot()?.join("bin");
        let folder = scratch.join("master");
        let mut create = Command::new(programs.join("buildbot"));
        peers::run(NAME, create.args(["create-master", "--quiet"]).arg(&folder))?;
        peers::write(&folder.join("master.cfg"), CONFIG)?;
        Ok(Self { programs, folder })
    }

    pub fn start(&self, address: SocketAddr) -> Command {
        let mut command = Command::new(self.programs.join("buildbot"));
        command.args(["start", "--nodaemon"]).arg(&self.folder);
        command.env("BENCH_PORT", address.port().to_string());
        command
    }
}

/// A master and a worker that run, and a page that looks on.
#[derive(Debug)]
pub struct Buildbot {
    _master: Program,
    _worker: Program,
    http: reqwest::Client,
    url: String,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    lines: u32,
    /// The log of the round before, about which events may still come.
    last_log: u64,
}

/// What the page is told when a log has grown.
#[derive(Debug, Deserialize)]
struct Event {
    m: Grown,
}

#[derive(Debug, Deserialize)]
struct Grown {
    logid: u64,
}

#[derive(Debug, Deserialize)]
struct Contents {
    logchunks: Vec<Chunk>,
}

#[derive(Debug, Deserialize)]
struct Chunk {
    content: String,
}

impl Buildbot {
    pub async fn start(scratch: &Path, lines: u32, pause_ms: u32) -> Result<Self, BenchError> {
        let master = Master::set_up(scratch)?;
        let (address, for_workers) = (free_address().await?, free_address().await?);
        let probe = format!("{} clock {lines} {pause_ms}", binary("bench-probe").display());
        let mut command = master.start(address);
        command.env("BENCH_PB_PORT", for_workers.port().to_string());
        let running = Program::start(command.env("BENCH_COMMAND", probe));
        let http = http_client();
        let url = format!("http://{address}");
        until("buildbot answers", async || http.get(&url).send().await.ok()).await;
        let worker = start_worker(&master, scratch, for_workers)?;
        until("buildbot's worker is there", async || {
            let workers: Value = get(&http, &format!("{url}/api/v2/workers")).await.ok()?;
            workers["workers"][0]["connected_to"].get(0).map(|_| ())
        })
        .await;
        let opened = Box::pin(connect_async(format!("ws://{address}/ws"))).await;
        let (mut socket, _) = opened.map_err(|error| BenchError::wrong(NAME, error.to_string()))?;
        let consume = json!({ "_id": 1, "cmd": "startConsuming", "path": "logs/*/append" });
        let sent = socket.send(Message::text(consume.to_string())).await;
        sent.map_err(|error| BenchError::wrong(NAME, error.to_string()))?;
        Ok(Self {
            _master: running,
            _worker: worker,
            http,
            url,
            socket,
            lines,
            last_log: 0,
        })
    }

    /// Runs the job once and looks on until its last line is on the page.
    pub async fn round(&mut self) -> Result<Samples, BenchError> {
        let force = json!({ "id": 1, "jsonrpc": "2.0", "method": "force", "params": { "owner": "bench" } });
        let request = self
            .http
            .post(format!("{}/api/v2/forceschedulers/force", self.url));
        let answer = request
            .header("content-type", "application/json")
            .body(force.to_string())
            .send()
            .await;
        answer
            .and_then(reqwest::Response::error_for_status)
            .map_err(|error| BenchError::wrong(NAME, error.to_string()))?;
        let mut lines = Lines::default();
        let (mut offset, mut log) = (0, 0);
        while lines.check_complete(NAME, self.lines).is_err() {
            log = self.grown_log().await?;
            let path = format!("{}/api/v2/logs/{log}/contents?offset={offset}", self.url);
            let contents: Contents = get(&self.http, &path).await?;
            for line in contents.logchunks.iter().flat_map(|chunk| chunk.content.lines()) {
                offset += 1;
                // The first letter says where a line came from; `h` is what buildbot itself has to say.
                if let Some(line) = line.strip_prefix('o') {
                    lines.arrive(&format!("{line}\n"))?;
                }
            }
        }
        self.last_log = log;
        Ok(lines.ages)
    }

    async fn grown_log(&mut self) -> Result<u64, BenchError> {
        loop {
            match within("buildbot's log grows", self.socket.next()).await {
                Some(Ok(Message::Text(text))) => {
                    // What is no event is the answer to our subscription.
                    if let Ok(event) = serde_json::from_str::<Event>(&text)
                        && event.m.logid > self.last_log
                    {
                        return Ok(event.m.logid);
                    }
                }
                Some(Ok(_)) => {}
                other => return Err(BenchError::wrong(NAME, format!("{other:?}"))),
            }
        }
    }
}

fn start_worker(master: &Master, scratch: &Path, address: SocketAddr) -> Result<Program, BenchError> {
    let folder = scratch.join("worker");
    let program = master.programs.join("buildbot-worker");
    let mut create = Command::new(&program);
    create.args(["create-worker", "--quiet"]).arg(&folder);
    peers::run(NAME, create.args([&address.to_string(), "bench", "bench"]))?;
    let mut command = Command::new(&program);
    Ok(Program::start(command.args(["start", "--nodaemon"]).arg(&folder)))
}

async fn get<T: serde::de::DeserializeOwned>(http: &reqwest::Client, url: &str) -> Result<T, BenchError> {
    let wrong = |error: reqwest::Error| BenchError::wrong(NAME, error.to_string());
    let answer = http.get(url).send().await.map_err(wrong)?;
    Ok(serde_json::from_slice(&answer.bytes().await.map_err(wrong)?)?)
}

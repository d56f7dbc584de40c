//! The configuration: section `server` of the YAML file, variables `PARITY_SERVER__..`, flags.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use protocol::amount::{MAX_DECIMALS, TokenInfo};
use protocol::quantity::Span;
use protocol::task::{Limits, SpecPolicy};
use serde::{Deserialize, Deserializer, Serialize};
use settings::{Layers, Section, SettingsError, process_environment};

use crate::services::LeaseTimes;

/// The marketplace server: pages, REST, sockets and the queue in one process.
#[derive(Debug, Parser)]
#[command(name = "parity-server", version, about)]
pub struct Args {
    /// YAML file with a `server:` section
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Address of pages and API, for example 127.0.0.1:8080; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<String>,
    /// Address of /healthz, /readyz and /metrics; off when absent
    #[arg(long, value_name = "ADDR:PORT")]
    pub ops_listen: Option<String>,
    /// Folder of the database
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    pub listen: SocketAddr,
    pub ops_listen: Option<SocketAddr>,
    pub data_dir: PathBuf,
    /// Connections at the same time, sockets included.
    #[serde(deserialize_with = "connections")]
    pub max_connections: usize,
    /// Tokens that rewards may be in; the first is the default.
    #[serde(deserialize_with = "tokens")]
    pub tokens: Vec<TokenInfo>,
    pub lease: LeaseConfig,
    /// From SIGTERM to the end, whoever is still connected.
    #[serde(deserialize_with = "drain")]
    pub drain: Span,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LeaseConfig {
    /// A runner without a word for this long loses its attempts.
    #[serde(deserialize_with = "lease_time")]
    pub duration: Span,
    #[serde(deserialize_with = "heartbeat_time")]
    pub heartbeat: Span,
    /// After a start no lease ends for this long.
    #[serde(deserialize_with = "lease_time")]
    pub failover_grace: Span,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            ops_listen: None,
            data_dir: PathBuf::from("parity-data"),
            max_connections: 20_000,
            tokens: SpecPolicy::default().tokens,
            lease: LeaseConfig::default(),
            drain: Span::from_secs(10),
        }
    }
}

impl Default for LeaseConfig {
    fn default() -> Self {
        let times = LeaseTimes::default();
        Self {
            duration: Span(times.lease),
            heartbeat: Span(times.heartbeat),
            failover_grace: Span(times.failover_grace),
        }
    }
}

impl ServerConfig {
    /// Reads every layer. The error names file and line, variable or flag, and what would be right.
    pub fn load(args: &Args) -> Result<Self, SettingsError> {
        Layers::new(Section::Server)
            .file(args.config.as_deref())
            .environment(process_environment())
            .flag("--listen", "listen", args.listen.clone())
            .flag("--ops-listen", "ops_listen", args.ops_listen.clone())
            .flag("--data-dir", "data_dir", args.data_dir.clone())
            .load()
    }

    pub fn policy(&self) -> SpecPolicy {
        SpecPolicy {
            tokens: self.tokens.clone(),
            caps: Limits::MAX,
        }
    }

    pub fn lease_times(&self) -> LeaseTimes {
        LeaseTimes {
            lease: self.lease.duration.0,
            heartbeat: self.lease.heartbeat.0,
            failover_grace: self.lease.failover_grace.0,
        }
    }
}

fn connections<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    settings::between(deserializer, &10, &1_000_000)
}

fn drain<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
    settings::between(deserializer, &Span::from_secs(1), &Span::from_secs(3600))
}

fn lease_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
    settings::between(deserializer, &Span::from_secs(2), &Span::from_secs(3600))
}

fn heartbeat_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
    settings::between(
        deserializer,
        &Span(Duration::from_millis(500)),
        &Span::from_secs(600),
    )
}

fn tokens<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<TokenInfo>, D::Error> {
    let tokens = Vec::<TokenInfo>::deserialize(deserializer)?;
    if tokens.is_empty() {
        return Err(serde::de::Error::custom("must name at least one token"));
    }
    for token in &tokens {
        let is_symbol = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
        if !(1..=16).contains(&token.symbol.len()) || !token.symbol.bytes().all(is_symbol) {
            return Err(serde::de::Error::custom(
                "a symbol must be 1 to 16 letters, digits, . or -",
            ));
        }
        if token.decimals > MAX_DECIMALS {
            return Err(serde::de::Error::custom(format_args!(
                "a token has at most {MAX_DECIMALS} decimals"
            )));
        }
    }
    Ok(tokens)
}

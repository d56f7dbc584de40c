//! The server: REST, sockets and pages over one set of use cases, and the passes behind them.
//!
//! ```text
//! http/      requests: user/ (REST), forms/ (pages without script), assets, ops
//! sockets/   WebSockets: live (browsers), agent (runners)
//! pages.rs   the bridge to the `app` crate
//! jobs.rs    passes in the background
//!    |  all of these call only
//! services/  the use cases
//!    |  which call
//! store/     the database, the only place with SQL      live/  the feed of events, the watch over logs
//! ```
//!
//! The process keeps no state that a restart loses: it may be killed at any instant.

// The types of whole pages nest deeper than the default limit of 128.
#![recursion_limit = "512"]

mod clock;
mod config;
mod http;
mod jobs;
mod live;
mod pages;
mod run;
mod serve;
mod services;
mod sockets;
mod store;

pub use config::{Args, LeaseConfig, ServerConfig};
pub use run::{StartError, run};

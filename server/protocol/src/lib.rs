//! Everything that crosses a process boundary: browser, server, runner and command line speak these types.
//!
//! The crate knows no framework, no database and no socket, and it compiles to `wasm32-unknown-unknown`, so the
//! page and the server check input with the very same code.
//!
//! **Compatibility.** A wire type stays readable by yesterday's binary: fields are only added, an added field has a
//! default, nothing is `flatten`ed or `untagged`, and the runner's hello carries [`agent::PROTOCOL_VERSION`].
//!
//! Reading order: [`id`], [`amount`], [`quantity`], [`task`], [`outcome`], [`log`], [`runner`], [`error`], [`page`],
//! then the two sockets, [`live`] (browser) and [`agent`] (runner).

pub mod agent;
pub mod amount;
pub mod error;
pub mod id;
pub mod live;
pub mod log;
pub mod outcome;
pub mod page;
pub mod quantity;
pub mod runner;
pub mod task;
pub mod time;

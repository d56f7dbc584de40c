//! The typed client of the public API: one method per operation, one socket for what is live.
//!
//! Deliberately not here: the runner's socket, which belongs to the runner, and any knowledge of how the server
//! stores things. What crosses the wire is in `protocol`.
//!
//! To add an operation: 1. its method beside its kin ([`tasks`](Client::create_task), runners, logs), one line of
//! path and the type of the answer, 2. its command under `cli/`, 3. its line in the end-to-end tests.

mod client;
mod error;
mod follow;
mod live;
mod logs;
mod runners;
mod tasks;

pub use client::Client;
pub use error::ClientError;
pub use follow::{FollowItem, LogFollow};
pub use live::LiveSocket;
pub use logs::LogQuery;
pub use tasks::TaskQuery;

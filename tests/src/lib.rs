//! End-to-end tests, and what they are written with: a server, a runner, a user, a browser and a container engine,
//! each with one method per action, all through public surfaces alone.
//!
//! The binaries come from `PARITY_BIN_DIR`, else from where cargo puts them; build them first. The engine is the one
//! that `DOCKER_HOST` names, and its absence fails a test, because a test that skips says nothing.
//! `cargo xtask test` sets up all of it, `cargo xtask with -- cargo test -p tests --test cancel` for one file.
//!
//! To add a test: 1. the file in `tests/` named after what the user does, 2. `TestServer::start`, `TestRunner::start`
//! and `server.user()`, 3. wait for what is to happen with [`until`] or the waiting methods, never for a time.

#![expect(
    clippy::missing_panics_doc,
    reason = "what fails here fails the test, with the reason in the message"
)]

pub mod bench;
mod binaries;
mod browser;
mod deadline;
mod engine;
mod program;
mod runner;
mod server;
mod session;
mod task;
mod user;

pub use binaries::{binary, workspace};
pub use browser::{Scheme, TestBrowser};
pub use deadline::{PATIENCE, until, within};
pub use engine::TestEngine;
pub use program::Program;
pub use runner::{RunnerOptions, TestRunner};
pub use server::TestServer;
pub use task::Task;
pub use user::{Answer, TestUser};

//! Requests, by who makes them: [`user`] for the REST API, [`forms`] for pages without script, [`assets`] and
//! [`ops`] for machines around the server. The route table is [`router`].
//!
//! URL tells the file: `POST /api/v1/tasks` is `user/create_task.rs`. To add an operation: 1. its file with the
//! handler, 2. its line in `user/mod.rs`, 3. what it does in `services`, 4. a test through the public surface in the
//! `tests` crate.

pub mod assets;
mod boundary;
mod error;
mod forms;
mod headers;
pub mod ops;
mod query;
pub mod router;
mod state;
mod user;

pub use error::HttpError;
pub use headers::content_security_policy;
pub use state::AppState;

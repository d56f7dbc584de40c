//! The heart of the runner: one loop over everything that happens, which owns the slots and every attempt's standing.
//!
//! Attempts, the session, the janitor and signals only send events here, so there is one order of things and no lock.
//! The heartbeat is sent by the same loop: a runner that is deaf stops beating.
//!
//! - [`event`]: what can happen.
//! - [`link`]: what is said to the server, as verbs.
//! - `held`: one attempt, from its lease to the acknowledged result.
//! - `lease`: when an attempt must be stopped because nobody renewed it.
//! - [`dispatcher`]: the loop. `server`, `attempts`, `engine` and `leaving` are its answers to what happens.

mod attempts;
pub mod dispatcher;
mod engine;
pub mod event;
mod held;
mod lease;
mod leaving;
pub mod link;
mod server;
#[cfg(test)]
mod tests;

pub use dispatcher::{Dispatcher, Profile};
pub use event::Event;
pub use link::{Frame, Link};

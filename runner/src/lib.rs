//! The runner: takes tasks from a server over one outbound socket and runs each in a hardened container.
//!
//! ```text
//! server <--socket--> session <--events--> dispatch <--events--> attempt --> sandbox --> container engine
//!                                             |
//!                                             +-- outbox: what the server has not acknowledged
//! ```
//!
//! Reading order: [`program`] (the process), [`dispatch`] (the loop that owns everything), [`attempt`] (one task's
//! run), [`sandbox`] (the cage), then [`session`], [`logs`], [`outbox`]. What the server expects of a runner stands in
//! [`protocol::agent`].
//!
//! The runner trusts neither side: a task cannot name anything of the host, and the operator's caps hold whatever the
//! server asks for.

pub mod attempt;
pub mod clock;
pub mod config;
pub mod dispatch;
mod error_chain;
pub mod identity;
pub mod logs;
pub mod outbox;
pub mod program;
pub mod sandbox;
pub mod server_url;
pub mod session;

pub use error_chain::chain;

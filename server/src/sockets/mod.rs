//! The two WebSockets: [`live`] for whoever watches, [`agent`] for runners.

pub mod agent;
mod agent_session;
pub mod live;
mod live_session;
mod log_follow;
mod origin;

//! What happens after the first paint: one socket per tab, shared by all pages.
//!
//! [`session`] decides and knows no browser: it turns what happened (opened, a frame, a timer, the tab woke up) into
//! actions (connect, send, wake me later, tell the page). `browser` carries them out; on the server `absent` does
//! nothing in its place. Pages use [`LiveContext`] alone.
//!
//! Deliberately not here: what news means. A page applies events by revision, a log by sequence number, and reads its
//! data again when told [`TopicNews::Stale`].

#[cfg(not(feature = "hydrate"))]
mod absent;
mod backoff;
#[cfg(feature = "hydrate")]
mod browser;
mod news;
pub mod session;
#[cfg(feature = "hydrate")]
mod socket;

#[cfg(not(feature = "hydrate"))]
pub use absent::{LiveContext, provide_live};
#[cfg(feature = "hydrate")]
pub use browser::{LiveContext, provide_live};
pub use news::{LinkState, LogNews, TopicNews};

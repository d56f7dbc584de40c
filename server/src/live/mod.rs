//! What follows live: the ring of recent events, and who waits for which log.
//!
//! The database is the truth. A commit only wakes [`feed`], which reads what is new and keeps the newest in memory;
//! each subscriber walks that ring at its own pace with its own cursor, so that a slow one holds up nobody and
//! learns that it lags.

mod feed;
mod log_watch;

pub use feed::{Catchup, EncodedEvent, Feed};
pub use log_watch::{LogPosition, LogWatch};

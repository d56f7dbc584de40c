//! What the pages read. These functions run on the server; the browser calls them through `/fn`.
//!
//! They only read. Whatever changes something is a plain form or the REST interface, so that it works without the
//! module and is guarded in one place.

mod encoding;
mod runners;
mod snapshot;
mod tasks;

pub use encoding::TextJson;
pub use runners::list_runners;
pub use snapshot::Snapshot;
pub use tasks::{MarketQuery, get_log, get_task, list_tasks};
#[cfg(feature = "ssr")]
pub use {
    runners::ListRunners,
    tasks::{GetLog, GetTask, ListTasks},
};

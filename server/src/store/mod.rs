//! The database. The only place with SQL; it calls nothing else of the server.
//!
//! **One set of functions for two engines.** They run over `sqlx::Any`: the same statement text (`$1`, `RETURNING`)
//! on SQLite and PostgreSQL costs at most 15 % over the typed drivers, and a second copy of the logic would cost
//! its correctness. What differs between engines stands in [`open`].
//!
//! **Writes** go through one [`Writer`]: it drains what waits, runs it in one transaction and answers everybody
//! after the commit, so that many requests share one fsync and an acknowledged write survives a crash
//! (`synchronous=FULL`). **Reads** use a pool of read-only connections.
//!
//! To add an operation: 1. a function in the file of its table, `tx: &mut Tx` first for a write, a connection for a
//! read; 2. `ensure_one` on every conditional UPDATE that must hit; 3. an event in the same transaction when anybody
//! watches it change; 4. a test beside it.

mod attempts;
mod ending;
mod error;
mod events;
mod leases;
mod logs;
mod open;
mod progress;
mod row;
mod runners;
mod tasks;
mod writer;

use futures_util::future::BoxFuture;
use sqlx::AnyPool;
use tokio::sync::watch;

pub use attempts::attempt_progress;
pub use ending::{Ended, end_attempt};
pub use error::StoreError;
pub use events::{events_after, head_cursor};
pub use leases::{
    Lease, LeaseRequest, QueuedTask, expired_leases, extend_leases, held_by, lease_task, next_queued_at,
    queued_tasks, renew_leases,
};
pub use logs::{Append, StoredLog, append_chunks, log_state, read_chunks, read_from_offset};
pub use progress::{mark_running, record_pulling};
pub use runners::{
    RunnerHello, list_runners, mark_all_runners_offline, record_hello, set_runner_status, touch_runner,
};
pub use tasks::{
    ListTasks, NewTask, cancel_task, expire_queued, get_task, insert_task, list_tasks, overdue_tasks,
};
pub use writer::{Tx, Writer};

/// The opened database.
#[derive(Debug, Clone)]
pub struct Store {
    readers: AnyPool,
    writer: Writer,
}

impl Store {
    /// Runs one unit of work in the shared transaction and returns after it is durable.
    ///
    /// An error undoes the work of this call alone.
    pub async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
    {
        self.writer.run(work).await
    }

    /// A read-only connection.
    pub async fn read(&self) -> Result<sqlx::pool::PoolConnection<sqlx::Any>, StoreError> {
        match self.readers.acquire().await {
            Err(sqlx::Error::PoolClosed) => Err(StoreError::Closed),
            acquired => Ok(acquired?),
        }
    }

    /// The cursor of the newest committed event; changes exactly when events were committed.
    pub fn committed_events(&self) -> watch::Receiver<i64> {
        self.writer.committed_events()
    }

    /// Ends the writer after what it has accepted, then closes the readers.
    pub async fn close(&self) {
        self.writer.close().await;
        self.readers.close().await;
    }
}

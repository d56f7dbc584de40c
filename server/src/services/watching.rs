//! What watchers read besides tasks and logs: runners and events.

use std::sync::Arc;

use protocol::runner::RunnerView;

use super::{ServiceError, Services};
use crate::live::{Catchup, EncodedEvent};
use crate::store;

/// Runners in one answer. Paging comes when somebody has more.
const MAX_RUNNERS: i64 = 500;

impl Services {
    /// The runners, those here first, and the cursor of events they were read at.
    pub async fn list_runners(&self) -> Result<(Vec<RunnerView>, i64), ServiceError> {
        let mut reader = self.store.read().await?;
        let cursor = store::head_cursor(&mut reader).await?;
        Ok((store::list_runners(&mut reader, MAX_RUNNERS).await?, cursor))
    }

    /// Events after a cursor in order, from memory or, when they are older, from the database.
    pub async fn events_after(
        &self,
        cursor: i64,
        limit: usize,
    ) -> Result<Vec<Arc<EncodedEvent>>, ServiceError> {
        if let Catchup::Events(events) = self.feed.after(cursor, limit) {
            return Ok(events);
        }
        let mut reader = self.store.read().await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let events = store::events_after(&mut reader, cursor, limit).await?;
        Ok(events
            .into_iter()
            .map(|event| Arc::new(EncodedEvent::new(event)))
            .collect())
    }
}

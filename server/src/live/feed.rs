//! The ring of recent events.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::ws::Utf8Bytes;
use protocol::live::{EventBody, LiveEvent, ServerMessage};
use tokio::sync::watch;

use crate::store::{Store, StoreError, events_after};

/// Events kept in memory: minutes of a busy server, about 4 MiB.
const RING: usize = 4096;

/// Events read from the database at once.
const READ_BATCH: i64 = 512;

/// An event with the frame that every subscriber gets: encoded once, shared by all.
#[derive(Debug)]
pub struct EncodedEvent {
    pub cursor: i64,
    pub body: EventBody,
    pub frame: Utf8Bytes,
}

/// What a subscriber at some cursor finds.
#[derive(Debug)]
pub enum Catchup {
    /// In order, possibly none.
    Events(Vec<Arc<EncodedEvent>>),
    /// Its cursor has left the ring.
    TooOld,
}

#[derive(Debug, Clone)]
pub struct Feed {
    ring: Arc<Mutex<VecDeque<Arc<EncodedEvent>>>>,
    head: watch::Receiver<i64>,
    /// The cursor before the first event this process saw.
    origin: i64,
}

impl Feed {
    /// Starts to follow the commits of the store; ends with it.
    pub fn start(store: Store) -> Self {
        let mut committed = store.committed_events();
        let origin = *committed.borrow_and_update();
        let (head_tx, head) = watch::channel(origin);
        let ring = Arc::new(Mutex::new(VecDeque::with_capacity(RING)));
        let feed = Self { ring, head, origin };
        let follower = feed.clone();
        tokio::spawn(async move {
            while committed.changed().await.is_ok() {
                let target = *committed.borrow_and_update();
                match follower.read_up_to(&store, &head_tx, target).await {
                    Ok(()) => {}
                    // The server stops; subscribers have been told.
                    Err(StoreError::Closed) => return,
                    Err(error) => tracing::error!(error = %error, "new events could not be read"),
                }
            }
        });
        feed
    }

    async fn read_up_to(
        &self,
        store: &Store,
        head: &watch::Sender<i64>,
        target: i64,
    ) -> Result<(), StoreError> {
        let mut reader = store.read().await?;
        loop {
            let from = *head.borrow();
            if from >= target {
                return Ok(());
            }
            let events = events_after(&mut reader, from, READ_BATCH).await?;
            let Some(last) = events.last().map(|event| event.cursor) else {
                return Ok(());
            };
            self.push(events);
            head.send_replace(last);
        }
    }

    fn push(&self, events: Vec<LiveEvent>) {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            if ring.len() == RING {
                ring.pop_front();
            }
            ring.push_back(Arc::new(EncodedEvent::new(event)));
        }
    }

    /// The cursor of the newest event that subscribers may see.
    pub fn head(&self) -> i64 {
        *self.head.borrow()
    }

    /// Changes whenever there are new events.
    pub fn watch(&self) -> watch::Receiver<i64> {
        self.head.clone()
    }

    /// At most `limit` events after the cursor.
    pub fn after(&self, cursor: i64, limit: usize) -> Catchup {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest_reachable = ring
            .front()
            .map_or(self.head(), |first| first.cursor - 1)
            .max(self.origin);
        if cursor < oldest_reachable {
            return Catchup::TooOld;
        }
        let start = ring.partition_point(|event| event.cursor <= cursor);
        Catchup::Events(ring.iter().skip(start).take(limit).cloned().collect())
    }
}

impl EncodedEvent {
    pub fn new(event: LiveEvent) -> Self {
        let (cursor, body) = (event.cursor, event.body.clone());
        let message = ServerMessage::Event(Box::new(event));
        let frame = serde_json::to_string(&message).unwrap_or_default();
        Self {
            cursor,
            body,
            frame: frame.into(),
        }
    }
}

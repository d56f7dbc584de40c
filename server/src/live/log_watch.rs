//! Wakes those who follow a log. Holds an entry only for logs that somebody follows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use protocol::id::TaskId;
use tokio::sync::watch;

/// How far the log of a task is. A change only wakes; the database is asked for the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogPosition {
    /// Counts the wake-ups, so that none is lost between two looks.
    pub wakes: u64,
}

#[derive(Debug, Clone, Default)]
pub struct LogWatch {
    followed: Arc<Mutex<HashMap<TaskId, watch::Sender<LogPosition>>>>,
}

impl LogWatch {
    /// Follows the log of a task; dropping the receiver ends it.
    pub fn follow(&self, task: TaskId) -> watch::Receiver<LogPosition> {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        // Entries nobody listens to any more leave when somebody new comes, so their number is bounded by followers.
        followed.retain(|_, sender| !sender.is_closed());
        followed
            .entry(task)
            .or_insert_with(|| watch::channel(LogPosition::default()).0)
            .subscribe()
    }

    /// Chunks were stored, or the attempt or the task ended.
    pub fn wake(&self, task: TaskId) {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = followed.get(&task) {
            if sender.is_closed() {
                followed.remove(&task);
            } else {
                sender.send_modify(|position| position.wakes = position.wakes.wrapping_add(1));
            }
        }
    }
}

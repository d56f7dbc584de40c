//! The logs one socket follows: each with its own place, woken by the log's watch.

use std::collections::HashMap;

use futures_util::future::select_all;
use protocol::agent::AttemptKey;
use protocol::error::ApiError;
use protocol::id::TaskId;
use protocol::live::ServerMessage;
use protocol::log::LogChunkView;
use tokio::sync::watch;

use crate::live::LogPosition;
use crate::services::{ServiceError, Services};

struct Follow {
    wakes: watch::Receiver<LogPosition>,
    epoch: u64,
    next_seq: u64,
    /// Something may have changed since it was last looked at.
    stale: bool,
}

pub(super) struct LogFollows {
    services: Services,
    follows: HashMap<TaskId, Follow>,
}

impl LogFollows {
    pub(super) fn new(services: Services) -> Self {
        Self {
            services,
            follows: HashMap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.follows.len()
    }

    pub(super) fn add(&mut self, task: TaskId, epoch: u64, next_seq: u64) {
        let wakes = self.services.follow_log(task);
        self.follows.insert(
            task,
            Follow {
                wakes,
                epoch,
                next_seq,
                stale: true,
            },
        );
    }

    pub(super) fn remove(&mut self, task: TaskId) {
        self.follows.remove(&task);
    }

    /// Returns when one of the logs may have grown. Never returns without logs.
    pub(super) async fn changed(&mut self) {
        if self.follows.is_empty() {
            return std::future::pending().await;
        }
        let waits = self.follows.values_mut().map(|follow| {
            Box::pin(async {
                // The sender lives as long as this receiver, see `LogWatch::follow`.
                let _alive = follow.wakes.changed().await;
                follow.stale = true;
            })
        });
        select_all(waits).await;
    }

    /// The next message of any log that has one.
    pub(super) async fn next_message(&mut self) -> Result<Option<ServerMessage>, ServiceError> {
        let stale: Vec<TaskId> = self
            .follows
            .iter()
            .filter(|(_, follow)| follow.stale)
            .map(|(task, _)| *task)
            .collect();
        for task in stale {
            match self.look_at(task).await {
                Ok(Some(message)) => return Ok(Some(message)),
                Ok(None) => {}
                Err(error) => {
                    self.follows.remove(&task);
                    return Err(error);
                }
            }
        }
        Ok(None)
    }

    async fn look_at(&mut self, task: TaskId) -> Result<Option<ServerMessage>, ServiceError> {
        let Some(follow) = self.follows.get_mut(&task) else {
            return Ok(None);
        };
        follow.wakes.borrow_and_update();
        let state = self
            .services
            .log_state(task, None)
            .await?
            .ok_or_else(|| ApiError::not_found("task"))?;
        if state.epoch != follow.epoch || follow.next_seq > state.next_seq {
            follow.epoch = state.epoch;
            follow.next_seq = 0;
        }
        let attempt = AttemptKey {
            task,
            epoch: follow.epoch,
        };
        let chunks = self.services.log_chunks(attempt, follow.next_seq).await?;
        if let Some(last) = chunks.last() {
            follow.next_seq = last.seq + 1;
            let chunks = chunks.iter().map(LogChunkView::from).collect();
            let (epoch, next_seq) = (follow.epoch, follow.next_seq);
            return Ok(Some(ServerMessage::Log {
                task,
                epoch,
                chunks,
                next_seq,
            }));
        }
        follow.stale = false;
        if state.complete && state.task_is_final {
            let (epoch, next_seq) = (follow.epoch, follow.next_seq);
            self.follows.remove(&task);
            return Ok(Some(ServerMessage::LogEnd {
                task,
                epoch,
                next_seq,
            }));
        }
        Ok(None)
    }
}

//! Posting, reading and cancelling tasks.

use protocol::error::{ApiError, ErrorCode};
use protocol::id::TaskId;
use protocol::outcome::Outcome;
use protocol::page::Page;
use protocol::task::{PaymentStatus, TaskStatus, TaskSummary, TaskView, parse_task};
use protocol::time::UnixMs;

use super::{ServiceError, Services};
use crate::clock::new_task_id;
use crate::store::{self, ListTasks, NewTask, StoreError};

/// Overdue tasks given up in one pass; the next pass follows at once when there are more.
const EXPIRE_BATCH: i64 = 100;

impl Services {
    /// Reads and stores a task, and offers it to the runners.
    pub async fn post_task(&self, body: &str) -> Result<TaskView, ServiceError> {
        let spec = parse_task(body, &self.policy)?;
        let posted_at = self.clock.now();
        let task = NewTask {
            id: new_task_id(posted_at),
            spec,
            status: TaskStatus::Queued,
            payment: PaymentStatus::Unpriced,
            posted_at,
        };
        let view = self
            .store
            .write(move |tx| Box::pin(store::insert_task(tx, task)))
            .await?;
        self.dispatcher.wake();
        Ok(view)
    }

    pub async fn get_task(&self, id: TaskId) -> Result<TaskView, ServiceError> {
        let mut reader = self.store.read().await?;
        store::get_task(&mut reader, id)
            .await?
            .ok_or_else(|| ApiError::not_found("task").into())
    }

    /// A page of tasks, newest first, and the cursor of events it was read at.
    pub async fn list_tasks(&self, mut query: ListTasks) -> Result<(Page<TaskSummary>, i64), ServiceError> {
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        // One more than asked for tells whether there is a next page.
        query.limit = query.limit.saturating_add(1);
        let mut reader = self.store.read().await?;
        let cursor = store::head_cursor(&mut reader).await?;
        let mut items = store::list_tasks(&mut reader, &query).await?;
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|last| last.id.to_string());
        Ok((Page { items, next_cursor }, cursor))
    }

    /// The outcome of a finished task.
    pub async fn task_result(&self, id: TaskId) -> Result<Outcome, ServiceError> {
        let task = self.get_task(id).await?;
        if !task.status.is_terminal() {
            let detail = format!(
                "the task is {}; it has a result when it is over",
                task.status.as_str()
            );
            return Err(ServiceError::refused(ErrorCode::Conflict, detail));
        }
        task.outcome.ok_or_else(|| {
            let detail = format!(
                "the task was {} before any runner finished it",
                task.status.as_str()
            );
            ServiceError::refused(ErrorCode::Conflict, detail)
        })
    }

    /// Cancels a task, or asks its runner to.
    pub async fn cancel_task(&self, id: TaskId) -> Result<TaskView, ServiceError> {
        let before = self.get_task(id).await?;
        let now = self.clock.now();
        let cancelled = self
            .store
            .write(move |tx| Box::pin(store::cancel_task(tx, id, now)))
            .await;
        match cancelled {
            Ok(view) => {
                self.dispatcher.cancel(&view);
                self.log_watch.wake(id);
                Ok(view)
            }
            Err(StoreError::Conflict) => {
                let detail = format!("the task is already {}", before.status.as_str());
                Err(ServiceError::refused(ErrorCode::Conflict, detail))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// One pass over the tasks whose deadline is over. How many it gave up.
    pub async fn expire_tasks_once(&self) -> Result<usize, ServiceError> {
        let now = self.clock.now();
        let overdue = {
            let mut reader = self.store.read().await?;
            store::overdue_tasks(&mut reader, now, EXPIRE_BATCH).await?
        };
        let mut expired = 0;
        for id in overdue {
            if self.expire_one(id, now).await? {
                expired += 1;
            }
        }
        Ok(expired)
    }

    async fn expire_one(&self, id: TaskId, now: UnixMs) -> Result<bool, StoreError> {
        let expired = self
            .store
            .write(move |tx| Box::pin(store::expire_queued(tx, id, now)))
            .await?;
        self.log_watch.wake(id);
        Ok(expired)
    }
}

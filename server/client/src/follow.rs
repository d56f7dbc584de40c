//! Follows a log to the end of the task, over dropped connections, restarts of the server and further attempts.
//!
//! Every byte comes once and in order: after a drop it goes on from the number of bytes it has. A body that ends
//! well is not yet the end, because a server that stops ends its answers too; only a finished task is, and then the
//! rest of its log is asked for once more.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};
use protocol::id::TaskId;
use reqwest::Response;

use crate::{Client, ClientError, LogQuery};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// Fruitless tries in a row, about a minute of them, until the server counts as gone.
const MAX_FAILURES: u32 = 22;

/// What comes next in a followed log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowItem {
    Bytes(Bytes),
    /// The attempt before was given up; the log begins anew.
    NewAttempt {
        epoch: u64,
    },
}

/// A log being followed.
#[derive(Debug)]
pub struct LogFollow {
    client: Client,
    task: TaskId,
    /// 0 while no attempt is known.
    epoch: u64,
    /// Bytes of this attempt that were handed out.
    offset: u64,
    body: Option<Response>,
    /// A server that never answered is told to the caller at once; one that did is waited for.
    was_connected: bool,
    /// The task is over and what is read now is the rest.
    is_last: bool,
    pause: Duration,
    failures: u32,
}

impl Client {
    /// Follows the log of a task from its first byte.
    pub fn follow_log(&self, task: TaskId) -> LogFollow {
        LogFollow {
            client: self.clone(),
            task,
            epoch: 0,
            offset: 0,
            body: None,
            was_connected: false,
            is_last: false,
            pause: FIRST_PAUSE,
            failures: 0,
        }
    }
}

impl LogFollow {
    /// The next piece; nothing when the task is over and its log was handed out.
    pub async fn next(&mut self) -> Result<Option<FollowItem>, ClientError> {
        loop {
            match self.read().await {
                Ok(Some(bytes)) => return Ok(Some(FollowItem::Bytes(bytes))),
                Ok(None) if self.is_last => return Ok(None),
                Ok(None) => match self.look_at_task().await {
                    Ok(Some(epoch)) => return Ok(Some(FollowItem::NewAttempt { epoch })),
                    Ok(None) => {}
                    Err(error) => self.wait_out(error).await?,
                },
                Err(error) => self.wait_out(error).await?,
            }
        }
    }

    /// The same as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Result<FollowItem, ClientError>> {
        stream::try_unfold(self, |mut follow| async move {
            Ok(follow.next().await?.map(|item| (item, follow)))
        })
    }

    async fn read(&mut self) -> Result<Option<Bytes>, ClientError> {
        if self.body.is_none() {
            self.body = Some(self.connect().await?);
        }
        let Some(body) = &mut self.body else {
            return Ok(None);
        };
        let part = body
            .chunk()
            .await
            .map_err(|error| ClientError::BrokenOff(error.without_url()));
        match part {
            Ok(Some(bytes)) => {
                self.offset = self
                    .offset
                    .saturating_add(bytes.len().try_into().unwrap_or(u64::MAX));
                self.pause = FIRST_PAUSE;
                self.failures = 0;
                Ok(Some(bytes))
            }
            Ok(None) => {
                self.body = None;
                Ok(None)
            }
            Err(error) => {
                self.body = None;
                Err(error)
            }
        }
    }

    async fn connect(&mut self) -> Result<Response, ClientError> {
        if self.epoch == 0 {
            self.epoch = self.client.task(self.task).await?.epoch;
        }
        let query = LogQuery {
            epoch: (self.epoch > 0).then_some(self.epoch),
            offset: self.offset,
            follow: !self.is_last,
            ..LogQuery::default()
        };
        let body = self.client.log(self.task, &query).await?;
        self.was_connected = true;
        Ok(body)
    }

    /// After a body's end: is the task over, or is there another attempt? Returns the new attempt's number.
    async fn look_at_task(&mut self) -> Result<Option<u64>, ClientError> {
        let view = self.client.task(self.task).await?;
        if self.epoch == 0 && self.offset > 0 {
            // Following began before the first attempt, and what came since is of the attempt now known.
            self.epoch = view.epoch;
        }
        if view.epoch > self.epoch {
            let is_first = self.epoch == 0;
            self.epoch = view.epoch;
            self.offset = 0;
            return Ok((!is_first).then_some(view.epoch));
        }
        if view.status.is_terminal() {
            self.is_last = true;
        } else {
            self.rest().await;
        }
        Ok(None)
    }

    /// Waits before another try, or gives up with the error that another try would not mend.
    async fn wait_out(&mut self, error: ClientError) -> Result<(), ClientError> {
        self.failures += 1;
        if !self.was_connected || !error.is_network() || self.failures > MAX_FAILURES {
            return Err(error);
        }
        self.rest().await;
        Ok(())
    }

    async fn rest(&mut self) {
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
#[path = "follow_tests.rs"]
mod tests;

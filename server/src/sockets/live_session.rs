//! One browser's socket: what it subscribed to, and its own cursor into the feed.
//!
//! Each session reads the feed at its own pace. When it falls out of the ring of recent events it is told `lagged`
//! and goes on from now; nobody waits for it.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use protocol::error::ErrorCode;
use protocol::id::TaskId;
use protocol::live::{ClientMessage, MAX_TOPICS, ServerMessage, Topic};
use tokio::time::{Instant, interval_at};
use tokio_util::sync::CancellationToken;

use super::log_follow::LogFollows;
use crate::live::{Catchup, EncodedEvent};
use crate::services::{ServiceError, Services};

/// Often enough to keep proxies from closing an idle socket, and to find dead ones.
const PING_EVERY: Duration = Duration::from_secs(25);

/// A client that takes nothing for this long is gone.
const SEND_WITHIN: Duration = Duration::from_secs(30);

/// Events taken from the ring at once.
const BATCH: usize = 256;

/// Events walked for one subscription; reading the data again is cheaper than replaying more.
const MAX_REPLAY: i64 = 10_000;

/// The socket is closed or useless.
struct Gone;

pub(super) struct LiveSession {
    services: Services,
    draining: CancellationToken,
    /// Where each topic stands: events up to this cursor are not sent.
    topics: BTreeMap<Topic, i64>,
    logs: LogFollows,
    /// The session has walked the feed up to here.
    cursor: i64,
}

impl LiveSession {
    pub(super) fn new(services: Services, draining: CancellationToken) -> Self {
        let cursor = services.feed().head();
        let logs = LogFollows::new(services.clone());
        Self {
            services,
            draining,
            topics: BTreeMap::new(),
            logs,
            cursor,
        }
    }

    pub(super) async fn run(mut self, mut socket: WebSocket) {
        // Either end going away is how sessions normally end.
        let _gone = self.serve(&mut socket).await;
    }

    async fn serve(&mut self, socket: &mut WebSocket) -> Result<(), Gone> {
        let hello = ServerMessage::Hello {
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
            cursor: self.cursor,
        };
        send(socket, &hello).await?;
        let mut head = self.services.feed().watch();
        let mut ping = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        let draining = self.draining.clone();
        loop {
            tokio::select! {
                received = socket.recv() => self.receive(socket, received).await?,
                changed = head.changed() => {
                    if changed.is_err() {
                        return Err(Gone);
                    }
                    self.send_events(socket).await?;
                }
                () = self.logs.changed() => self.send_logs(socket).await?,
                _ = ping.tick() => send_frame(socket, Message::Ping(Vec::new().into())).await?,
                () = draining.cancelled() => {
                    send(socket, &ServerMessage::Draining).await?;
                    return close(socket, close_code::RESTART, "the server stops").await;
                }
            }
        }
    }

    async fn receive(
        &mut self,
        socket: &mut WebSocket,
        received: Option<Result<Message, axum::Error>>,
    ) -> Result<(), Gone> {
        match received {
            Some(Ok(Message::Text(text))) => match serde_json::from_str::<ClientMessage>(&text) {
                Ok(message) => self.obey(socket, message).await,
                Err(error) => {
                    refuse(
                        socket,
                        ErrorCode::Malformed,
                        &format!("not a client message: {error}"),
                    )
                    .await
                }
            },
            Some(Ok(Message::Binary(_))) => refuse(socket, ErrorCode::Malformed, "send text frames").await,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Close(_)) | Err(_)) | None => Err(Gone),
        }
    }

    async fn obey(&mut self, socket: &mut WebSocket, message: ClientMessage) -> Result<(), Gone> {
        match message {
            ClientMessage::Subscribe { topic, after } => self.subscribe(socket, topic, after).await,
            ClientMessage::Unsubscribe { topic } => {
                self.topics.remove(&topic);
                Ok(())
            }
            ClientMessage::FollowLog {
                task,
                epoch,
                from_seq,
            } => self.follow_log(socket, task, epoch, from_seq).await,
            ClientMessage::UnfollowLog { task } => {
                self.logs.remove(task);
                Ok(())
            }
        }
    }

    fn is_full(&self) -> bool {
        self.topics.len() + self.logs.len() >= MAX_TOPICS
    }

    /// Catches the topic up to where the session stands, then lets it go on with the rest.
    async fn subscribe(
        &mut self,
        socket: &mut WebSocket,
        topic: Topic,
        after: Option<i64>,
    ) -> Result<(), Gone> {
        if self.is_full() && !self.topics.contains_key(&topic) {
            return refuse(
                socket,
                ErrorCode::TooManyRequests,
                "too many topics on one socket",
            )
            .await;
        }
        let after = after.unwrap_or(self.cursor);
        send(socket, &ServerMessage::Subscribed { topic, cursor: after }).await?;
        if self.cursor.saturating_sub(after) > MAX_REPLAY {
            send(
                socket,
                &ServerMessage::Lagged {
                    topic,
                    cursor: self.cursor,
                },
            )
            .await?;
        } else {
            self.replay(socket, topic, after).await?;
        }
        self.topics.insert(topic, after.max(self.cursor));
        self.send_events(socket).await
    }

    /// Sends what happened on the topic between its place and the session's.
    async fn replay(&self, socket: &mut WebSocket, topic: Topic, after: i64) -> Result<(), Gone> {
        let mut from = after;
        while from < self.cursor {
            let Ok(events) = self.services.events_after(from, BATCH).await else {
                return Err(Gone);
            };
            let Some(last) = events.last().map(|event| event.cursor) else {
                return Ok(());
            };
            for event in events.iter().filter(|event| event.cursor <= self.cursor) {
                if event.body.is_about(&topic) {
                    send_event(socket, event).await?;
                }
            }
            from = last;
        }
        Ok(())
    }

    async fn send_events(&mut self, socket: &mut WebSocket) -> Result<(), Gone> {
        loop {
            match self.services.feed().after(self.cursor, BATCH) {
                Catchup::TooOld => {
                    self.cursor = self.services.feed().head();
                    for (topic, position) in &mut self.topics {
                        *position = self.cursor;
                        send(
                            socket,
                            &ServerMessage::Lagged {
                                topic: *topic,
                                cursor: self.cursor,
                            },
                        )
                        .await?;
                    }
                }
                Catchup::Events(events) => {
                    let Some(last) = events.last().map(|event| event.cursor) else {
                        return Ok(());
                    };
                    for event in &events {
                        if self.is_wanted(event) {
                            send_event(socket, event).await?;
                        }
                    }
                    self.cursor = last;
                }
            }
        }
    }

    /// One event is sent once, however many topics it belongs to.
    fn is_wanted(&self, event: &EncodedEvent) -> bool {
        self.topics
            .iter()
            .any(|(topic, position)| event.cursor > *position && event.body.is_about(topic))
    }

    async fn follow_log(
        &mut self,
        socket: &mut WebSocket,
        task: TaskId,
        epoch: u64,
        from_seq: u64,
    ) -> Result<(), Gone> {
        if self.is_full() {
            return refuse(
                socket,
                ErrorCode::TooManyRequests,
                "too many topics on one socket",
            )
            .await;
        }
        self.logs.add(task, epoch, from_seq);
        self.send_logs(socket).await
    }

    async fn send_logs(&mut self, socket: &mut WebSocket) -> Result<(), Gone> {
        loop {
            match self.logs.next_message().await {
                Ok(Some(message)) => send(socket, &message).await?,
                Ok(None) => return Ok(()),
                Err(error) => return refuse_service(socket, error).await,
            }
        }
    }
}

async fn refuse_service(socket: &mut WebSocket, error: ServiceError) -> Result<(), Gone> {
    let error = error.into_api();
    refuse(socket, error.code, &error.detail).await
}

async fn refuse(socket: &mut WebSocket, code: ErrorCode, detail: &str) -> Result<(), Gone> {
    send(
        socket,
        &ServerMessage::Error {
            code,
            detail: detail.to_owned(),
        },
    )
    .await
}

async fn send_event(socket: &mut WebSocket, event: &EncodedEvent) -> Result<(), Gone> {
    send_frame(socket, Message::Text(event.frame.clone())).await
}

async fn send(socket: &mut WebSocket, message: &ServerMessage) -> Result<(), Gone> {
    let text = serde_json::to_string(message).map_err(|_| Gone)?;
    send_frame(socket, Message::Text(text.into())).await
}

async fn send_frame(socket: &mut WebSocket, frame: Message) -> Result<(), Gone> {
    match tokio::time::timeout(SEND_WITHIN, socket.send(frame)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Gone),
    }
}

async fn close(socket: &mut WebSocket, code: u16, reason: &'static str) -> Result<(), Gone> {
    send_frame(
        socket,
        Message::Close(Some(CloseFrame {
            code,
            reason: reason.into(),
        })),
    )
    .await?;
    Err(Gone)
}

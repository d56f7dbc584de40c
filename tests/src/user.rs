//! Somebody who uses a server over the network.

use bytes::Bytes;
use client::{Client, FollowItem, LiveSocket, LogQuery};
use protocol::error::Problem;
use protocol::id::TaskId;
use protocol::live::{ClientMessage, Topic};
use protocol::page::Page;
use protocol::runner::{RunnerStatus, RunnerView};
use protocol::task::{TaskStatus, TaskSummary, TaskView};
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, redirect};
use serde_json::Value;

use crate::deadline::{until, within};
use crate::task::Task;

#[derive(Debug, Clone)]
pub struct TestUser {
    client: Client,
    http: reqwest::Client,
    server: String,
}

/// An answer as it came, good or bad.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap_or_default())
    }

    /// The problem document of a refusal, its outer form checked.
    pub fn problem(&self) -> Problem {
        assert!(
            self.header("content-type").starts_with(Problem::CONTENT_TYPE),
            "{self:?}"
        );
        let problem: Problem = serde_json::from_slice(&self.body).expect("a problem document");
        assert_eq!(problem.status, self.status);
        assert_eq!(problem.request_id.as_deref(), Some(self.header("x-request-id")));
        problem
    }
}

/// A client that takes every answer as it comes.
pub(crate) fn http_client() -> reqwest::Client {
    // Whoever installed a provider before, in the same process, installed the same one.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .build();
    http.expect("a client without special wishes")
}

impl TestUser {
    pub fn of(server: &str) -> Self {
        let client = Client::new(server).expect("the address of a server");
        Self {
            client,
            http: http_client(),
            server: server.to_owned(),
        }
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A request of any kind, to a path such as `/api/v1/tasks`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.server))
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let answer = within("the server answers", request.send())
            .await
            .expect("an answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = within("the body ends", answer.bytes())
            .await
            .expect("a whole body");
        Answer {
            status,
            headers,
            body,
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// Posts a body as JSON, whatever it is.
    pub async fn post_json(&self, path: &str, body: impl Into<String>) -> Answer {
        let request = self
            .request(Method::POST, path)
            .header("content-type", "application/json");
        self.send(request.body(body.into())).await
    }

    /// Sends a form the way a page without scripts does.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.request(Method::POST, path).header("origin", &self.server);
        self.send(request.header("sec-fetch-site", "same-origin").form(fields))
            .await
    }

    pub async fn posts(&self, task: &Task) -> TaskId {
        self.client
            .create_task(task.body())
            .await
            .expect("the task is accepted")
            .id
    }

    pub async fn task(&self, id: TaskId) -> TaskView {
        self.client.task(id).await.expect("the task is there")
    }

    pub async fn tasks(&self) -> Page<TaskSummary> {
        self.client
            .tasks(&client::TaskQuery::default())
            .await
            .expect("the list")
    }

    pub async fn runners(&self) -> Vec<RunnerView> {
        self.client.runners().await.expect("the list").items
    }

    /// Waits until so many runners are in that state.
    pub async fn sees_runners(&self, status: RunnerStatus, count: usize) {
        until(&format!("{count} runners are {}", status.as_str()), async || {
            let runners = self.client.runners().await.ok()?.items;
            let in_state = runners.iter().filter(|runner| runner.status == status);
            (in_state.count() == count).then_some(())
        })
        .await;
    }

    /// Waits for the end of a task.
    pub async fn sees_end(&self, id: TaskId) -> TaskView {
        self.sees(id, "the task is over", |task| task.status.is_terminal())
            .await
    }

    pub async fn sees_status(&self, id: TaskId, status: TaskStatus) -> TaskView {
        self.sees(id, status.as_str(), |task| task.status == status).await
    }

    /// Waits until the task is as wanted, told by the live socket when to look again, also over a server's restart.
    pub async fn sees(&self, id: TaskId, what: &str, is_so: impl Fn(&TaskView) -> bool) -> TaskView {
        until(&format!("task {id}: {what}"), async || {
            let mut task = self.client.task(id).await.ok()?;
            let mut live = self.client.live().await.ok()?;
            let topic = Topic::Task { id };
            let after = Some(task.cursor);
            live.send(&ClientMessage::Subscribe { topic, after }).await.ok()?;
            while !is_so(&task) {
                assert!(
                    !task.status.is_terminal(),
                    "task {id} is over before {what}: {task:?}"
                );
                // Two messages belong to the subscription itself; looking once more for them does no harm.
                tokio::time::timeout(crate::deadline::PATIENCE, live.next())
                    .await
                    .ok()?
                    .ok()??;
                task = self.client.task(id).await.ok()?;
            }
            Some(task)
        })
        .await
    }

    /// Waits until the log of a task has at least so many bytes, and returns what it has.
    pub async fn sees_log(&self, id: TaskId, bytes: usize) -> Bytes {
        until("the log grows", async || {
            let answer = self.client.log(id, &LogQuery::default()).await.ok()?;
            answer.bytes().await.ok().filter(|log| log.len() >= bytes)
        })
        .await
    }

    /// The whole log of the current attempt.
    pub async fn log(&self, id: TaskId) -> Bytes {
        self.log_of(id, &LogQuery::default()).await
    }

    pub async fn log_of(&self, id: TaskId, query: &LogQuery) -> Bytes {
        let answer = self.client.log(id, query).await.expect("the log");
        within("the log ends", answer.bytes())
            .await
            .expect("a whole body")
    }

    /// Follows the log to the end of the task, over restarts of the server.
    pub async fn follows_log(&self, id: TaskId) -> Vec<u8> {
        let mut follow = self.client.follow_log(id);
        let mut log = Vec::new();
        while let Some(item) = within("the log goes on", follow.next()).await.expect("the log") {
            match item {
                FollowItem::Bytes(bytes) => log.extend_from_slice(&bytes),
                FollowItem::NewAttempt { epoch } => panic!("attempt {epoch} began"),
            }
        }
        log
    }

    pub async fn live(&self) -> LiveSocket {
        within("the live socket opens", self.client.live())
            .await
            .expect("the live socket")
    }

    pub async fn cancels(&self, id: TaskId) {
        self.client.cancel(id).await.expect("the task can be cancelled");
    }
}

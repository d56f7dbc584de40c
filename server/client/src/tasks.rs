//! Tasks: post, list, look, cancel.

use protocol::id::TaskId;
use protocol::outcome::Outcome;
use protocol::page::Page;
use protocol::task::{TaskStatus, TaskSummary, TaskView};
use reqwest::header::CONTENT_TYPE;

use crate::{Client, ClientError};

/// Which part of the list.
#[derive(Debug, Clone, Default)]
pub struct TaskQuery {
    pub status: Option<TaskStatus>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// Items; the server's default when absent.
    pub limit: Option<u32>,
}

impl TaskQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let status = self.status.map(|status| ("status", status.as_str().to_owned()));
        let cursor = self.cursor.clone().map(|cursor| ("cursor", cursor));
        let limit = self.limit.map(|limit| ("limit", limit.to_string()));
        [status, cursor, limit].into_iter().flatten().collect()
    }
}

impl Client {
    /// Posts a task. The body goes out byte for byte, so that what the server refuses is what the caller wrote.
    pub async fn create_task(&self, body: impl Into<String>) -> Result<TaskView, ClientError> {
        let request = self
            .post("tasks")
            .header(CONTENT_TYPE, "application/json")
            .body(body.into());
        self.json(request).await
    }

    /// Newest first, a page at a time.
    pub async fn tasks(&self, query: &TaskQuery) -> Result<Page<TaskSummary>, ClientError> {
        let mut url = self.url("tasks");
        let pairs = query.pairs();
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        self.json(self.get_url(url)).await
    }

    pub async fn task(&self, id: TaskId) -> Result<TaskView, ClientError> {
        self.json(self.get(&format!("tasks/{id}"))).await
    }

    /// How the task ended; a conflict while it has not.
    pub async fn result(&self, id: TaskId) -> Result<Outcome, ClientError> {
        self.json(self.get(&format!("tasks/{id}/result"))).await
    }

    /// Asks for the end of a task. It is over when its status says so.
    pub async fn cancel(&self, id: TaskId) -> Result<TaskView, ClientError> {
        self.json(self.post(&format!("tasks/{id}/cancel"))).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_only_what_was_asked() {
        assert!(TaskQuery::default().pairs().is_empty());
        let query = TaskQuery {
            status: Some(TaskStatus::Running),
            cursor: Some("a b".to_owned()),
            limit: Some(7),
        };
        let expected = [("status", "running"), ("cursor", "a b"), ("limit", "7")];
        assert_eq!(
            query.pairs(),
            expected.map(|(name, value)| (name, value.to_owned()))
        );
    }
}

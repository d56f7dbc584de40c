use leptos::prelude::server;
use protocol::id::TaskId;
use protocol::log::LogPage;
use protocol::page::Page;
use protocol::task::{TaskStatus, TaskSummary, TaskView};
use serde::{Deserialize, Serialize};

use super::Snapshot;
use super::encoding::PostJson;
use crate::AppError;
#[cfg(feature = "ssr")]
use crate::backend::backend;

/// Which part of the market is looked at. It lives in the URL.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MarketQuery {
    #[serde(default)]
    pub status: Option<TaskStatus>,
    #[serde(default)]
    pub cursor: Option<String>,
}

// Fixed endpoints: by default a URL holds a hash of the folder it was compiled in, and server and module would have to
// be built in the same place.

#[server(input = PostJson, output = PostJson, endpoint = "tasks/list")]
pub async fn list_tasks(query: MarketQuery) -> Result<Snapshot<Page<TaskSummary>>, AppError> {
    Ok(backend()?.tasks(query).await?)
}

#[server(input = PostJson, output = PostJson, endpoint = "tasks/get")]
pub async fn get_task(id: TaskId) -> Result<TaskView, AppError> {
    Ok(backend()?.task(id).await?)
}

#[server(input = PostJson, output = PostJson, endpoint = "tasks/log")]
pub async fn get_log(id: TaskId, from_seq: u64) -> Result<LogPage, AppError> {
    Ok(backend()?.task_log(id, from_seq).await?)
}

//! What the pages need from the server that renders them. The server implements it once per request.
//!
//! Only server functions ask for it: a component body also runs when the routes are listed at start, where no
//! backend exists.

use std::sync::Arc;

use async_trait::async_trait;
use leptos::prelude::use_context;
use protocol::error::{ApiError, ErrorCode};
use protocol::id::TaskId;
use protocol::log::LogPage;
use protocol::page::Page;
use protocol::runner::RunnerView;
use protocol::task::{TaskSummary, TaskView};

pub use crate::api::{MarketQuery, Snapshot};

#[async_trait]
pub trait Backend: Send + Sync {
    async fn tasks(&self, query: MarketQuery) -> Result<Snapshot<Page<TaskSummary>>, ApiError>;

    async fn task(&self, id: TaskId) -> Result<TaskView, ApiError>;

    /// The log of the current attempt from that chunk on, as much as one page of it holds.
    async fn task_log(&self, id: TaskId, from_seq: u64) -> Result<LogPage, ApiError>;

    async fn runners(&self) -> Result<Snapshot<Vec<RunnerView>>, ApiError>;
}

pub type SharedBackend = Arc<dyn Backend>;

/// The backend of the request at hand.
pub fn backend() -> Result<SharedBackend, ApiError> {
    use_context().ok_or_else(|| ApiError::new(ErrorCode::Internal, "no backend in this context"))
}

//! The REST API, one operation per file. It answers under `/api/v1` and, for the documented request, under `/api`.

mod body;
mod cancel_task;
mod create_task;
mod get_result;
mod get_task;
mod list_runners;
mod list_tasks;
mod task_logs;

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use protocol::error::{ApiError, ErrorCode};
use protocol::id::TaskId;

use super::{AppState, HttpError};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route(
            "/tasks",
            post(create_task::create_task).get(list_tasks::list_tasks),
        )
        .route("/tasks/{id}", get(get_task::get_task))
        .route("/tasks/{id}/logs", get(task_logs::task_logs))
        .route("/tasks/{id}/result", get(get_result::get_result))
        .route("/tasks/{id}/cancel", post(cancel_task::cancel_task))
        .route("/runners", get(list_runners::list_runners))
        .route("/live", get(crate::sockets::live::open))
        .route("/agent", get(crate::sockets::agent::open))
        .fallback(unknown)
}

async fn unknown() -> HttpError {
    HttpError::new(ErrorCode::NotFound, "there is no such address in the API")
}

/// A malformed id is an unknown task.
pub(super) fn task_id(Path(text): &Path<String>) -> Result<TaskId, HttpError> {
    text.parse().map_err(|_| HttpError(ApiError::not_found("task")))
}

//! `GET /tasks/{id}`: everything about a task.

use axum::Json;
use axum::extract::{Path, State};
use protocol::task::TaskView;

use super::task_id;
use crate::http::HttpError;
use crate::services::Services;

pub(super) async fn get_task(
    State(services): State<Services>,
    path: Path<String>,
) -> Result<Json<TaskView>, HttpError> {
    Ok(Json(services.get_task(task_id(&path)?).await?))
}

//! `GET /tasks/{id}/result`: how a finished task ended.

use axum::Json;
use axum::extract::{Path, State};
use protocol::outcome::Outcome;

use super::task_id;
use crate::http::HttpError;
use crate::services::Services;

/// 409 while the task has no result.
pub(super) async fn get_result(
    State(services): State<Services>,
    path: Path<String>,
) -> Result<Json<Outcome>, HttpError> {
    Ok(Json(services.task_result(task_id(&path)?).await?))
}

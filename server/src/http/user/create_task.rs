//! `POST /tasks`: posts a task.

use axum::Json;
use axum::extract::State;
use http::header::LOCATION;
use http::{HeaderName, StatusCode};
use protocol::task::TaskView;

use super::body::JsonText;
use crate::http::HttpError;
use crate::services::Services;

/// 201 with the task and its address.
pub(super) async fn create_task(
    State(services): State<Services>,
    JsonText(body): JsonText,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<TaskView>), HttpError> {
    let task = services.post_task(&body).await?;
    let location = format!("/api/v1/tasks/{}", task.id);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(task)))
}

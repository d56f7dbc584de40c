//! `POST /tasks/{id}/cancel`: ends a task that is not over.

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use protocol::task::TaskView;

use super::task_id;
use crate::http::HttpError;
use crate::services::Services;

/// 202: a task in the queue is cancelled in the answer, a running one as soon as its runner has ended it.
pub(super) async fn cancel_task(
    State(services): State<Services>,
    path: Path<String>,
) -> Result<(StatusCode, Json<TaskView>), HttpError> {
    Ok((
        StatusCode::ACCEPTED,
        Json(services.cancel_task(task_id(&path)?).await?),
    ))
}

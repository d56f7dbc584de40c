//! `POST /tasks/{id}/cancel`: the cancel button of the task page.

use axum::extract::{Path, State};
use axum::response::Redirect;
use protocol::error::ErrorCode;

use crate::http::HttpError;
use crate::http::user::task_id;
use crate::services::{ServiceError, Services};

/// 303 back to the task. Cancelling what ended in the meantime is no error to somebody who pressed a button.
pub(super) async fn cancel_task(
    State(services): State<Services>,
    path: Path<String>,
) -> Result<Redirect, HttpError> {
    let id = task_id(&path)?;
    match services.cancel_task(id).await {
        Ok(_) => {}
        Err(ServiceError::Refused(error)) if error.code == ErrorCode::Conflict => {}
        Err(error) => return Err(error.into()),
    }
    Ok(Redirect::to(&format!("/tasks/{id}")))
}

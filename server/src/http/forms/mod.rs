//! Forms of the pages. They work without script: a POST, then a redirect, or the page again with what was wrong.

mod cancel_task;
mod new_task;

use axum::Router;
use axum::routing::post;

use super::AppState;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/tasks/new", post(new_task::new_task))
        .route("/tasks/{id}/cancel", post(cancel_task::cancel_task))
}

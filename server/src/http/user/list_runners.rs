//! `GET /runners`: who does the work.

use axum::Json;
use axum::extract::State;
use protocol::page::Page;
use protocol::runner::RunnerView;

use crate::http::HttpError;
use crate::services::Services;

pub(super) async fn list_runners(
    State(services): State<Services>,
) -> Result<Json<Page<RunnerView>>, HttpError> {
    let (items, _) = services.list_runners().await?;
    Ok(Json(Page {
        items,
        next_cursor: None,
    }))
}

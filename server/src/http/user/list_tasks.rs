//! `GET /tasks`: the market, newest first, page by page.

use axum::Json;
use axum::extract::{OriginalUri, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::LINK;
use protocol::error::ApiError;
use protocol::page::{DEFAULT_LIMIT, MAX_LIMIT};
use protocol::task::TaskStatus;

use crate::http::HttpError;
use crate::http::query::QueryReader;
use crate::services::Services;
use crate::store::ListTasks;

pub(super) async fn list_tasks(
    State(services): State<Services>,
    OriginalUri(uri): OriginalUri,
    RawQuery(query): RawQuery,
) -> Result<Response, HttpError> {
    let query = read_query(query.as_deref())?;
    let status = query.status;
    let limit = query.limit;
    let (page, _) = services.list_tasks(query).await?;
    let next = page
        .next_cursor
        .as_ref()
        .map(|cursor| next_link(uri.path(), status, limit, cursor));
    let mut response = Json(page).into_response();
    if let Some(link) = next.and_then(|link| link.parse().ok()) {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

fn read_query(query: Option<&str>) -> Result<ListTasks, ApiError> {
    let mut reader = QueryReader::new(query);
    let status = reader.parsed("status", |text| {
        text.parse::<TaskStatus>().map_err(|error| error.to_string())
    });
    let before = reader.parsed("cursor", |text| {
        text.parse()
            .map_err(|_| "must be the next_cursor of an earlier page".to_owned())
    });
    let limit = reader
        .number("limit", 1, u64::from(MAX_LIMIT))
        .unwrap_or(u64::from(DEFAULT_LIMIT));
    reader.finish()?;
    Ok(ListTasks {
        status,
        before,
        limit: u32::try_from(limit).unwrap_or(MAX_LIMIT),
    })
}

/// RFC 8288. The parameters are our own words and need no escaping.
fn next_link(path: &str, status: Option<TaskStatus>, limit: u32, cursor: &str) -> String {
    let status = status
        .map(|status| format!("status={}&", status.as_str()))
        .unwrap_or_default();
    format!("<{path}?{status}limit={limit}&cursor={cursor}>; rel=\"next\"")
}

//! The outermost layer: request id, one log line per request, and the body of every error.

use std::time::Instant;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, StatusCode};
use protocol::error::{ApiError, ErrorCode, Problem};

use super::HttpError;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

pub(super) async fn boundary(request: Request, next: Next) -> Response {
    let id = new_request_id();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let wants_problem = path.starts_with("/api/");
    let began = Instant::now();
    let mut response = next.run(request).await;
    if let Some(error) = error_of(&mut response, wants_problem) {
        write_problem(&mut response, error, &id);
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let duration_us = began.elapsed().as_micros();
    let status = response.status().as_u16();
    if response.status().is_server_error() {
        tracing::error!(http.method = %method, http.path = path, http.status = status, duration_us, request.id = id, "request failed");
    } else {
        tracing::debug!(http.method = %method, http.path = path, http.status = status, duration_us, request.id = id, "request");
    }
    response
}

/// An error of ours, or one that the framework answered in plain text.
fn error_of(response: &mut Response, wants_problem: bool) -> Option<ApiError> {
    if let Some(HttpError(error)) = response.extensions_mut().remove::<HttpError>() {
        return Some(error);
    }
    if !wants_problem {
        return None;
    }
    match response.status() {
        StatusCode::METHOD_NOT_ALLOWED => {
            let detail = "this address does not take that method; the header allow names those it takes";
            Some(ApiError::new(ErrorCode::MethodNotAllowed, detail))
        }
        StatusCode::REQUEST_TIMEOUT => Some(ApiError::new(ErrorCode::Timeout, "the request took too long")),
        StatusCode::UPGRADE_REQUIRED | StatusCode::BAD_REQUEST
            if response
                .headers()
                .get(CONTENT_TYPE)
                .is_none_or(|kind| kind != Problem::CONTENT_TYPE) =>
        {
            Some(ApiError::new(
                ErrorCode::Malformed,
                "this address speaks WebSocket; the upgrade is missing or wrong",
            ))
        }
        _ => None,
    }
}

fn write_problem(response: &mut Response, error: ApiError, request_id: &str) {
    let problem = Problem::new(error, Some(request_id.to_owned()));
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(Problem::CONTENT_TYPE));
    response.headers_mut().remove(http::header::CONTENT_LENGTH);
    *response.body_mut() = Body::from(body);
}

fn new_request_id() -> String {
    let mut bytes = [0_u8; 16];
    // Without randomness the id repeats, which harms nothing but a search in the log.
    let _zeros = getrandom::fill(&mut bytes);
    format!("{:032x}", u128::from_be_bytes(bytes))
}

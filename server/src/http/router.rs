//! The route table, and the layers around it.

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use protocol::error::ErrorCode;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::{CsrfLayer, ProtectionError};
use tower_http::timeout::TimeoutLayer;

use super::boundary::boundary;
use super::headers::security_headers;
use super::{AppState, HttpError, assets, forms, user};
use crate::pages;

/// Until the head of the answer; streams and sockets then take their time.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Forms are small; the API has its own bound.
const MAX_FORM_BYTES: usize = 256 * 1024;

/// Everything the public address answers.
pub fn router(state: AppState) -> Router {
    let routes = Router::new()
        .nest("/api/v1", user::routes())
        .nest("/api", user::routes())
        .merge(forms::routes());
    let answers = pages::routes(routes, &state)
        .fallback(asset_or_page)
        .with_state(state.clone())
        .layer(axum::Extension(state));
    // From the inside out: what a handler sees is bounded and checked, and whatever happens inside, the outermost
    // layer answers with headers, an id and one line in the log.
    answers
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .layer(CsrfLayer::new().with_rejection_response(cross_origin))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            ANSWER_WITHIN,
        ))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(security_headers))
        .layer(from_fn(boundary))
}

/// A file of the page, or the page that says there is nothing.
async fn asset_or_page(axum::Extension(state): axum::Extension<AppState>, request: Request) -> Response {
    if request.method() == http::Method::GET || request.method() == http::Method::HEAD {
        if let Some(file) = assets::serve(request.uri().path(), request.headers()) {
            return file;
        }
        return pages::render_not_found(&state, request).await;
    }
    HttpError::new(ErrorCode::NotFound, "there is nothing at this address").into_response()
}

fn cross_origin(_: ProtectionError) -> Response {
    HttpError::new(
        ErrorCode::Forbidden,
        "requests that change something must come from this site",
    )
    .into_response()
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands the panic over")]
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or(panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = text, "a handler panicked");
    HttpError::new(
        ErrorCode::Internal,
        "an internal error; the request id finds it in the log",
    )
    .into_response()
}

//! For machines around the server, on an address of its own: alive, ready, numbers.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;

use super::AppState;

pub fn router(state: AppState) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(state)
}

/// Not ready while stopping, so that nobody sends new work, and not without the database.
async fn ready(State(state): State<AppState>) -> (StatusCode, &'static str) {
    if state.draining.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else if state.services.is_ready().await {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
    }
}

/// Prometheus text format 0.0.4.
async fn metrics(State(state): State<AppState>) -> ([(http::HeaderName, &'static str); 1], String) {
    let runners = state.services.dispatcher().connected();
    let cursor = state.services.feed().head();
    let text = format!(
        "# HELP parity_runners_connected Runners with an open socket on this server.\n\
         # TYPE parity_runners_connected gauge\n\
         parity_runners_connected {runners}\n\
         # HELP parity_events_total Events committed to the database.\n\
         # TYPE parity_events_total counter\n\
         parity_events_total {cursor}\n"
    );
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

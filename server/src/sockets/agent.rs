//! `GET /agent`: the runner's socket. It comes from outside in; nothing ever connects to a runner.

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use protocol::agent::MAX_FRAME_BYTES;
use protocol::error::ErrorCode;

use super::agent_session;
use super::origin::check_origin;
use crate::http::{AppState, HttpError};

pub async fn open(
    State(state): State<AppState>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, HttpError> {
    check_origin(&headers)?;
    let credential = credential(&headers)?;
    let place = state.agent_sockets.clone().try_acquire_owned().map_err(|_| {
        HttpError::new(
            ErrorCode::Unavailable,
            "too many runners on this server; try again in a minute",
        )
    })?;
    let upgrade = upgrade
        .max_message_size(MAX_FRAME_BYTES)
        .max_frame_size(MAX_FRAME_BYTES);
    Ok(upgrade
        .on_upgrade(async move |socket| {
            let session = async move {
                agent_session::run(socket, state.services, credential, state.draining).await;
                drop(place);
            };
            state.sockets.track_future(session).await;
        })
        .into_response())
}

/// 32 random bytes in hex, made by the runner.
fn credential(headers: &HeaderMap) -> Result<String, HttpError> {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let credential = value
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default();
    if credential.len() == 64 && credential.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(credential.to_owned());
    }
    let detail = "send authorization: Bearer and the 64 hexadecimal digits of the runner's credential";
    Err(HttpError::new(ErrorCode::Unauthorized, detail))
}

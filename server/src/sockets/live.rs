//! `GET /live`: the browser's socket.

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use protocol::error::ErrorCode;
use protocol::live::MAX_CLIENT_FRAME_BYTES;

use super::live_session::LiveSession;
use super::origin::check_origin;
use crate::http::{AppState, HttpError};

/// Outgoing bytes a slow client may leave unread in our memory before writes wait for it.
const WRITE_BUFFER_BYTES: usize = 64 * 1024;
const MAX_WRITE_BUFFER_BYTES: usize = 4 * 1024 * 1024;

pub async fn open(
    State(state): State<AppState>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, HttpError> {
    check_origin(&headers)?;
    let place = state.live_sockets.clone().try_acquire_owned().map_err(|_| {
        HttpError::new(
            ErrorCode::Unavailable,
            "too many open sockets; try again in a minute",
        )
    })?;
    let upgrade = upgrade
        .max_message_size(MAX_CLIENT_FRAME_BYTES)
        .max_frame_size(MAX_CLIENT_FRAME_BYTES)
        .read_buffer_size(4 * 1024)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES);
    Ok(upgrade
        .on_upgrade(async move |socket| {
            let session = async move {
                LiveSession::new(state.services, state.draining).run(socket).await;
                drop(place);
            };
            state.sockets.track_future(session).await;
        })
        .into_response())
}

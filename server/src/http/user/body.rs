//! JSON bodies, up to a bound, as text: the operation itself parses, so that it can name every wrong field.

use axum::extract::{FromRequest, Request};
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use protocol::error::ErrorCode;
use protocol::task::parse::MAX_BODY_BYTES;

use crate::http::HttpError;

#[derive(Debug)]
pub(super) struct JsonText(pub(super) String);

impl<S: Send + Sync> FromRequest<S> for JsonText {
    type Rejection = HttpError;

    async fn from_request(request: Request, _: &S) -> Result<Self, Self::Rejection> {
        if !is_json(&request) {
            let detail = "send JSON, with the header content-type: application/json";
            return Err(HttpError::new(ErrorCode::UnsupportedMediaType, detail));
        }
        let collected = Limited::new(request.into_body(), MAX_BODY_BYTES).collect().await;
        let bytes = collected.map_err(|error| read_error(error.as_ref()))?.to_bytes();
        String::from_utf8(bytes.into())
            .map(Self)
            .map_err(|_| HttpError::new(ErrorCode::Malformed, "the body is not UTF-8"))
    }
}

fn is_json(request: &Request) -> bool {
    let kind = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    kind.split(';')
        .next()
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

fn read_error(error: &(dyn std::error::Error + 'static)) -> HttpError {
    if error.is::<LengthLimitError>() {
        HttpError::new(
            ErrorCode::TooLarge,
            format!("the body has more than {MAX_BODY_BYTES} bytes"),
        )
    } else {
        HttpError::new(ErrorCode::Malformed, "the body could not be read to its end")
    }
}

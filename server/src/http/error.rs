//! Every error answer: problem+json (RFC 9457).

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use protocol::error::{ApiError, ErrorCode};

use crate::services::ServiceError;

/// An error on its way out. The boundary writes its body, because only there the request id is known.
#[derive(Debug, Clone)]
pub struct HttpError(pub ApiError);

impl HttpError {
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self(ApiError::new(code, detail))
    }
}

impl From<ApiError> for HttpError {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl From<ServiceError> for HttpError {
    fn from(error: ServiceError) -> Self {
        Self(error.into_api())
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

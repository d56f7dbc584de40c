//! What a use case can answer instead of success.

use protocol::error::{ApiError, ErrorCode};

use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The caller's fault, told as it is.
    #[error("{0}")]
    Refused(#[source] ApiError),
    /// Ours; the cause is logged and never told.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl From<ApiError> for ServiceError {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

impl ServiceError {
    pub fn refused(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self::Refused(ApiError::new(code, detail))
    }

    /// The error as the caller may see it. An internal one is logged here, once.
    pub fn into_api(self) -> ApiError {
        match self {
            Self::Refused(error) => error,
            Self::Store(StoreError::Closed) => {
                ApiError::new(ErrorCode::Unavailable, "the server is stopping; try again")
            }
            Self::Store(error) => {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(error = %error, error.source = source, "a request failed in the store");
                ApiError::new(
                    ErrorCode::Internal,
                    "an internal error; the request id finds it in the log",
                )
            }
        }
    }
}

//! The one failure a page shows.

use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use protocol::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};

use crate::api::TextJson;

/// What a server function answers instead of data. Only [`ApiError`] converts into it: nothing else may reach a
/// browser by a careless `?`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum AppError {
    /// The server said no.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// There was no answer, or none that could be read.
    #[error("the server could not be reached; check the connection and try again")]
    Unreachable,
}

impl AppError {
    /// The same in the terms of the interface.
    pub fn into_api(self) -> ApiError {
        match self {
            Self::Api(error) => error,
            Self::Unreachable => ApiError::new(ErrorCode::Unavailable, self.to_string()),
        }
    }
}

impl FromServerFnError for AppError {
    type Encoder = TextJson;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(_)
            | ServerFnErrorErr::MissingArg(_)
            | ServerFnErrorErr::Deserialization(_) => Self::Api(ApiError::new(
                ErrorCode::Malformed,
                "the page and the server do not understand each other; load the page again",
            )),
            ServerFnErrorErr::ServerError(_)
            | ServerFnErrorErr::Registration(_)
            | ServerFnErrorErr::MiddlewareError(_)
            | ServerFnErrorErr::Serialization(_)
            | ServerFnErrorErr::Response(_)
            | ServerFnErrorErr::UnsupportedRequestMethod(_) => {
                Self::Api(ApiError::new(ErrorCode::Internal, "the server failed to answer"))
            }
            ServerFnErrorErr::Request(_) => Self::Unreachable,
        }
    }
}

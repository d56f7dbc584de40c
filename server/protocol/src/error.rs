//! What went wrong, as every client sees it: `application/problem+json` (RFC 9457) and the same over sockets.

use serde::{Deserialize, Serialize};

/// The kinds of failure. The code is stable and meant for programs; texts may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request could not be read at all: broken JSON, broken query, broken upgrade.
    Malformed,
    /// Readable, but fields are wrong; `errors` names each.
    InvalidInput,
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    /// The state does not allow it, for example cancelling a finished task.
    Conflict,
    /// The lease that the call speaks for is over; the runner stops the attempt.
    LeaseLost,
    TooLarge,
    UnsupportedMediaType,
    TooManyRequests,
    /// A fault of ours; the request id finds it in the log.
    Internal,
    /// Starting, draining or overloaded: try again.
    Unavailable,
    Timeout,
}

impl ErrorCode {
    /// The HTTP status (RFC 9110).
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Timeout => 408,
            Self::Conflict | Self::LeaseLost => 409,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::InvalidInput => 422,
            Self::TooManyRequests => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    pub const fn title(self) -> &'static str {
        match self {
            Self::Malformed => "The request could not be read",
            Self::InvalidInput => "Some fields are not valid",
            Self::Unauthorized => "Sign in first",
            Self::Forbidden => "Not allowed",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::Conflict => "Not possible in this state",
            Self::LeaseLost => "The lease is over",
            Self::TooLarge => "The request is too large",
            Self::UnsupportedMediaType => "Unsupported media type",
            Self::TooManyRequests => "Too many requests",
            Self::Internal => "Something went wrong on our side",
            Self::Unavailable => "The server is not available",
            Self::Timeout => "The request took too long",
        }
    }
}

/// One wrong field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the request, `/config/limits/memory`; empty for the whole.
    pub pointer: String,
    /// What is wrong and what would be right, lower-case without a full stop.
    pub detail: String,
}

/// A failure with all that the caller may know about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct ApiError {
    pub code: ErrorCode,
    pub detail: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

impl ApiError {
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    pub fn invalid_input(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [one] => format!("{}: {}", one.pointer, one.detail),
            many => format!("{} fields are not valid", many.len()),
        };
        Self {
            code: ErrorCode::InvalidInput,
            detail,
            errors,
        }
    }

    pub fn not_found(what: &str) -> Self {
        Self::new(ErrorCode::NotFound, format!("there is no such {what}"))
    }
}

/// The body of every error answer, RFC 9457.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `about:blank` semantics: the code is the machine-readable part.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    pub detail: String,
    pub code: ErrorCode,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Problem {
    pub const CONTENT_TYPE: &'static str = "application/problem+json";

    pub fn new(error: ApiError, request_id: Option<String>) -> Self {
        Self {
            kind: "about:blank".to_owned(),
            title: error.code.title().to_owned(),
            status: error.code.status(),
            detail: error.detail,
            code: error.code,
            errors: error.errors,
            request_id,
        }
    }

    pub fn into_error(self) -> ApiError {
        ApiError {
            code: self.code,
            detail: self.detail,
            errors: self.errors,
        }
    }
}

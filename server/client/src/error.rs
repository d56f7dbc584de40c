//! Everything that can go wrong between a caller and a server.

use protocol::error::{ErrorCode, Problem};
use tokio_tungstenite::tungstenite;

#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("{0:?} is not the address of a server: expected http://host:port or https://host")]
    BadAddress(String),
    #[error("cannot set up secure connections")]
    Setup(#[source] reqwest::Error),
    #[error("cannot reach {server}")]
    Unreachable {
        server: String,
        #[source]
        source: reqwest::Error,
    },
    #[error("{server} did not answer in time")]
    TimedOut { server: String },
    #[error("the answer broke off")]
    BrokenOff(#[source] reqwest::Error),
    /// The server said no, and why.
    #[error("{}", .0.detail)]
    Refused(Box<Problem>),
    #[error("the server answered {status} without a reason; is it a Parity server?")]
    Unexplained { status: u16 },
    #[error("the answer is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the answer is not what this version expects")]
    Unreadable(#[source] serde_json::Error),
    #[error("the live connection broke")]
    Socket(#[source] Box<tungstenite::Error>),
}

impl ClientError {
    /// The server's own word for the failure, when it gave one.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused(problem) => Some(problem.code),
            _ => None,
        }
    }

    /// Whether the way to the server failed, so that the same call may work a moment later.
    pub fn is_network(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::BrokenOff(_) | Self::Socket(_) => true,
            Self::Unexplained { status } => (502..=504).contains(status),
            Self::Refused(problem) => problem.code == ErrorCode::Unavailable,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::error::ApiError;

    use super::*;

    #[test]
    fn only_trouble_on_the_way_is_worth_another_try() {
        let refused = |code| ClientError::Refused(Box::new(Problem::new(ApiError::new(code, "no"), None)));
        assert!(refused(ErrorCode::Unavailable).is_network());
        assert!(!refused(ErrorCode::Conflict).is_network());
        assert!(ClientError::Unexplained { status: 502 }.is_network());
        assert!(!ClientError::Unexplained { status: 404 }.is_network());
        assert_eq!(refused(ErrorCode::NotFound).code(), Some(ErrorCode::NotFound));
    }
}

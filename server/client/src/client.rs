//! The connection to one server: where it is, how long to wait, how much to read.

use std::sync::Once;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use protocol::error::Problem;
use reqwest::header::CONTENT_TYPE;
use reqwest::{RequestBuilder, Response, Url, redirect};
use serde::de::DeserializeOwned;

use crate::ClientError;

/// A server that cannot be reached in this time is as good as none to a person who waits.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// For a whole answer. Followed logs have no such bound.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// A peer that vanished without a word is noticed by the kernel, also while a followed log is silent for hours.
const KEEPALIVE: Duration = Duration::from_secs(20);
/// The largest JSON answer is a page of log text, a few megabytes of it escaped.
const MAX_JSON_BYTES: usize = 32 * 1024 * 1024;
/// A problem document is a screenful; more is not from a server of ours.
const MAX_PROBLEM_BYTES: usize = 256 * 1024;

/// A typed client of one server. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
}

impl Client {
    /// A client of the server at `address`, `http://host:port` or `https://host`, with or without a path before `/api`.
    pub fn new(address: &str) -> Result<Self, ClientError> {
        install_crypto();
        let base = read_address(address)?;
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_keepalive(KEEPALIVE)
            // The API never redirects; whoever does is not it.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("parity/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(ClientError::Setup)?;
        Ok(Self { http, base })
    }

    /// The server as a person would type it.
    pub fn server(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The address of an operation below `/api/v1/`.
    pub(crate) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}/api/v1/{path}"));
        url
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.get_url(self.url(path))
    }

    pub(crate) fn get_url(&self, url: Url) -> RequestBuilder {
        self.http.get(url)
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(self.url(path))
    }

    /// Sends and reads a JSON answer.
    pub(crate) async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        let answer = self.send(request.timeout(ANSWER_TIMEOUT)).await?;
        let body = self.read(answer, MAX_JSON_BYTES).await?;
        serde_json::from_slice(&body).map_err(ClientError::Unreadable)
    }

    /// Sends and returns the answer once it is known to be a good one; its body is still to be read.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let answer = request.send().await.map_err(|error| self.unreachable(error))?;
        if answer.status().is_success() {
            Ok(answer)
        } else {
            Err(self.refusal(answer).await)
        }
    }

    /// The body of a bad answer, if it is a problem document.
    async fn refusal(&self, answer: Response) -> ClientError {
        let status = answer.status().as_u16();
        let is_problem = answer
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(Problem::CONTENT_TYPE.as_bytes()));
        if !is_problem {
            return ClientError::Unexplained { status };
        }
        match self.read(answer, MAX_PROBLEM_BYTES).await {
            Ok(body) => match serde_json::from_slice(&body) {
                Ok(problem) => ClientError::Refused(Box::new(problem)),
                Err(_) => ClientError::Unexplained { status },
            },
            Err(error) => error,
        }
    }

    async fn read(&self, mut answer: Response, limit: usize) -> Result<Bytes, ClientError> {
        let mut body = BytesMut::new();
        while let Some(part) = answer.chunk().await.map_err(|error| self.broken(error))? {
            if body.len() + part.len() > limit {
                return Err(ClientError::TooLarge { limit });
            }
            body.extend_from_slice(&part);
        }
        Ok(body.freeze())
    }

    fn unreachable(&self, source: reqwest::Error) -> ClientError {
        let server = self.server().to_owned();
        if source.is_timeout() {
            ClientError::TimedOut { server }
        } else {
            ClientError::Unreachable {
                server,
                source: source.without_url(),
            }
        }
    }

    fn broken(&self, error: reqwest::Error) -> ClientError {
        if error.is_timeout() {
            ClientError::TimedOut {
                server: self.server().to_owned(),
            }
        } else {
            ClientError::BrokenOff(error.without_url())
        }
    }
}

/// TLS by `ring`, once per process. Whoever installed another provider before keeps it.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
    });
}

fn read_address(address: &str) -> Result<Url, ClientError> {
    let bad = || ClientError::BadAddress(address.to_owned());
    let url: Url = address.parse().map_err(|_| bad())?;
    let is_plain = url.query().is_none() && url.fragment().is_none();
    if ["http", "https"].contains(&url.scheme()) && url.has_host() && is_plain {
        Ok(url)
    } else {
        Err(bad())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_stands_below_the_servers_own_path() {
        for (address, expected) in [
            ("http://localhost:8080", "http://localhost:8080/api/v1/tasks"),
            ("http://localhost:8080/", "http://localhost:8080/api/v1/tasks"),
            (
                "https://example.org/parity",
                "https://example.org/parity/api/v1/tasks",
            ),
            (
                "https://example.org/parity/",
                "https://example.org/parity/api/v1/tasks",
            ),
        ] {
            assert_eq!(Client::new(address).unwrap().url("tasks").as_str(), expected);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_by_name() {
        for bad in [
            "",
            "localhost:8080",
            "ftp://x",
            "http://",
            "http://x/?a=b",
            "unix:///x",
        ] {
            let error = Client::new(bad).unwrap_err();
            assert!(
                matches!(&error, ClientError::BadAddress(text) if text == bad),
                "{bad}: {error}"
            );
        }
    }
}

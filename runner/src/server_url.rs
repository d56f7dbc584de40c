//! The address of the server, and that of its socket for runners.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use tokio_tungstenite::tungstenite::http::Uri;

/// `http://host[:port][/prefix]` or the same with `https`, without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a URL such as http://localhost:8080 or https://example.com, not {0:?}")]
pub struct ParseServerUrlError(String);

impl ServerUrl {
    /// `ws://host:port/api/v1/agent`, or `wss` for `https`.
    pub fn agent_socket(&self) -> String {
        // The scheme was checked: what follows the four letters is `://..` or `s://..`.
        let rest = self.0.strip_prefix("http").unwrap_or(&self.0);
        format!("ws{rest}/api/v1/agent")
    }
}

impl Default for ServerUrl {
    fn default() -> Self {
        Self("http://localhost:8080".to_owned())
    }
}

impl FromStr for ServerUrl {
    type Err = ParseServerUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || ParseServerUrlError(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| fail())?;
        let scheme = uri.scheme_str().ok_or_else(fail)?;
        let authority = uri.authority().ok_or_else(fail)?;
        let is_plain = uri.query().is_none() && !authority.as_str().contains('@');
        if !["http", "https"].contains(&scheme) || !is_plain || uri.host().is_none_or(str::is_empty) {
            return Err(fail());
        }
        let path = uri.path().trim_end_matches('/');
        Ok(Self(format!("{scheme}://{authority}{path}")))
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ServerUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_follows_the_scheme_and_the_prefix() {
        for (url, socket) in [
            ("http://localhost:8080", "ws://localhost:8080/api/v1/agent"),
            ("https://example.com/", "wss://example.com/api/v1/agent"),
            (
                "https://example.com/parity/",
                "wss://example.com/parity/api/v1/agent",
            ),
        ] {
            assert_eq!(url.parse::<ServerUrl>().unwrap().agent_socket(), socket);
        }
        for bad in [
            "",
            "localhost:8080",
            "ws://localhost",
            "http://",
            "http://u:p@host",
            "http://host?x",
        ] {
            assert!(bad.parse::<ServerUrl>().is_err(), "{bad}");
        }
    }
}

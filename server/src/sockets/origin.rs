//! Which pages may open a socket. Browsers send no preflight for WebSockets, but they do say where they come from.

use http::HeaderMap;
use http::header::{HOST, ORIGIN};
use protocol::error::ErrorCode;

use crate::http::HttpError;

/// Lets in whoever sends no `Origin`, which is no browser, and pages of this very host.
pub(super) fn check_origin(headers: &HeaderMap) -> Result<(), HttpError> {
    let Some(origin) = headers.get(ORIGIN) else {
        return Ok(());
    };
    let authority = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"))
        .map(|(_, rest)| rest);
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    if authority.is_some() && authority == host {
        return Ok(());
    }
    Err(HttpError::new(
        ErrorCode::Forbidden,
        "sockets open only for pages of this site",
    ))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_this_host_and_programs_are_let_in() {
        let with = |origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("parity.example:8080"));
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            check_origin(&headers).is_ok()
        };
        assert!(with(None));
        assert!(with(Some("http://parity.example:8080")));
        for foreign in [
            "https://evil.example",
            "null",
            "http://parity.example",
            "http://parity.example:8080.evil",
        ] {
            assert!(!with(Some(foreign)), "{foreign}");
        }
    }
}

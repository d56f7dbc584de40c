//! The files of the page, carried inside the binary: hashed names, compressed beforehand, cached for ever.

use app::PageAssets;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use rust_embed::{EmbeddedFile, RustEmbed};
use serde::Deserialize;

/// What `cargo xtask build` left in `target/site`. Empty in a build without it, so that the code can be checked.
#[derive(RustEmbed)]
#[folder = "../target/site"]
#[allow_missing = true]
struct Site;

#[derive(Deserialize)]
struct Manifest {
    js: String,
    wasm: String,
    css: String,
}

/// Where the page finds its files; `None` when this binary was built without them.
pub fn page_assets() -> Option<PageAssets> {
    let manifest = Site::get("manifest.json")?;
    let Manifest { js, wasm, css } = serde_json::from_slice(&manifest.data).ok()?;
    Some(PageAssets { js, wasm, css })
}

/// The file at that path, in the best encoding the client takes.
pub(super) fn serve(path: &str, headers: &HeaderMap) -> Option<Response> {
    let name = path.strip_prefix('/')?;
    if name.is_empty() || name == "manifest.json" || is_encoded(name) {
        return None;
    }
    let plain = Site::get(name)?;
    let etag = etag(&plain);
    if headers
        .get(IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == etag.as_bytes())
    {
        return Some((StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response());
    }
    let (file, encoding) = encoded(name, headers).unwrap_or((plain, None));
    let mut response = Response::new(Body::from(match file.data {
        std::borrow::Cow::Borrowed(bytes) => bytes::Bytes::from_static(bytes),
        std::borrow::Cow::Owned(bytes) => bytes::Bytes::from(bytes),
    }));
    let answer = response.headers_mut();
    answer.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
    answer.insert(VARY, HeaderValue::from_static("accept-encoding"));
    // A hashed name never changes its content; the few others are asked for again each time.
    let caching = if name.starts_with("pkg/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    answer.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    answer.insert(ETAG, etag);
    if let Some(encoding) = encoding {
        answer.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Some(response)
}

/// The compressed twins are reached by negotiation only.
fn is_encoded(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, ending)| ["br", "gz"].contains(&ending))
}

fn encoded(name: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, Option<&'static str>)> {
    let accepted = headers
        .get(ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    for (coding, ending) in [("br", "br"), ("gzip", "gz")] {
        if accepts(accepted, coding)
            && let Some(file) = Site::get(&format!("{name}.{ending}"))
        {
            return Some((file, Some(coding)));
        }
    }
    None
}

/// Whether `Accept-Encoding` names the coding with a weight above zero (RFC 9110 §12.5.3).
fn accepts(header: &str, coding: &str) -> bool {
    header.split(',').any(|item| {
        let (name, parameters) = item.trim().split_once(';').unwrap_or((item.trim(), ""));
        let weight = parameters.trim().strip_prefix("q=").unwrap_or("1");
        name.trim().eq_ignore_ascii_case(coding) && weight.bytes().any(|b| (b'1'..=b'9').contains(&b))
    })
}

fn etag(file: &EmbeddedFile) -> HeaderValue {
    let digest = file.metadata.sha256_hash();
    let half = digest.first_chunk::<16>().copied().unwrap_or_default();
    HeaderValue::from_str(&format!("\"{:032x}\"", u128::from_be_bytes(half)))
        .unwrap_or(HeaderValue::from_static("\"\""))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_of_zero_refuses_a_coding() {
        assert!(accepts("gzip, deflate, br", "br"));
        assert!(accepts("br;q=0.5, gzip", "br"));
        assert!(!accepts("br;q=0, gzip", "br"));
        assert!(!accepts("br;q=0.0", "br"));
        assert!(!accepts("", "gzip"));
    }
}

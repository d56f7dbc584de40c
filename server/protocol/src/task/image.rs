//! Image references: what a task may name, and which registry it leads to.
//!
//! A reference makes the container engine of a stranger open connections, so it is read strictly: a host that is an
//! IP literal, a single label or loopback is refused here, before anybody asks a resolver.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

const MAX_LEN: usize = 255;
const DEFAULT_REGISTRY: &str = "docker.io";

/// A checked reference, `[registry/]name[:tag][@sha256:digest]`, kept as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ImageRef(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseImageError {
    #[error("must name an image such as alpine:latest or ghcr.io/owner/name@sha256:...")]
    Empty,
    #[error("is longer than {MAX_LEN} characters")]
    TooLong,
    #[error("the name may hold lower-case letters, digits and single . _ - between them, parted by /")]
    BadName,
    #[error("the tag may hold up to 128 letters, digits, and . _ - after the first")]
    BadTag,
    #[error("the digest must be sha256: and 64 hexadecimal digits")]
    BadDigest,
    #[error("the registry must be a public host name, not an address, localhost or a single word")]
    BadRegistry,
}

impl ImageRef {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host it is pulled from; `docker.io` when the reference names none.
    pub fn registry(&self) -> &str {
        split_registry(&self.0).0.unwrap_or(DEFAULT_REGISTRY)
    }

    /// The reference without tag and digest, `ghcr.io/owner/name`.
    pub fn repository(&self) -> &str {
        let name = self.0.split_once('@').map_or(self.0.as_str(), |(name, _)| name);
        match name.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => repository,
            _ => name,
        }
    }

    /// What follows the name, `latest` when nothing does. For a pinned reference the digest.
    pub fn tag_or_digest(&self) -> &str {
        if let Some((_, digest)) = self.0.split_once('@') {
            return digest;
        }
        self.0.get(self.repository().len() + 1..).unwrap_or("latest")
    }
}

/// The first part is a registry when it looks like a host, as Docker decides it.
fn split_registry(text: &str) -> (Option<&str>, &str) {
    match text.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':', '[']) || host == "localhost" => (Some(host), rest),
        _ => (None, text),
    }
}

impl FromStr for ImageRef {
    type Err = ParseImageError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(ParseImageError::Empty);
        }
        if text.len() > MAX_LEN {
            return Err(ParseImageError::TooLong);
        }
        let (registry, rest) = split_registry(text);
        if let Some(registry) = registry {
            check_registry(registry)?;
        }
        let (rest, digest) = rest
            .split_once('@')
            .map_or((rest, None), |(rest, digest)| (rest, Some(digest)));
        let (name, tag) = rest
            .rsplit_once(':')
            .map_or((rest, None), |(name, tag)| (name, Some(tag)));
        if !name.split('/').all(is_path_part) {
            return Err(ParseImageError::BadName);
        }
        if !tag.is_none_or(is_tag) {
            return Err(ParseImageError::BadTag);
        }
        if !digest.is_none_or(is_digest) {
            return Err(ParseImageError::BadDigest);
        }
        Ok(Self(text.to_owned()))
    }
}

fn check_registry(host: &str) -> Result<(), ParseImageError> {
    let (name, port) = host
        .split_once(':')
        .map_or((host, None), |(name, port)| (name, Some(port)));
    let labels: Vec<&str> = name.split('.').collect();
    let is_label = |label: &&str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let top = labels.last().copied().unwrap_or_default();
    // A numeric top label is an IPv4 address in one of its many spellings; `localhost` may hide behind any prefix.
    let is_public = labels.len() >= 2
        && labels.iter().all(is_label)
        && top.bytes().any(|b| b.is_ascii_alphabetic())
        && !top.to_ascii_lowercase().starts_with("0x")
        && !["localhost", "local", "internal", "localdomain"].contains(&top.to_ascii_lowercase().as_str());
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0));
    if is_public && is_port {
        Ok(())
    } else {
        Err(ParseImageError::BadRegistry)
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`, the grammar of the distribution project.
fn is_path_part(part: &str) -> bool {
    let alnum = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators_fit = part
        .split(alnum)
        .filter(|run| !run.is_empty())
        .all(|run| run == "." || run == "_" || run == "__" || run.chars().all(|c| c == '-'));
    part.starts_with(alnum) && part.ends_with(alnum) && separators_fit
}

fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    !tag.is_empty()
        && tag.len() <= 128
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

fn is_digest(digest: &str) -> bool {
    digest.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64
            && hex
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ImageRef {
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
    fn common_references_are_read() {
        let digest = format!("alpine@sha256:{}", "a".repeat(64));
        for (text, registry, repository, tag) in [
            ("alpine", "docker.io", "alpine", "latest"),
            ("alpine:latest", "docker.io", "alpine", "latest"),
            ("library/alpine:3.20", "docker.io", "library/alpine", "3.20"),
            (
                "ghcr.io/owner/my-name_x:v1",
                "ghcr.io",
                "ghcr.io/owner/my-name_x",
                "v1",
            ),
            (
                "registry.example.com:5000/a/b",
                "registry.example.com:5000",
                "registry.example.com:5000/a/b",
                "latest",
            ),
            (digest.as_str(), "docker.io", "alpine", &digest[7..]),
        ] {
            let image: ImageRef = text.parse().unwrap();
            assert_eq!(
                (image.registry(), image.repository(), image.tag_or_digest()),
                (registry, repository, tag)
            );
        }
    }

    #[test]
    fn hosts_that_lead_inside_are_refused() {
        for bad in [
            "127.0.0.1:5000/x",
            "127.1/x",
            "10.0.0.1/x",
            "[::1]:5000/x",
            "localhost/x",
            "localhost:5000/x",
            "registry:5000/x",
            "169.254.169.254/latest/meta-data",
            "0x7f.0x1/x",
            "a.localhost/x",
            "metadata.google.internal/x",
            "host.example.com:0/x",
            "host.example.com:99999/x",
        ] {
            assert_eq!(
                bad.parse::<ImageRef>(),
                Err(ParseImageError::BadRegistry),
                "{bad}"
            );
        }
    }

    #[test]
    fn malformed_references_are_refused() {
        for (bad, error) in [
            ("", ParseImageError::Empty),
            ("Alpine", ParseImageError::BadName),
            ("a//b", ParseImageError::BadName),
            ("a/../passwd", ParseImageError::BadName),
            ("alpine:", ParseImageError::BadTag),
            ("alpine:la test", ParseImageError::BadTag),
            ("alpine@sha256:12", ParseImageError::BadDigest),
            (" alpine", ParseImageError::BadName),
            ("-alpine", ParseImageError::BadName),
        ] {
            assert_eq!(bad.parse::<ImageRef>(), Err(error), "{bad}");
        }
    }
}

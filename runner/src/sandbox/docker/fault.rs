//! What bollard reports, in the sandbox's own words.

use bollard::errors::Error;

use crate::sandbox::SandboxError;

/// An error of the engine, with what was being done.
pub(super) fn engine(doing: &'static str) -> impl FnOnce(Error) -> SandboxError {
    move |source| SandboxError::Engine {
        doing,
        source: Box::new(source),
    }
}

pub(super) const fn status(error: &Error) -> Option<u16> {
    match error {
        Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

pub(super) const fn is_not_found(error: &Error) -> bool {
    matches!(status(error), Some(404))
}

/// What the engine itself said.
pub(super) fn message(error: &Error) -> &str {
    match error {
        Error::DockerResponseServerError { message, .. } => message,
        Error::DockerStreamError { error } => error,
        _ => "",
    }
}

/// Whether a failed pull is about the image, and not about the way to it. Registries answer the same to "unknown"
/// and to "private", and engines wrap both in sentences that have stayed the same for years.
pub(super) fn is_unknown_image(error: &Error) -> bool {
    let message = message(error).to_ascii_lowercase();
    [
        "manifest unknown",
        "manifest for",
        "not found",
        "pull access denied",
        "repository does not exist",
        "no matching manifest",
        "unauthorized",
        "denied",
    ]
    .iter()
    .any(|phrase| message.contains(phrase))
        && !message.contains("no such host")
}

/// Why the command could not be started, when that is what a failed start is about (runc's words).
pub(super) fn not_runnable(error: &Error, command: &[String]) -> Option<String> {
    let message = message(error);
    let name = command.first().map_or("the image's command", String::as_str);
    if message.contains("executable file not found") || message.contains("no such file or directory") {
        Some(format!("{name}: no such command in the image"))
    } else if message.contains("permission denied") || message.contains("is a directory") {
        Some(format!("{name}: not an executable file"))
    } else if message.contains("exec format error") {
        Some(format!("{name}: not a program for this processor"))
    } else if message.contains("no command specified") {
        Some("neither the task nor the image names a command".to_owned())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(message: &str) -> Error {
        Error::DockerResponseServerError {
            status_code: 500,
            message: message.to_owned(),
        }
    }

    #[test]
    fn a_missing_image_is_told_from_a_missing_network() {
        for message in [
            "manifest for alpine:nope not found: manifest unknown: manifest unknown",
            "pull access denied for nobody/nothing, repository does not exist or may require 'docker login'",
            "no matching manifest for linux/arm64 in the manifest list entries",
        ] {
            assert!(is_unknown_image(&answer(message)), "{message}");
        }
        for message in [
            "Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io: no such host",
            "Get \"https://registry-1.docker.io/v2/\": context deadline exceeded",
            "toomanyrequests: You have reached your pull rate limit",
        ] {
            assert!(!is_unknown_image(&answer(message)), "{message}");
        }
    }

    #[test]
    fn a_command_that_cannot_run_is_named() {
        let command = ["nope".to_owned()];
        let message = "OCI runtime create failed: runc create failed: unable to start container process: exec: \
                       \"nope\": executable file not found in $PATH: unknown";
        assert_eq!(
            not_runnable(&answer(message), &command).as_deref(),
            Some("nope: no such command in the image")
        );
        assert_eq!(not_runnable(&answer("no space left on device"), &command), None);
    }
}

use leptos::prelude::*;

/// Where this server is, as the reader reached it: `https://parity.example`. For commands to copy.
pub(crate) fn use_origin() -> String {
    // The browser takes over what the server said, even where a proxy made it see another scheme.
    SharedValue::new(origin).into_inner()
}

#[cfg(feature = "ssr")]
fn origin() -> String {
    let parts = use_context::<http::request::Parts>();
    let header = |name: &str| {
        let value = parts.as_ref()?.headers.get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let host = header("host")
        .filter(|host| is_host(host))
        .unwrap_or_else(|| "localhost:8080".to_owned());
    let scheme = match header("x-forwarded-proto").as_deref() {
        Some("https") => "https",
        _ => "http",
    };
    format!("{scheme}://{host}")
}

/// A name and a port, nothing that means something to a shell: the command is there to be pasted into one.
#[cfg(feature = "ssr")]
fn is_host(host: &str) -> bool {
    let is_host_byte = |b: u8| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b);
    !host.is_empty() && host.len() <= 255 && host.bytes().all(is_host_byte)
}

#[cfg(not(feature = "ssr"))]
fn origin() -> String {
    window().location().origin().unwrap_or_default()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn a_host_header_cannot_smuggle_shell_words_into_a_command() {
        assert!(is_host("parity.example:8080"));
        assert!(is_host("[::1]:8080"));
        for bad in ["", "a b", "a;reboot", "$(reboot)", "a'b", "a/b", "a\"b"] {
            assert!(!is_host(bad), "{bad}");
        }
    }
}

//! One WebSocket and its callbacks, let go of together.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{MessageEvent, WebSocket};

/// What happens on a socket.
pub(super) enum SocketEvent {
    Opened,
    Text(String),
    Closed,
}

pub(super) struct Socket {
    inner: WebSocket,
    /// Held for as long as the browser may call them.
    _callbacks: Callbacks,
}

type Callbacks = (
    Closure<dyn FnMut()>,
    Closure<dyn FnMut(MessageEvent)>,
    Closure<dyn FnMut()>,
);

impl Socket {
    /// Begins to connect; nothing when the browser refuses outright, for example for a URL that policy forbids.
    pub(super) fn connect(url: &str, report: impl Fn(SocketEvent) + Clone + 'static) -> Option<Self> {
        let inner = WebSocket::new(url).ok()?;
        let on_open: Closure<dyn FnMut()> = {
            let report = report.clone();
            Closure::new(move || report(SocketEvent::Opened))
        };
        let on_message = {
            let report = report.clone();
            Closure::new(move |event: MessageEvent| {
                if let Some(text) = event.data().as_string() {
                    report(SocketEvent::Text(text));
                }
            })
        };
        let on_close: Closure<dyn FnMut()> = Closure::new(move || report(SocketEvent::Closed));
        inner.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        inner.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        inner.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Some(Self {
            inner,
            _callbacks: (on_open, on_message, on_close),
        })
    }

    /// What cannot be sent is asked for again after the close that follows.
    pub(super) fn send(&self, text: &str) {
        let _result = self.inner.send_with_str(text);
    }
}

/// The callbacks go before the closures they call.
impl Drop for Socket {
    fn drop(&mut self) {
        self.inner.set_onopen(None);
        self.inner.set_onmessage(None);
        self.inner.set_onclose(None);
        let _result = self.inner.close();
    }
}

//! The browser's time, for words such as "5 min ago".
//!
//! Server and browser must render the same text first, and only one of them knows the reader's now. So time stands
//! still at "unknown" until the page is hydrated, and fixed UTC texts are shown until then.

use leptos::prelude::*;
use protocol::time::UnixMs;

/// The present, as far as pages need it: to the second, unknown before hydration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClockContext {
    now: RwSignal<Option<UnixMs>>,
}

pub(crate) fn provide_clock() {
    let now = RwSignal::new(None);
    provide_context(ClockContext { now });
    #[cfg(feature = "hydrate")]
    Effect::new(move || {
        now.set(Some(browser_now()));
        // The handle is not kept: the clock runs as long as the tab.
        set_interval(
            move || now.set(Some(browser_now())),
            std::time::Duration::from_secs(1),
        );
    });
}

pub(crate) fn use_clock() -> ClockContext {
    expect_context()
}

impl ClockContext {
    pub(crate) fn now(self) -> Option<UnixMs> {
        self.now.get()
    }
}

#[cfg(feature = "hydrate")]
fn browser_now() -> UnixMs {
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        reason = "JavaScript has no other number, and milliseconds since 1970 are whole in it for 285,000 years"
    )]
    UnixMs(js_sys::Date::now() as i64)
}

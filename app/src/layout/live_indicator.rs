use leptos::prelude::*;

use crate::live::{LinkState, LiveContext};

/// Whether the page follows what happens, or shows what was.
#[component]
pub(super) fn LiveIndicator() -> impl IntoView {
    let link = expect_context::<LiveContext>().link();
    let words = move || match link.get() {
        LinkState::Live => "Live",
        LinkState::Connecting => "Connecting",
        LinkState::Offline => "Offline",
    };
    let explanation = move || match link.get() {
        LinkState::Live => "Changes appear by themselves",
        LinkState::Connecting => "Waiting for the server; what is shown may be older",
        LinkState::Offline => "No connection; what is shown may be older",
    };
    view! {
        <span
            class="live needs-script"
            role="status"
            data-testid="live"
            data-state=move || link.get().as_str()
            title=explanation
        >
            {words}
        </span>
    }
}

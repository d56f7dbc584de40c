use leptos::prelude::*;

use crate::live::{LinkState, LiveContext};
use crate::parts::{Erase, text};

/// Whether the page follows what happens, or shows what was.
#[component]
pub(super) fn LiveIndicator() -> impl IntoView {
    let link = expect_context::<LiveContext>().link();
    let read = move |of: fn(LinkState) -> &'static str| text(move || of(link.get()).to_owned());
    view! {
        <span
            class="live needs-script"
            role="status"
            data-testid="live"
            data-state=read(LinkState::as_str)
            title=read(explanation)
        >
            {read(words)}
        </span>
    }
    .erase()
}

const fn words(link: LinkState) -> &'static str {
    match link {
        LinkState::Live => "Live",
        LinkState::Connecting => "Connecting",
        LinkState::Offline => "Offline",
    }
}

const fn explanation(link: LinkState) -> &'static str {
    match link {
        LinkState::Live => "Changes appear by themselves",
        LinkState::Connecting => "Waiting for the server; what is shown may be older",
        LinkState::Offline => "No connection; what is shown may be older",
    }
}

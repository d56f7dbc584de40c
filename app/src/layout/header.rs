use leptos::prelude::*;
use leptos_router::components::A;

use super::live_indicator::LiveIndicator;
use crate::parts::Erase;

#[component]
pub(crate) fn SiteHeader() -> impl IntoView {
    view! {
        <a class="skip-link" href="#main" rel="external">"To the content"</a>
        <header class="site-header">
            <a class="brand" href="/">
                <span class="brand-mark" aria-hidden="true"></span>
                "Parity"
            </a>
            <nav aria-label="Main">
                <A href="/" exact=true>"Market"</A>
                <A href="/runners">"Runners"</A>
            </nav>
            <LiveIndicator/>
            <a class="button primary" href="/tasks/new">"New task"</a>
        </header>
    }
    .erase()
}

use leptos::prelude::*;

use crate::parts::Erase;

#[component]
pub(crate) fn SiteFooter() -> impl IntoView {
    view! {
        <footer class="site-footer">
            <span>"Parity, a marketplace for container work"</span>
            <span class="muted">"Times are UTC unless they say how long ago"</span>
        </footer>
    }
    .erase()
}

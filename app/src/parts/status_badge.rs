use leptos::prelude::*;
use protocol::task::TaskStatus;

use super::{Erase, text};

/// The status as a word on a coloured ground. The word carries it; the colour only helps.
#[component]
pub(crate) fn StatusBadge(
    /// As on the wire.
    status: Signal<String>,
    /// The mark that tests look for.
    #[prop(optional)]
    testid: Option<&'static str>,
) -> impl IntoView {
    let words = text(move || status.get().replace('_', " "));
    view! { <span class="badge" data-status=status data-testid=testid>{words}</span> }.erase()
}

pub(crate) fn status_words(status: TaskStatus) -> String {
    status.as_str().replace('_', " ")
}

use leptos::prelude::*;
use protocol::task::TaskStatus;

/// The status as a word on a coloured ground. The word carries it; the colour only helps.
#[component]
pub(crate) fn StatusBadge(
    #[prop(into)] status: Signal<TaskStatus>,
    /// The mark that tests look for.
    #[prop(optional)]
    testid: Option<&'static str>,
) -> impl IntoView {
    view! {
        <span class="badge" data-status=move || status.get().as_str() data-testid=testid>
            {move || status_words(status.get())}
        </span>
    }
}

pub(crate) const fn status_words(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::AwaitingFunding => "awaiting funding",
        other => other.as_str(),
    }
}

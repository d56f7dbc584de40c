use leptos::prelude::*;

use super::{Erase, text};

/// A command line to take along.
#[component]
pub(crate) fn CopyCommand(#[prop(into)] command: String) -> impl IntoView {
    let copied = RwSignal::new(false);
    let kept = StoredValue::new(command.clone());
    let words = text(move || if copied.get() { "Copied" } else { "Copy" }.to_owned());
    let copy = move |_| {
        copy_to_clipboard(&kept.get_value());
        copied.set(true);
        set_timeout(
            move || {
                copied.try_set(false);
            },
            std::time::Duration::from_secs(2),
        );
    };
    view! {
        <div class="command">
            <pre><code>{command}</code></pre>
            <button type="button" class="button small needs-script" on:click=copy>
                {words}
            </button>
        </div>
    }
    .erase()
}

#[cfg(feature = "hydrate")]
fn copy_to_clipboard(text: &str) {
    // Refused without a secure origin; the command is still there to be selected.
    let _promise = window().navigator().clipboard().write_text(text);
}

#[cfg(not(feature = "hydrate"))]
fn copy_to_clipboard(_text: &str) {}

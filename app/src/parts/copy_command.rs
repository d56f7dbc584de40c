use leptos::prelude::*;

/// A command line to take along.
#[component]
pub(crate) fn CopyCommand(#[prop(into)] command: String) -> impl IntoView {
    let copied = RwSignal::new(false);
    let text = StoredValue::new(command.clone());
    let copy = move |_| {
        copy_to_clipboard(&text.get_value());
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
                {move || if copied.get() { "Copied" } else { "Copy" }}
            </button>
        </div>
    }
    .into_any()
}

#[cfg(feature = "hydrate")]
fn copy_to_clipboard(text: &str) {
    // Refused without a secure origin; the command is still there to be selected.
    let _promise = window().navigator().clipboard().write_text(text);
}

#[cfg(not(feature = "hydrate"))]
fn copy_to_clipboard(_text: &str) {}

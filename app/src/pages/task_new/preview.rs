use leptos::prelude::*;

use super::form::split_command;

/// The words that will be run, while they are typed.
#[component]
pub(super) fn CommandPreview(line: RwSignal<String>) -> impl IntoView {
    let words = Memo::new(move |_| line.with(|line| split_command(line).ok()));
    let content = move || match words.get() {
        None => view! { <span class="muted">"A quote is still open."</span> }.into_any(),
        Some(words) if words.is_empty() => {
            view! { <span class="muted">"Nothing given: the image's own command runs."</span> }.into_any()
        }
        Some(words) => {
            let words: Vec<_> = words
                .into_iter()
                .map(|word| view! { <code class="word">{word}</code> })
                .collect();
            view! { <span class="muted">"Runs "</span> {words} }.into_any()
        }
    };
    view! { <div class="preview">{content}</div> }
}

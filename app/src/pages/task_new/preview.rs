use leptos::prelude::*;

use super::form::split_command;
use crate::parts::{Erase, Part, part};

/// The words that will be run, while they are typed.
#[component]
pub(super) fn CommandPreview(line: RwSignal<String>) -> impl IntoView {
    let words = part(move || line.with(|line| split_command(line).map_or_else(|_| open_quote(), words_view)));
    view! { <div class="preview">{words}</div> }
}

fn open_quote() -> Part {
    view! { <span class="muted">"A quote is still open."</span> }.erase()
}

fn words_view(words: Vec<String>) -> Part {
    if words.is_empty() {
        return view! { <span class="muted">"Nothing given: the image's own command runs."</span> }.erase();
    }
    let words: Vec<_> = words
        .into_iter()
        .map(|word| view! { <code class="word">{word}</code> })
        .collect();
    view! { <span class="muted">"Runs "</span> {words} }.erase()
}

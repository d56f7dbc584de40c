use leptos::prelude::*;
use protocol::task::{AttemptView, TaskView};

use super::words::outcome_in_words;
use crate::parts::{Erase, Moment, Part, nothing, part};

/// Every lease, when there was more than one: a single attempt is told by the rest of the page.
#[component]
pub(super) fn Attempts(task: RwSignal<TaskView>) -> impl IntoView {
    part(move || {
        task.with(|task| {
            if task.attempts.len() > 1 {
                attempts_view(task)
            } else {
                nothing()
            }
        })
    })
}

fn attempts_view(task: &TaskView) -> Part {
    let count = format!("{} of at most {}", task.attempts.len(), task.spec.max_attempts);
    view! {
        <section class="panel" aria-labelledby="attempts-heading">
            <div class="panel-head">
                <h2 id="attempts-heading">"Attempts"</h2>
                <span class="muted">{count}</span>
            </div>
            <ol class="attempts">{task.attempts.iter().map(attempt_view).collect::<Vec<_>>()}</ol>
        </section>
    }
    .erase()
}

fn attempt_view(attempt: &AttemptView) -> impl IntoView + use<> {
    let ended = attempt
        .outcome
        .as_ref()
        .map_or_else(|| "In progress".to_owned(), outcome_in_words);
    let detail = attempt
        .outcome
        .as_ref()
        .and_then(|outcome| outcome.detail.clone());
    view! {
        <li>
            <span class="attempt-number">{format!("{}.", attempt.epoch)}</span>
            <span>
                {ended} " on " <strong>{attempt.runner_name.clone()}</strong>
                {detail.map(|detail| view! { <span class="step-detail">{detail}</span> })}
                <span class="muted step-when">
                    <Moment at=attempt.leased_at/>
                </span>
            </span>
        </li>
    }
}

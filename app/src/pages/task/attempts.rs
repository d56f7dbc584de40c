use leptos::prelude::*;
use protocol::task::{AttemptView, TaskView};

use super::words::outcome_in_words;
use crate::parts::Moment;

/// Every lease, when there was more than one: a single attempt is told by the rest of the page.
#[component]
pub(super) fn Attempts(task: RwSignal<TaskView>) -> impl IntoView {
    let attempts = Memo::new(move |_| task.with(|task| task.attempts.clone()));
    let most = task.with_untracked(|task| task.spec.max_attempts);
    move || {
        let attempts = attempts.get();
        (attempts.len() > 1).then(|| {
            let count = format!("{} of at most {most}", attempts.len());
            view! {
                <section class="panel" aria-labelledby="attempts-heading">
                    <div class="panel-head">
                        <h2 id="attempts-heading">"Attempts"</h2>
                        <span class="muted">{count}</span>
                    </div>
                    <ol class="attempts">{attempts.into_iter().map(attempt_view).collect::<Vec<_>>()}</ol>
                </section>
            }
        })
    }
}

fn attempt_view(attempt: AttemptView) -> impl IntoView {
    let ended = attempt
        .outcome
        .as_ref()
        .map_or_else(|| "In progress".to_owned(), outcome_in_words);
    let detail = attempt.outcome.and_then(|outcome| outcome.detail);
    view! {
        <li>
            <span class="attempt-number">{format!("{}.", attempt.epoch)}</span>
            <span>
                {ended} " on " <strong>{attempt.runner_name}</strong>
                {detail.map(|detail| view! { <span class="step-detail">{detail}</span> })}
                <span class="muted step-when">
                    <Moment at=attempt.leased_at/>
                </span>
            </span>
        </li>
    }
}

use std::sync::Arc;

use leptos::prelude::*;
use protocol::task::{TaskStep, TaskView, TimelineEntry};
use protocol::time::span_in_words;

use super::words::step_in_words;
use crate::parts::{Erase, RowKey, Rows, TimeOfDay, nothing, text};

/// What happened, oldest first, with the time each step took to come.
#[component]
pub(super) fn Timeline(task: RwSignal<TaskView>) -> impl IntoView {
    let keys = Signal::derive(move || {
        task.with(|task| {
            task.timeline
                .iter()
                .map(|entry| RowKey::Cursor(entry.cursor))
                .collect()
        })
    });
    let row = Arc::new(move |key| match key {
        RowKey::Cursor(cursor) => view! { <Step task cursor/> }.erase(),
        _ => nothing(),
    });
    view! {
        <section class="panel" aria-labelledby="timeline-heading">
            <div class="panel-head">
                <h2 id="timeline-heading">"Timeline"</h2>
            </div>
            <ol class="timeline">
                <Rows keys row/>
            </ol>
        </section>
    }
    .erase()
}

/// A step never changes; what comes before it may arrive late.
#[component]
fn Step(task: RwSignal<TaskView>, cursor: i64) -> impl IntoView {
    let entry = task.with_untracked(|task| entry_at(task, cursor).cloned())?;
    let TimelineEntry { at, step, detail, .. } = entry;
    // A detail that only repeats the step says nothing.
    let detail = detail.filter(|detail| detail != step.as_str());
    let after = text(move || task.with(|task| span_before(task, cursor).unwrap_or_default()));
    let step = view! {
        <li data-step=step.as_str() data-tone=tone(step)>
            <span class="step">{step_in_words(step)}</span>
            <span class="muted tabular">{after}</span>
            {detail.map(|detail| view! { <span class="step-detail">{detail}</span> })}
            <span class="muted step-when">
                <TimeOfDay at/>
            </span>
        </li>
    };
    Some(step.erase())
}

fn entry_at(task: &TaskView, cursor: i64) -> Option<&TimelineEntry> {
    task.timeline.iter().find(|entry| entry.cursor == cursor)
}

/// `+ 1.2 s` since the step before; nothing for the first.
fn span_before(task: &TaskView, cursor: i64) -> Option<String> {
    let index = task.timeline.iter().position(|entry| entry.cursor == cursor)?;
    let before = task.timeline.get(index.checked_sub(1)?)?;
    let span = task.timeline.get(index)?.at.since(before.at);
    Some(format!("+ {}", span_in_words(span)))
}

const fn tone(step: TaskStep) -> &'static str {
    match step {
        TaskStep::Succeeded => "good",
        TaskStep::Failed | TaskStep::Expired => "bad",
        TaskStep::Requeued | TaskStep::CancelRequested | TaskStep::Cancelled => "warn",
        _ => "plain",
    }
}

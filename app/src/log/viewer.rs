use std::sync::Arc;

use leptos::ev::Event;
use leptos::html::Div;
use leptos::prelude::*;
use leptos::web_sys::Element;
use protocol::id::TaskId;
use protocol::log::LogPage;

use super::FollowMode;
use super::block::LogBlock;
use super::follower::LogFollower;
use crate::parts::{Erase, Part, RowKey, Rows, nothing, part, text};

/// The log of a task: from its first line, growing while the task runs.
#[component]
pub fn LogViewer(
    task: TaskId,
    page: LogPage,
    /// The task is over; nothing is followed beyond the end of this attempt.
    is_final: bool,
) -> impl IntoView {
    let log = LogFollower::new(task, page, is_final);
    let mode = RwSignal::new(FollowMode::new(!is_final));
    let wraps = RwSignal::new(false);
    let container = NodeRef::<Div>::new();
    run_along(log, mode, container);
    let keys = Signal::derive(move || log.block_indices().into_iter().map(RowKey::Block).collect());
    let row = Arc::new(move |key| match key {
        RowKey::Block(index) => view! { <LogBlock log index/> }.erase(),
        _ => nothing(),
    });
    view! {
        <section class="panel log-panel" aria-labelledby="log-heading">
            <LogToolbar task log mode wraps/>
            <LogNotes log/>
            <div
                class="log"
                class:wraps=wraps
                data-testid="log"
                role="log"
                aria-live="off"
                aria-labelledby="log-heading"
                tabindex="0"
                node_ref=container
                on:scroll=move |event| mode.update(|mode| *mode = after_scroll(*mode, &event))
            >
                <Rows keys row/>
            </div>
        </section>
    }
    .erase()
}

#[component]
fn LogToolbar(
    task: TaskId,
    log: LogFollower,
    mode: RwSignal<FollowMode>,
    wraps: RwSignal<bool>,
) -> impl IntoView {
    let count = text(move || match log.line_count.get() {
        1 => "1 line".to_owned(),
        count => format!("{count} lines"),
    });
    view! {
        <div class="panel-head">
            <h2 id="log-heading">"Log"</h2>
            <span class="muted tabular">{count}</span>
            <div class="toolbar needs-script">
                <button
                    type="button"
                    class="button small"
                    aria-pressed=text(move || wraps.get().to_string())
                    on:click=move |_| wraps.update(|wraps| *wraps = !*wraps)
                >
                    "Wrap"
                </button>
                <button
                    type="button"
                    class="button small"
                    aria-pressed=text(move || mode.get().is_on.to_string())
                    on:click=move |_| mode.update(|mode| *mode = mode.toggled())
                >
                    "Follow"
                </button>
            </div>
            <a class="button small" href=format!("/api/v1/tasks/{task}/logs") rel="external">"Raw"</a>
        </div>
    }
    .erase()
}

#[component]
fn LogNotes(log: LogFollower) -> impl IntoView {
    let restarted = part(move || {
        let words = |epoch| format!("Attempt {epoch} began; this is its log from the start.");
        note(log.restarted_as.get().map(words))
    });
    let full = part(move || {
        let words = || "The log goes on beyond what a page can hold. The raw log is complete.".to_owned();
        note(log.is_full.get().then(words))
    });
    let empty = part(move || {
        let words = if log.is_complete.get() {
            "The command wrote nothing."
        } else {
            "Nothing written yet."
        };
        match log.line_count.get() {
            0 => view! { <p class="log-empty muted">{words}</p> }.erase(),
            _ => nothing(),
        }
    });
    view! { {restarted} {full} {empty} }.erase()
}

fn note(words: Option<String>) -> Part {
    words.map_or_else(nothing, |words| view! { <p class="note">{words}</p> }.erase())
}

/// Keeps the end in view while the mode says so.
fn run_along(log: LogFollower, mode: RwSignal<FollowMode>, container: NodeRef<Div>) {
    Effect::new(move || {
        log.line_count.track();
        if !mode.with(|mode| mode.is_on) {
            return;
        }
        // In the next frame the new lines have their height.
        request_animation_frame(move || {
            if let Some(Some(element)) = container.try_get_untracked() {
                element.set_scroll_top(element.scroll_height());
            }
        });
    });
}

fn after_scroll(mode: FollowMode, event: &Event) -> FollowMode {
    let element = event_target::<Element>(event);
    mode.scrolled(
        element.scroll_top(),
        element.client_height(),
        element.scroll_height(),
    )
}

use leptos::prelude::*;
use protocol::task::{PaymentStatus, TaskView};

use super::words::status_explained;
use crate::parts::{Moment, RunningSpan, StatusBadge};

/// Title, status, reward and who has it.
#[component]
pub(super) fn TaskHead(task: RwSignal<TaskView>) -> impl IntoView {
    let id = task.with_untracked(|task| task.id);
    let title = task.with_untracked(|task| task.spec.title.clone());
    let status = Memo::new(move |_| task.with(|task| task.status));
    let explained = move || status_explained(status.get());
    view! {
        <div class="task-head">
            <div class="task-title">
                <h1>{title}</h1>
                <div class="task-state">
                    <StatusBadge status testid="task-status"/>
                    <RunningTime task/>
                    <span class="muted">{explained}</span>
                </div>
            </div>
            <CancelForm task/>
        </div>
        <dl class="facts">
            <div>
                <dt>"Reward"</dt>
                <dd>{task.with_untracked(|task| task.spec.reward.to_string())} <Payment task/></dd>
            </div>
            <div>
                <dt>"Image"</dt>
                <dd>
                    <code>{task.with_untracked(|task| task.spec.image.to_string())}</code>
                </dd>
            </div>
            <div>
                <dt>"Runner"</dt>
                <dd>{move || runner_name(&task.read())}</dd>
            </div>
            <div>
                <dt>"Posted"</dt>
                <dd>
                    <Moment at=task.with_untracked(|task| task.posted_at)/>
                </dd>
            </div>
            <div>
                <dt>"Task"</dt>
                <dd>
                    <code class="id">{id.to_string()}</code>
                </dd>
            </div>
        </dl>
    }
    .into_any()
}

fn runner_name(task: &TaskView) -> String {
    task.attempts
        .last()
        .map_or_else(|| "none yet".to_owned(), |attempt| attempt.runner_name.clone())
}

/// While the command runs, for how long.
#[component]
fn RunningTime(task: RwSignal<TaskView>) -> impl IntoView {
    let since = Memo::new(move |_| {
        task.with(|task| {
            task.started_at
                .filter(|_| task.status == protocol::task::TaskStatus::Running)
        })
    });
    move || since.get().map(|since| view! { <RunningSpan since/> })
}

#[component]
fn Payment(task: RwSignal<TaskView>) -> impl IntoView {
    let words = move || match task.with(|task| task.payment) {
        PaymentStatus::Unpriced => "not in escrow",
        PaymentStatus::Unfunded => "not funded yet",
        PaymentStatus::Funded => "in escrow",
        PaymentStatus::Settling => "being paid",
        PaymentStatus::Paid => "paid",
        PaymentStatus::Refunding => "being refunded",
        PaymentStatus::Refunded => "refunded",
    };
    view! { <span class="muted">{words}</span> }
}

/// A plain form: the server answers it with this page again.
#[component]
fn CancelForm(task: RwSignal<TaskView>) -> impl IntoView {
    let id = task.with_untracked(|task| task.id);
    let can_cancel = Memo::new(move |_| task.with(|task| !task.status.is_terminal()));
    let is_asked = Memo::new(move |_| task.with(|task| task.cancel_requested_at.is_some()));
    move || {
        can_cancel.get().then(|| {
            let words = move || {
                if is_asked.get() {
                    "Cancelling ..."
                } else {
                    "Cancel task"
                }
            };
            view! {
                <form method="post" action=format!("/tasks/{id}/cancel")>
                    <button class="button danger" disabled=is_asked>{words}</button>
                </form>
            }
        })
    }
}

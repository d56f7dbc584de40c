use leptos::prelude::*;
use protocol::task::{PaymentStatus, TaskStatus, TaskView};

use super::words::status_explained;
use crate::parts::{Erase, Moment, StatusBadge, nothing, part, running_span, text};

/// Title, status, reward and who has it.
#[component]
pub(super) fn TaskHead(task: RwSignal<TaskView>) -> impl IntoView {
    let read = move |part: fn(&TaskView) -> String| text(move || task.with(part));
    view! {
        <div class="task-head">
            <div class="task-title">
                <h1>{task.with_untracked(|task| task.spec.title.clone())}</h1>
                <div class="task-state">
                    // Only this is announced when it changes, not the time that runs beside it.
                    <span role="status">
                        <StatusBadge
                            status=read(|task| task.status.as_str().to_owned())
                            testid="task-status"
                        />
                    </span>
                    <span class="tabular">{read(running_time)}</span>
                    <span class="muted">
                        {read(|task| status_explained(task.status).unwrap_or_default().to_owned())}
                    </span>
                </div>
            </div>
            <CancelForm task/>
        </div>
        <Facts task/>
    }
    .erase()
}

#[component]
fn Facts(task: RwSignal<TaskView>) -> impl IntoView {
    let read = move |part: fn(&TaskView) -> String| text(move || task.with(part));
    let posted_at = task.with_untracked(|task| task.posted_at);
    view! {
        <dl class="facts">
            <div>
                <dt>"Reward"</dt>
                <dd>
                    {read(|task| task.spec.reward.to_string())} " "
                    <span class="muted">{read(|task| payment_in_words(task.payment).to_owned())}</span>
                </dd>
            </div>
            <div>
                <dt>"Image"</dt>
                <dd>
                    <code>{read(|task| task.spec.image.to_string())}</code>
                </dd>
            </div>
            <div>
                <dt>"Runner"</dt>
                <dd>{read(runner_name)}</dd>
            </div>
            <div>
                <dt>"Posted"</dt>
                <dd>
                    <Moment at=posted_at/>
                </dd>
            </div>
            <div>
                <dt>"Task"</dt>
                <dd>
                    <code class="id">{read(|task| task.id.to_string())}</code>
                </dd>
            </div>
        </dl>
    }
    .erase()
}

fn runner_name(task: &TaskView) -> String {
    task.attempts
        .last()
        .map_or_else(|| "none yet".to_owned(), |attempt| attempt.runner_name.clone())
}

/// While the command runs, for how long.
fn running_time(task: &TaskView) -> String {
    let since = task.started_at.filter(|_| task.status == TaskStatus::Running);
    since.and_then(running_span).unwrap_or_default()
}

const fn payment_in_words(payment: PaymentStatus) -> &'static str {
    match payment {
        PaymentStatus::Unpriced => "not in escrow",
        PaymentStatus::Unfunded => "not funded yet",
        PaymentStatus::Funded => "in escrow",
        PaymentStatus::Settling => "being paid",
        PaymentStatus::Paid => "paid",
        PaymentStatus::Refunding => "being refunded",
        PaymentStatus::Refunded => "refunded",
    }
}

/// A plain form: the server answers it with this page again.
#[component]
fn CancelForm(task: RwSignal<TaskView>) -> impl IntoView {
    let action = format!("/tasks/{}/cancel", task.with_untracked(|task| task.id));
    // Memos, so that only these two put another button in place: who has it in focus keeps it.
    let is_over = Memo::new(move |_| task.with(|task| task.status.is_terminal()));
    let is_asked = Memo::new(move |_| task.with(|task| task.cancel_requested_at.is_some()));
    part(move || {
        if is_over.get() {
            return nothing();
        }
        let is_asked = is_asked.get();
        let words = if is_asked { "Cancelling ..." } else { "Cancel task" };
        view! {
            <form method="post" action=action.clone()>
                <button class="button danger" disabled=is_asked>{words}</button>
            </form>
        }
        .erase()
    })
}

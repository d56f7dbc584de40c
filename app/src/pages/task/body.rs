use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use protocol::live::Topic;
use protocol::log::LogPage;
use protocol::task::TaskView;

use super::attempts::Attempts;
use super::head::TaskHead;
use super::outcome::OutcomeCard;
use super::progress::{Knowledge, apply, replace};
use super::spec::SpecCard;
use super::timeline::Timeline;
use crate::AppError;
use crate::api::get_task;
use crate::live::{LiveContext, TopicNews};
use crate::log::LogViewer;
use crate::parts::{CopyCommand, Erase, status_words, text, use_origin};

/// A task that exists, followed from the cursor it was read at.
#[component]
pub(super) fn TaskBody(task: TaskView, log: Result<LogPage, AppError>) -> impl IntoView {
    let id = task.id;
    let is_final = task.status.is_terminal();
    let spec = task.spec.clone();
    let spec_title = spec.title.clone();
    let command = format!("curl {}/api/v1/tasks/{id}/logs", use_origin());
    let task = follow(task);
    let title = text(move || format!("{} · {spec_title}", status_words(task.with(|task| task.status))));
    let log = match log {
        Ok(page) => view! { <LogViewer task=id page is_final/> }.erase(),
        Err(error) => view! { <p class="note" role="alert">{format!("The log: {error}")}</p> }.erase(),
    };
    view! {
        <Title text=title/>
        {(!is_final).then(reload_without_script)}
        <TaskHead task/>
        <OutcomeCard task/>
        <div class="task-columns">
            <div class="task-main">
                {log}
                <CopyCommand command/>
                <SpecCard spec/>
            </div>
            <div class="task-side">
                <Timeline task/>
                <Attempts task/>
            </div>
        </div>
    }
    .erase()
}

/// The task as a signal that events move on.
fn follow(task: TaskView) -> RwSignal<TaskView> {
    let (id, cursor) = (task.id, task.cursor);
    let task = RwSignal::new(task);
    let read_again = move || {
        spawn_local(async move {
            // A failed read changes nothing: the next event or the next visit brings it.
            if let Ok(fresh) = get_task(id).await {
                task.try_update(|task| replace(task, fresh));
            }
        });
    };
    expect_context::<LiveContext>().follow(Topic::Task { id }, cursor, move |news| match news {
        TopicNews::Event(event) => {
            if task.try_update(|task| apply(task, &event)) == Some(Knowledge::Partial) {
                read_again();
            }
        }
        TopicNews::Stale => read_again(),
    });
    task
}

/// As inner HTML, because a `meta` element that the module builds would reload the page of those who need it least.
fn reload_without_script() -> impl IntoView {
    view! { <noscript inner_html="<meta http-equiv=\"refresh\" content=\"5\">"></noscript> }
}

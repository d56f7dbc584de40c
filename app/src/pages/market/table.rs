use std::sync::Arc;

use leptos::prelude::*;
use protocol::id::TaskId;
use protocol::live::{EventBody, Topic};
use protocol::page::Page;
use protocol::task::TaskSummary;

use super::filter::market_url;
use super::list::TaskList;
use crate::api::{MarketQuery, Snapshot};
use crate::live::{LiveContext, TopicNews};
use crate::parts::{Erase, Moment, RowKey, Rows, StatusBadge, nothing, part, text};

/// The tasks of one page of the market, followed from the cursor they were read at.
#[component]
pub(super) fn TaskTable(
    query: MarketQuery,
    snapshot: Snapshot<Page<TaskSummary>>,
    refresh: impl Fn() + 'static,
) -> impl IntoView {
    let next = snapshot
        .data
        .next_cursor
        .as_ref()
        .map(|cursor| market_url(query.status, Some(cursor)));
    let is_filtered = query != MarketQuery::default();
    let list = RwSignal::new(TaskList::new(query, snapshot.data));
    expect_context::<LiveContext>().follow(Topic::Tasks, snapshot.cursor, move |news| match news {
        TopicNews::Event(event) => {
            if let EventBody::Task { task, .. } = &event.body {
                list.try_update(|list| list.apply(task.clone()));
            }
        }
        TopicNews::Stale => refresh(),
    });
    let is_empty = Memo::new(move |_| list.with(TaskList::is_empty));
    let table = part(move || {
        if is_empty.get() {
            view! { <EmptyMarket is_filtered/> }.erase()
        } else {
            view! { <FilledTable list/> }.erase()
        }
    });
    let older = next.map(|href| {
        view! {
            <nav class="pager" aria-label="Pages">
                <a class="button" href=href>"Older tasks"</a>
            </nav>
        }
    });
    view! { {table} {older} }.erase()
}

#[component]
fn FilledTable(list: RwSignal<TaskList>) -> impl IntoView {
    let keys = Signal::derive(move || list.with(TaskList::ids).into_iter().map(RowKey::Task).collect());
    let row = Arc::new(move |key| match key {
        RowKey::Task(id) => view! { <TaskRow id list/> }.erase(),
        _ => nothing(),
    });
    view! {
        <table class="rows tasks">
            <caption class="visually-hidden">"Tasks, newest first"</caption>
            <thead>
                <tr>
                    <th scope="col">"Task"</th>
                    <th scope="col">"Status"</th>
                    <th scope="col">"Image"</th>
                    <th scope="col" class="number">"Reward"</th>
                    <th scope="col">"Posted"</th>
                </tr>
            </thead>
            <tbody>
                <Rows keys row/>
            </tbody>
        </table>
    }
    .erase()
}

#[component]
fn TaskRow(id: TaskId, list: RwSignal<TaskList>) -> impl IntoView {
    // A row that has just gone keeps its last state until its nodes are gone as well.
    let task = Memo::new(move |last: Option<&Option<TaskSummary>>| {
        list.with(|list| list.get(id).cloned())
            .or_else(|| last.cloned().flatten())
    });
    let read = move |part: fn(&TaskSummary) -> String| {
        text(move || task.with(|task| task.as_ref().map(part).unwrap_or_default()))
    };
    let posted_at = task.get_untracked()?.posted_at;
    let row = view! {
        <tr data-testid="task-row" data-task-id=id.to_string()>
            <th scope="row" class="title">
                <a href=format!("/tasks/{id}")>{read(|task| task.title.clone())}</a>
            </th>
            <td class="status">
                <StatusBadge status=read(|task| task.status.as_str().to_owned())/>
            </td>
            <td class="image">
                <code>{read(|task| task.image.to_string())}</code>
            </td>
            <td class="number reward">{read(|task| task.reward.to_string())}</td>
            <td class="when">
                <Moment at=posted_at/>
            </td>
        </tr>
    };
    Some(row.erase())
}

#[component]
fn EmptyMarket(is_filtered: bool) -> impl IntoView {
    if is_filtered {
        view! {
            <div class="empty">
                <h2>"No task here"</h2>
                <p>"None has this status right now. One that gets it appears by itself."</p>
                <p>
                    <a class="button" href="/">"Show all tasks"</a>
                </p>
            </div>
        }
        .erase()
    } else {
        view! {
            <div class="empty">
                <h2>"No task yet"</h2>
                <p>"Describe what to run and in which image; a runner picks it up within moments."</p>
                <p>
                    <a class="button primary" href="/tasks/new">"Post the first task"</a>
                </p>
            </div>
        }
        .erase()
    }
}

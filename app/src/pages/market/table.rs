use leptos::prelude::*;
use protocol::id::TaskId;
use protocol::live::{EventBody, Topic};
use protocol::page::Page;
use protocol::task::TaskSummary;

use super::filter::market_url;
use super::list::TaskList;
use crate::api::{MarketQuery, Snapshot};
use crate::live::{LiveContext, TopicNews};
use crate::parts::{Moment, StatusBadge};

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
    view! {
        <Show when=move || !is_empty.get() fallback=move || view! { <EmptyMarket is_filtered/> }>
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
                    <For each=move || list.with(TaskList::ids) key=|id| *id let:id>
                        <TaskRow id list/>
                    </For>
                </tbody>
            </table>
        </Show>
        {next.map(|href| view! {
            <nav class="pager" aria-label="Pages">
                <a class="button" href=href>"Older tasks"</a>
            </nav>
        })}
    }
    .into_any()
}

#[component]
fn TaskRow(id: TaskId, list: RwSignal<TaskList>) -> impl IntoView {
    // A row that has just gone keeps its last state until its nodes are gone as well.
    let task = Memo::new(move |last: Option<&Option<TaskSummary>>| {
        list.with(|list| list.get(id).cloned())
            .or_else(|| last.cloned().flatten())
    });
    let read = move |part: fn(&TaskSummary) -> String| {
        move || task.with(|task| task.as_ref().map(part).unwrap_or_default())
    };
    let first = task.get_untracked()?;
    let status =
        Signal::derive(move || task.with(|task| task.as_ref().map_or(first.status, |task| task.status)));
    Some(view! {
        <tr data-testid="task-row" data-task-id=id.to_string()>
            <th scope="row" class="title">
                <a href=format!("/tasks/{id}")>{read(|task| task.title.clone())}</a>
            </th>
            <td class="status">
                <StatusBadge status/>
            </td>
            <td class="image">
                <code>{read(|task| task.image.to_string())}</code>
            </td>
            <td class="number reward">{read(|task| task.reward.to_string())}</td>
            <td class="when">
                <Moment at=first.posted_at/>
            </td>
        </tr>
    })
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
        .into_any()
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
        .into_any()
    }
}

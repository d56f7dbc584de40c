use std::sync::Arc;

use leptos::prelude::*;
use leptos_meta::Title;
use protocol::id::RunnerId;
use protocol::live::{EventBody, Topic};
use protocol::quantity::{ByteSize, Cpus};
use protocol::runner::{Capabilities, RunnerView};

use super::fleet::Fleet;
use crate::api::{Snapshot, list_runners};
use crate::live::{LiveContext, TopicNews};
use crate::parts::{
    CopyCommand, Erase, Failure, Moment, Part, RowKey, Rows, StatusBadge, WhenRead, nothing, part, text,
    use_origin,
};

/// `/runners`
#[component]
pub fn RunnersPage() -> impl IntoView {
    let runners = Resource::new_blocking(|| (), |()| list_runners());
    let origin = StoredValue::new(use_origin());
    let table = Arc::new(move || {
        Suspend::new(async move {
            match runners.await {
                Ok(snapshot) => {
                    let origin = origin.get_value();
                    view! { <RunnerTable snapshot origin refresh=move || runners.refetch()/> }.erase()
                }
                Err(error) => view! { <Failure error/> }.erase(),
            }
        })
    });
    view! {
        <Title text="Runners"/>
        <WhenRead view=table/>
    }
    .erase()
}

#[component]
fn RunnerTable(
    snapshot: Snapshot<Vec<RunnerView>>,
    origin: String,
    refresh: impl Fn() + 'static,
) -> impl IntoView {
    let fleet = RwSignal::new(Fleet::new(snapshot.data));
    expect_context::<LiveContext>().follow(Topic::Runners, snapshot.cursor, move |news| match news {
        TopicNews::Event(event) => {
            if let EventBody::Runner { runner } = &event.body {
                fleet.try_update(|fleet| fleet.apply(runner.clone()));
            }
        }
        TopicNews::Stale => refresh(),
    });
    let is_empty = Memo::new(move |_| fleet.with(Fleet::is_empty));
    let table = part(move || {
        if is_empty.get() {
            view! { <NoRunner/> }.erase()
        } else {
            view! { <FilledTable fleet/> }.erase()
        }
    });
    view! {
        <div class="page-head">
            <h1>"Runners"</h1>
            <span class="muted">{text(move || fleet.with(Fleet::in_words))}</span>
        </div>
        {table}
        <StartRunner origin/>
    }
    .erase()
}

#[component]
fn FilledTable(fleet: RwSignal<Fleet>) -> impl IntoView {
    let keys = Signal::derive(move || fleet.with(Fleet::ids).into_iter().map(RowKey::Runner).collect());
    let row = Arc::new(move |key| match key {
        RowKey::Runner(id) => view! { <RunnerRow id fleet/> }.erase(),
        _ => nothing(),
    });
    view! {
        <table class="rows runners">
            <caption class="visually-hidden">"Runners known to this server"</caption>
            <thead>
                <tr>
                    <th scope="col">"Runner"</th>
                    <th scope="col">"Status"</th>
                    <th scope="col" class="number">"Busy"</th>
                    <th scope="col">"Offers"</th>
                    <th scope="col" class="number">"Done"</th>
                    <th scope="col">"Last seen"</th>
                    <th scope="col">"Version"</th>
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
fn RunnerRow(id: RunnerId, fleet: RwSignal<Fleet>) -> impl IntoView {
    let first = fleet.with_untracked(|fleet| fleet.get(id).cloned())?;
    let runner = Memo::new(move |_| {
        fleet
            .with(|fleet| fleet.get(id).cloned())
            .unwrap_or_else(|| first.clone())
    });
    let read = move |part: fn(&RunnerView) -> String| text(move || runner.with(part));
    let status = read(|runner| runner.status.as_str().to_owned());
    let labels = part(move || runner.with(|runner| labels(&runner.capabilities)));
    let last_seen = Signal::derive(move || runner.with(|runner| runner.last_seen_at));
    let row = view! {
        <tr data-testid="runner-row" data-runner-id=id.to_string()>
            <th scope="row" class="title">
                {read(|runner| runner.name.clone())}
                {labels}
            </th>
            <td class="status">
                <StatusBadge status/>
            </td>
            <td class="number" data-label="Busy">
                {read(|runner| format!("{} of {}", runner.busy, runner.capabilities.slots))}
            </td>
            <td data-label="Offers">{read(|runner| offer_in_words(&runner.capabilities))}</td>
            <td class="number" data-label="Done">
                {read(|runner| format!("{} ok, {} failed", runner.succeeded, runner.failed))}
            </td>
            <td class="when" data-label="Last seen">
                <Moment at=last_seen/>
            </td>
            <td data-label="Version">
                <code>{read(|runner| runner.version.clone())}</code>
            </td>
        </tr>
    };
    Some(row.erase())
}

fn labels(capabilities: &Capabilities) -> Part {
    let pairs = capabilities.labels.iter();
    let labels = pairs.map(|(name, value)| view! { <li><code>{format!("{name}={value}")}</code></li> });
    view! { <ul class="labels">{labels.collect::<Vec<_>>()}</ul> }.erase()
}

/// `linux/amd64, 2.0 cores, 4g memory`
fn offer_in_words(capabilities: &Capabilities) -> String {
    let Capabilities { os, arch, .. } = capabilities;
    let cpus = Cpus::from_millis(capabilities.cpu_millis);
    // Whole mebibytes: to the byte the number would be all that one sees.
    let memory = ByteSize::mib(capabilities.memory_bytes >> 20);
    format!("{os}/{arch}, {cpus} cores, {memory} memory")
}

#[component]
fn NoRunner() -> impl IntoView {
    view! {
        <div class="empty">
            <h2>"No runner yet"</h2>
            <p>"Tasks wait in the queue until one connects. A runner needs Docker and a way out, no open port."</p>
        </div>
    }
}

#[component]
fn StartRunner(origin: String) -> impl IntoView {
    view! {
        <section class="panel start-runner">
            <h2>"Run one yourself"</h2>
            <p>"On any Linux machine with Docker:"</p>
            <CopyCommand command=format!("parity runner --server {origin}")/>
        </section>
    }
    .erase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_reads_at_a_glance() {
        let capabilities = Capabilities {
            os: "linux".to_owned(),
            arch: "amd64".to_owned(),
            cpu_millis: 1500,
            memory_bytes: 4_123_456_789,
            ..Capabilities::default()
        };
        assert_eq!(
            offer_in_words(&capabilities),
            "linux/amd64, 1.5 cores, 3932m memory"
        );
    }
}

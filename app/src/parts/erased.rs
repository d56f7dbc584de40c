//! Parts of a page without their types.
//!
//! The renderer compiles its machinery once for every type of closure, list and view. In a page of some hundred
//! closures that is most of the module, so views and closures go through the few types here.

use std::sync::{Arc, Mutex};

use leptos::prelude::*;
use leptos::tachys::reactive_graph::{SharedReactiveFunction, Suspend};
use protocol::id::{RunnerId, TaskId};

use super::{Erase, Part};

/// A text that changes.
pub(crate) fn text(read: impl Fn() -> String + Send + Sync + 'static) -> Signal<String> {
    Signal::derive(read)
}

/// A part of the page that changes.
pub(crate) fn part(view: impl FnMut() -> Part + Send + 'static) -> SharedReactiveFunction<Part> {
    Arc::new(Mutex::new(view))
}

/// Nothing, where something else may be.
pub(crate) fn nothing() -> Part {
    None::<&'static str>.erase()
}

/// What the rows of lists are known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum RowKey {
    Task(TaskId),
    Runner(RunnerId),
    /// An entry of a timeline.
    Cursor(i64),
    /// A block of a log.
    Block(usize),
}

/// How a row looks.
pub(crate) type RowView = Arc<dyn Fn(RowKey) -> Part + Send + Sync>;

/// Rows that keep their nodes for as long as their key is there.
#[component]
pub(crate) fn Rows(keys: Signal<Vec<RowKey>>, row: RowView) -> impl IntoView {
    view! { <For each=move || keys.get() key=|key| *key children=move |key| row(key)/> }
}

/// What is shown once data is read.
pub(crate) type ReadView = Arc<dyn Fn() -> Suspend<Part> + Send + Sync>;

/// Shows data as soon as it is read; while it is read again, what was shown before stays.
#[component]
pub(crate) fn WhenRead(view: ReadView) -> impl IntoView {
    view! { <Transition>{move || view()}</Transition> }
}

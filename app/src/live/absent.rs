//! The link on the server: there is none, pages are rendered once.

use leptos::prelude::{RwSignal, Signal, provide_context};
use protocol::id::TaskId;
use protocol::live::Topic;

use super::{LinkState, LogNews, TopicNews};

/// What pages follow their subject with.
#[derive(Debug, Clone, Copy)]
pub struct LiveContext {
    link: RwSignal<LinkState>,
}

pub fn provide_live() {
    provide_context(LiveContext {
        link: RwSignal::new(LinkState::default()),
    });
}

impl LiveContext {
    pub fn link(self) -> Signal<LinkState> {
        self.link.into()
    }

    /// Follows a topic until the owner is cleaned up.
    pub fn follow(self, _topic: Topic, _after: i64, _tell: impl Fn(TopicNews) + 'static) {}

    /// Follows a log until the owner is cleaned up.
    pub fn follow_log(self, _task: TaskId, _epoch: u64, _next_seq: u64, _tell: impl Fn(LogNews) + 'static) {}
}

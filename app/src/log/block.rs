use std::sync::Arc;

use leptos::prelude::*;
use protocol::log::LogStream;

use super::follower::LogFollower;
use super::{BLOCK_LINES, LogLine};
use crate::parts::Erase;

/// Up to [`BLOCK_LINES`] lines. Lines that did not change keep their nodes, and with them what the reader selected.
#[component]
pub(super) fn LogBlock(log: LogFollower, index: usize) -> impl IntoView {
    let lines = move || {
        log.track_block(index);
        log.with_buffer(|buffer| buffer.block(index).iter().map(line_view).collect::<Vec<_>>())
    };
    let is_full = Signal::derive(move || {
        log.track_block(index);
        log.with_buffer(|buffer| buffer.block(index).len() == BLOCK_LINES)
    });
    view! { <div class="log-block" class:is-full=is_full>{lines}</div> }.erase()
}

/// The number is an attribute, so that copied text is the command's alone; an empty line has no text node, which the
/// server would have to fill with a space.
fn line_view(line: &LogLine) -> impl IntoView + use<> {
    let text = (!line.text.is_empty()).then(|| Arc::clone(&line.text));
    view! { <div class=class_of(line.stream) data-n=line.number>{text}</div> }
}

fn class_of(stream: LogStream) -> &'static str {
    match stream {
        LogStream::Stdout => "log-line",
        LogStream::Stderr => "log-line is-stderr",
        LogStream::Runner => "log-line is-runner",
    }
}

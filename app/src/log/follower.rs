//! A log buffer that grows by itself and tells which blocks changed.

use leptos::prelude::*;
use protocol::id::TaskId;
use protocol::log::{LogChunkView, LogPage};

use super::LogBuffer;
use crate::live::{LiveContext, LogNews};

/// The log as the page shows it. A handle: copies share the log.
#[derive(Clone, Copy)]
pub(super) struct LogFollower {
    buffer: StoredValue<LogBuffer>,
    /// One per block, so that a block is touched only when it changed.
    blocks: RwSignal<Vec<ArcTrigger>>,
    pub(super) line_count: RwSignal<u64>,
    /// Set when a further attempt took the place of the one shown first.
    pub(super) restarted_as: RwSignal<Option<u64>>,
    pub(super) is_complete: RwSignal<bool>,
    pub(super) is_full: RwSignal<bool>,
    /// What came since the last frame. Chunks can come faster than a screen shows them.
    waiting: StoredValue<Vec<LogChunkView>>,
}

impl LogFollower {
    /// The log from the page that was rendered with it, then live.
    pub(super) fn new(task: TaskId, page: LogPage, is_final: bool) -> Self {
        let buffer = LogBuffer::from_chunks(page.chunks);
        let follower = Self {
            blocks: RwSignal::new(triggers(buffer.block_count())),
            line_count: RwSignal::new(buffer.line_count()),
            restarted_as: RwSignal::new(None),
            is_complete: RwSignal::new(page.complete),
            is_full: RwSignal::new(buffer.is_full()),
            waiting: StoredValue::new(Vec::new()),
            buffer: StoredValue::new(buffer),
        };
        if !(is_final && page.complete) {
            expect_context::<LiveContext>().follow_log(task, page.epoch, page.next_seq, move |news| {
                follower.take(news);
            });
        }
        follower
    }

    pub(super) fn block_indices(self) -> Vec<usize> {
        (0..self.blocks.with(Vec::len)).collect()
    }

    pub(super) fn track_block(self, index: usize) {
        if let Some(trigger) = self.blocks.with_untracked(|blocks| blocks.get(index).cloned()) {
            trigger.track();
        }
    }

    pub(super) fn with_buffer<T>(self, read: impl FnOnce(&LogBuffer) -> T) -> T {
        self.buffer.with_value(read)
    }

    /// News may come when the page is already gone; then every handle here is empty, and nothing happens.
    fn take(self, news: LogNews) {
        match news {
            LogNews::Restarted { epoch } => self.restart(epoch),
            LogNews::Chunks(chunks) => self.wait_for_frame(chunks),
            LogNews::Ended => {
                self.is_complete.try_set(true);
            }
        }
    }

    fn restart(self, epoch: u64) {
        let was_empty = self.buffer.try_with_value(LogBuffer::is_empty).unwrap_or(true);
        self.waiting.try_update_value(Vec::clear);
        self.buffer.try_set_value(LogBuffer::default());
        self.blocks.try_set(Vec::new());
        self.line_count.try_set(0);
        self.is_complete.try_set(false);
        self.is_full.try_set(false);
        if !was_empty {
            self.restarted_as.try_set(Some(epoch));
        }
    }

    fn wait_for_frame(self, chunks: Vec<LogChunkView>) {
        let is_first = self.waiting.try_update_value(|waiting| {
            let is_first = waiting.is_empty();
            waiting.extend(chunks);
            is_first
        });
        if is_first == Some(true) {
            request_animation_frame(move || self.show_waiting());
        }
    }

    fn show_waiting(self) {
        let Some(chunks) = self.waiting.try_update_value(std::mem::take) else {
            return;
        };
        let appended = self.buffer.try_update_value(|buffer| {
            let first = chunks.iter().map(|chunk| buffer.append(chunk)).min();
            (first, buffer.block_count(), buffer.line_count(), buffer.is_full())
        });
        let Some((Some(first), block_count, line_count, is_full)) = appended else {
            return;
        };
        let known = self.blocks.with_untracked(Vec::len);
        for trigger in self
            .blocks
            .with_untracked(|blocks| blocks.iter().skip(first).cloned().collect::<Vec<_>>())
        {
            trigger.notify();
        }
        if block_count > known {
            self.blocks
                .update(|blocks| blocks.extend(triggers(block_count - known)));
        }
        self.line_count.set(line_count);
        self.is_full.set(is_full);
    }
}

fn triggers(count: usize) -> Vec<ArcTrigger> {
    std::iter::repeat_with(ArcTrigger::new).take(count).collect()
}

//! One task: how it stands, what it said, how it ended, what was asked for.

mod attempts;
mod body;
mod head;
mod outcome;
mod page;
mod progress;
mod spec;
mod timeline;
mod words;

pub use page::TaskPage;

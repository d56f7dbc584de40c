//! Reads a posted task. Every offending field is named at once, by JSON pointer; nothing wrong gets through.

mod config;
mod environment;
mod reader;
mod requires;
mod reward;
mod task;
mod values;

#[cfg(test)]
mod tests;

pub use task::{MAX_BODY_BYTES, SpecPolicy, error_at, parse_task};

//! What several pages show.

mod copy_command;
mod erased;
mod failure;
mod moment;
mod origin;
mod part;
mod sentence;
mod status_badge;

pub(crate) use copy_command::CopyCommand;
pub(crate) use erased::{RowKey, Rows, WhenRead, nothing, part, text};
pub(crate) use failure::Failure;
pub(crate) use moment::{Moment, TimeOfDay, running_span};
pub(crate) use origin::use_origin;
pub(crate) use part::{Erase, Part};
pub(crate) use sentence::sentence;
pub(crate) use status_badge::{StatusBadge, status_words};

//! What several pages show.

mod copy_command;
mod failure;
mod moment;
mod origin;
mod status_badge;

pub(crate) use copy_command::CopyCommand;
pub(crate) use failure::Failure;
pub(crate) use moment::{Moment, RunningSpan};
pub(crate) use origin::use_origin;
pub(crate) use status_badge::{StatusBadge, status_words};

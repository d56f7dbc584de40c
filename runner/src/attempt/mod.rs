//! One attempt, from its lease to its clean-up: pull, create, attach, start, stream, wait, report, clean up. Whatever
//! happens on the way, it ends in the clean-up.
//!
//! - [`run`]: the steps in order.
//! - `watch`: the part while the command runs, one loop over everything that can happen then.
//! - [`verdict`]: what it all means; pure.
//! - [`report`]: what the dispatcher hears.

pub mod report;
pub mod run;
pub mod verdict;
mod watch;

pub use report::{AttemptEvent, Reports};
pub use run::{Attempt, Surroundings, spawn};
pub use verdict::Cause;

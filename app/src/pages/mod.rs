//! The pages, one module each.

pub mod market;
pub mod not_found;
pub mod runners;
pub mod task;
pub mod task_new;

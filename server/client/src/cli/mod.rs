//! The command line. Data goes to standard output, everything for people to standard error.
//!
//! To add a command: 1. its arguments in [`arguments`], 2. its module here with one `run`, 3. its line in [`dispatch`].

mod arguments;
mod cancel;
mod create;
mod dispatch;
mod error;
mod filter;
mod list;
mod logs;
mod output;
mod show;
mod sibling;
mod spec;

pub use dispatch::run;

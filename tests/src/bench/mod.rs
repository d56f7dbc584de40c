//! Figures, each beside its peers and its floor, taken in the same run on the same machine.
//!
//! A figure alone says little: machines differ and other programs run. So every cell takes turns (ours, peer, floor,
//! ours, ..), says how loaded the machine and how slow its disk was, and its ratios are what counts. A cell checks the
//! answers it is given before it believes a time; the short form (`--check`) does only that.
//!
//! To add a cell: 1. a module with a `run` that returns a [`Report`], 2. its line in [`cells::CELLS`].

mod attach;
mod buildbot;
mod cells;
mod error;
mod http;
mod l2;
mod machine;
mod peers;
mod probe_image;
mod report;
mod run;
mod s3;
mod samples;
mod stream;

pub use cells::Form;
pub use error::BenchError;
pub use report::Report;
pub use run::run;

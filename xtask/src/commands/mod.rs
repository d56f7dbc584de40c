//! One module per command; each has `run` and, where it takes any, its `Arguments`.

pub mod bench;
pub mod build;
pub mod demo;
pub mod licences;
pub mod size;
pub mod test;
pub mod with;

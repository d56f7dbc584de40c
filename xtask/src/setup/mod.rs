//! Installing what is missing, and only that.
//!
//! Each module makes sure of one thing, says what it installs before it does, and costs nothing when the
//! thing is there. What cannot be had is an error that names it.

mod apt;
pub mod chromium;
pub mod docker;
pub mod image;
pub mod lints;
pub mod node;
mod privilege;
pub mod wasm;

pub use privilege::as_root;

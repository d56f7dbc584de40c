//! Layered configuration of both programs: defaults, then a YAML file, then environment variables, then flags.
//!
//! One file may hold the sections of both programs, `runner:` and `server:`; each program reads its own. A key that
//! does not exist, or a value that does not parse, is an error that names where it stands (file and line, variable or
//! flag), the key, and what would be right. Nothing is guessed and nothing is skipped.
//!
//! ```
//! #[derive(serde::Deserialize)]
//! #[serde(deny_unknown_fields, default)]
//! struct RunnerConfig {
//!     slots: u32,
//! }
//!
//! impl Default for RunnerConfig {
//!     fn default() -> Self {
//!         Self { slots: 2 }
//!     }
//! }
//!
//! let config: RunnerConfig = settings::Layers::new(settings::Section::Runner)
//!     .environment([("PARITY_RUNNER__SLOTS".to_owned(), "3".to_owned())])
//!     .flag("--slots", "slots", Some("4".to_owned()))
//!     .load()?;
//! assert_eq!(config.slots, 4);
//! # Ok::<(), settings::SettingsError>(())
//! ```
//!
//! To add a key: 1. a field with its default in the program's configuration struct (every one of them is
//! `#[serde(deny_unknown_fields, default)]`), 2. a bound with `#[serde(deserialize_with = ..)]` over [`between`] when
//! not every value makes sense.

mod bound;
mod error;
mod layers;
mod reader;
mod tree;
mod yaml;

pub use bound::between;
pub use error::SettingsError;
pub use layers::{Layers, Section, process_environment};

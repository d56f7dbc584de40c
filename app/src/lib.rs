//! The pages of Parity, built twice: into the server with `ssr`, for the browser with `hydrate`.
//!
//! The first paint is the server's, with its data; the browser takes it over and follows [`live`] from the cursor that
//! came with it. Every page reads without the module, every form is a plain HTML form that the server answers.
//!
//! [`api`] reads for the pages and never changes anything; [`backend`] is what it needs of the server. Pages are in
//! [`pages`], one folder each, the logic in plain types with tests, the components around them without any.
//!
//! To add a page: 1. a folder in [`pages`], 2. its route in [`app`], 3. what it reads in [`api`] and
//! [`backend::Backend`], 4. its style in `style/`.

// The types of whole pages nest deeper than the default limit of 128.
#![recursion_limit = "512"]

pub mod api;
pub mod app;
#[cfg(feature = "ssr")]
pub mod backend;
mod clock;
mod error;
#[cfg(feature = "hydrate")]
mod hydrate;
mod layout;
pub mod live;
pub mod log;
pub mod pages;
mod parts;
#[cfg(feature = "ssr")]
mod shell;

pub use app::App;
pub use error::AppError;
#[cfg(feature = "hydrate")]
pub use hydrate::hydrate;
#[cfg(feature = "ssr")]
pub use shell::{PageAssets, shell};

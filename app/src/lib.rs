//! The pages of Parity, built twice: into the server with `ssr`, for the browser with `hydrate`.

#[cfg(feature = "ssr")]
pub mod backend;

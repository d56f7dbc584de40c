//! The runners that take work from this server.

mod fleet;
mod page;

pub use page::RunnersPage;

//! The log of a task as text in lines.
//!
//! [`visible_text`] makes hostile bytes harmless, [`LogBuffer`] joins chunks into numbered lines, [`FollowMode`]
//! decides when the view runs along with the end; all of them know no browser. [`LogViewer`] shows the buffer.
//!
//! Lines are kept in blocks. A block off screen costs nothing (`content-visibility`), and what is appended touches the
//! last block alone.

mod block;
mod buffer;
mod follow;
mod follower;
mod text;
mod viewer;

pub use buffer::{BLOCK_LINES, LogBuffer, LogLine};
pub use follow::FollowMode;
pub use text::visible_text;
pub use viewer::LogViewer;

//! Docker as the sandbox. bollard is named below this folder and nowhere else.
//!
//! - [`engine`]: the connection, and the [`Sandbox`](super::Sandbox) it offers.
//! - `images`: what is here, what is pulled, and by whom it is shared.
//! - `body`: the one place where a container's configuration is written.
//! - `cage`: one container from creation to removal.
//! - `fault`: what bollard reports, in the sandbox's own words.
//!
//! Deliberately absent: the archive upload (`PUT /containers/{id}/archive`), exec, host mounts, and every option by
//! which a task could name something of the host.

mod body;
mod cage;
pub mod engine;
mod fault;
mod images;

pub use engine::{ConnectError, DockerSandbox, DockerSettings};

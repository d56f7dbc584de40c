//! The cage around a task. The attempt knows the traits in [`cage`] and nothing of Docker.
//!
//! - [`limits`]: what a task may use, as numbers and mount options; pure.
//! - [`seccomp`]: the system calls a task may make.
//! - [`docker`]: the container engine, and the only place that names bollard.
//! - `fake`: a scripted cage for tests of everything above it.
//!
//! To add something that a task is given: 1. a field of [`cage::CageSpec`], filled in by `attempt`, 2. its bound in
//! [`limits`], with a test, 3. its mapping in [`docker`], 4. a probe in `tests/docker_sandbox.rs` that looks at it
//! from inside.

pub mod cage;
pub mod docker;
#[cfg(test)]
pub(crate) mod fake;
pub mod limits;
pub mod seccomp;

pub use cage::{
    Cage, CageSpec, Ended, EngineInfo, Leftover, LocalImage, Output, OutputStream, Sandbox, SandboxError,
    Signal,
};

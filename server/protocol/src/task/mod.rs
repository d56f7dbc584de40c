//! Tasks: what a poster asks for, how it is read from a request, and how it stands.
//!
//! To add a field to the task: 1. a field in [`spec::TaskSpec`] with a default for old records, 2. its reading and
//! its bound in [`parse`], with a test of the refusal, 3. its line in the form of the `app` crate, 4. its effect in
//! the runner's `sandbox` module.

pub mod image;
pub mod limits;
pub mod parse;
pub mod requirement;
pub mod spec;
pub mod status;
pub mod view;

pub use image::ImageRef;
pub use limits::{Limits, RequestedLimits};
pub use parse::{SpecPolicy, parse_task};
pub use requirement::Requirement;
pub use spec::{EnvVar, PayOn, TaskSpec};
pub use status::{PaymentStatus, TaskStatus};
pub use view::{AttemptView, TaskStep, TaskSummary, TaskView, TimelineEntry};

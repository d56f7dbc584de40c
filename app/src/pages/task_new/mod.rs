//! Posting a task by a plain form: it works without the module, and the server checks it like any other request.

mod field;
mod form;
mod page;
mod preview;
mod submitted;

pub use form::{Field, TaskForm};
pub use page::NewTaskPage;
pub use submitted::SubmittedForm;

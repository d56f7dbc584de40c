use leptos::prelude::*;
use protocol::error::FieldError;
use serde::{Deserialize, Serialize};

use super::TaskForm;

/// What somebody sent and what is wrong with it. The server provides it as context before it renders the page again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SubmittedForm {
    pub values: TaskForm,
    pub errors: Vec<FieldError>,
}

/// The form as it came back from the server, or an empty one. The browser takes over what the server rendered.
pub(super) fn use_submitted_form() -> SubmittedForm {
    SharedValue::new(|| use_context::<SubmittedForm>().unwrap_or_default()).into_inner()
}

//! `POST /tasks/new`: the form of a new task.

use app::pages::task_new::{SubmittedForm, TaskForm};
use axum::body::Body;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{Request, StatusCode};
use protocol::error::{ApiError, ErrorCode, FieldError};
use protocol::task::{SpecPolicy, parse_task};

use crate::http::{AppState, HttpError};
use crate::pages;
use crate::services::ServiceError;

/// 303 to the task, or 422 with the page and each complaint beside its field.
pub(super) async fn new_task(
    State(state): State<AppState>,
    form: Result<Form<TaskForm>, FormRejection>,
) -> Response {
    let values = match form {
        Ok(Form(values)) => values,
        Err(rejection) => {
            return HttpError::new(ErrorCode::Malformed, rejection.body_text()).into_response();
        }
    };
    let posted = match values.to_request_json() {
        Ok(body) => state.services.post_task(&body).await,
        Err(errors) => {
            let errors = with_the_rest(&values, errors, state.services.policy());
            Err(ServiceError::Refused(ApiError::invalid_input(errors)))
        }
    };
    match posted {
        Ok(task) => Redirect::to(&format!("/tasks/{}", task.id)).into_response(),
        Err(ServiceError::Refused(error)) if error.code == ErrorCode::InvalidInput => {
            show_again(
                &state,
                SubmittedForm {
                    values,
                    errors: error.errors,
                },
            )
            .await
        }
        Err(error) => HttpError::from(error).into_response(),
    }
}

/// A command that cannot be split leaves no request to check. The other fields are checked without it, so that the
/// page names everything that is wrong at once.
fn with_the_rest(values: &TaskForm, mut errors: Vec<FieldError>, policy: &SpecPolicy) -> Vec<FieldError> {
    let without_command = TaskForm {
        command: String::new(),
        ..values.clone()
    };
    if let Ok(body) = without_command.to_request_json()
        && let Err(rest) = parse_task(&body, policy)
    {
        errors.extend(rest.errors);
    }
    errors
}

async fn show_again(state: &AppState, submitted: SubmittedForm) -> Response {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = http::Uri::from_static("/tasks/new");
    let mut response = pages::render_submitted(state, request, submitted).await;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_cannot_be_split_hides_no_other_complaint() {
        let values = TaskForm {
            command: "echo \"open".to_owned(),
            image: "alpine".to_owned(),
            ..TaskForm::default()
        };
        let errors = values.to_request_json().unwrap_err();
        let all = with_the_rest(&values, errors, &SpecPolicy::default());
        let pointers: Vec<&str> = all.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/config/command", "/title", "/reward"]);
    }
}

use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use protocol::error::ApiError;
use protocol::id::TaskId;
use protocol::log::LogPage;
use protocol::task::TaskView;

use super::body::TaskBody;
use crate::AppError;
use crate::api::{get_log, get_task};
use crate::parts::{Erase, Failure, WhenRead};

type TaskAndLog = (Result<TaskView, AppError>, Result<LogPage, AppError>);

/// `/tasks/{id}`
#[component]
pub fn TaskPage() -> impl IntoView {
    let parameters = use_params_map();
    let id = Memo::new(move |_| {
        parameters.with(|parameters| parameters.get_str("id").and_then(|id| id.parse::<TaskId>().ok()))
    });
    // Blocking: whether the task exists decides the status of the answer.
    let task = Resource::new_blocking(move || id.get(), read);
    let body = Arc::new(move || {
        Suspend::new(async move {
            match task.await {
                (Ok(task), log) => view! { <TaskBody task log/> }.erase(),
                (Err(error), _) => view! { <Failure error/> }.erase(),
            }
        })
    });
    view! { <WhenRead view=body/> }.erase()
}

/// The task first: a log that is read after it holds at least what the task says.
async fn read(id: Option<TaskId>) -> TaskAndLog {
    let missing = || AppError::from(ApiError::not_found("task"));
    let Some(id) = id else {
        return (Err(missing()), Err(missing()));
    };
    match get_task(id).await {
        Ok(task) => (Ok(task), get_log(id, 0).await),
        Err(error) => (Err(error), Err(missing())),
    }
}

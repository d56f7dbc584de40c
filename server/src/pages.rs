//! The one bridge between pages and server: [`RequestBackend`] answers what a page asks while it is rendered or
//! when its server functions are called.

use std::sync::Arc;

use app::backend::{Backend, MarketQuery, SharedBackend, Snapshot};
use app::pages::task_new::SubmittedForm;
use app::{App, shell};
use async_trait::async_trait;
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use http::header::CONTENT_SECURITY_POLICY;
use http::{HeaderValue, StatusCode};
use leptos::context::{provide_context, use_context};
use leptos::nonce::use_nonce;
use leptos_axum::{
    LeptosRoutes, ResponseOptions, generate_route_list, render_app_async_with_context,
    render_app_to_stream_with_context,
};
use protocol::error::ApiError;
use protocol::id::TaskId;
use protocol::log::LogPage;
use protocol::page::{DEFAULT_LIMIT, Page};
use protocol::runner::RunnerView;
use protocol::task::{TaskSummary, TaskView};

use crate::http::{AppState, content_security_policy};
use crate::services::{ServiceError, Services};
use crate::store::ListTasks;

/// Adds every page and every server function.
pub fn routes(router: Router<AppState>, state: &AppState) -> Router<AppState> {
    let context = page_context(state);
    let assets = state.assets.clone();
    router.leptos_routes_with_context(state, generate_route_list(App), context, move || shell(&assets))
}

/// The page of a new task again, with what was wrong.
pub async fn render_submitted(state: &AppState, request: Request, submitted: SubmittedForm) -> Response {
    let context = page_context(state);
    let assets = state.assets.clone();
    let with_form = move || {
        context();
        provide_context(submitted.clone());
    };
    render_app_async_with_context(with_form, move || shell(&assets))(request).await
}

/// The page that says there is nothing at this address.
pub async fn render_not_found(state: &AppState, request: Request) -> Response {
    let assets = state.assets.clone();
    let mut response =
        render_app_to_stream_with_context(page_context(state), move || shell(&assets))(request).await;
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// What every page and server function finds in its context.
fn page_context(state: &AppState) -> impl Fn() + Clone + Send + Sync + 'static {
    let services = state.services.clone();
    move || {
        let response = use_context::<ResponseOptions>();
        if let (Some(response), Some(nonce)) = (&response, use_nonce())
            && let Ok(policy) = HeaderValue::from_str(&content_security_policy(&nonce))
        {
            response.insert_header(CONTENT_SECURITY_POLICY, policy);
        }
        let backend = RequestBackend {
            services: services.clone(),
            response,
        };
        provide_context::<SharedBackend>(Arc::new(backend));
    }
}

/// What the pages need, for one request.
#[derive(Debug)]
struct RequestBackend {
    services: Services,
    response: Option<ResponseOptions>,
}

impl RequestBackend {
    /// Gives the answer the status of the error, so that a missing task is a 404 and not a friendly 200.
    fn told<T>(&self, result: Result<T, ServiceError>) -> Result<T, ApiError> {
        result.map_err(|error| {
            let error = error.into_api();
            if let (Some(response), Ok(status)) = (&self.response, StatusCode::from_u16(error.code.status()))
            {
                response.set_status(status);
            }
            error
        })
    }
}

#[async_trait]
impl Backend for RequestBackend {
    async fn tasks(&self, query: MarketQuery) -> Result<Snapshot<Page<TaskSummary>>, ApiError> {
        // A cursor that is none shows the first page: it came by a link somebody cut short.
        let before = query.cursor.as_deref().and_then(|cursor| cursor.parse().ok());
        let list = ListTasks {
            status: query.status,
            before,
            limit: DEFAULT_LIMIT,
        };
        let (data, cursor) = self.told(self.services.list_tasks(list).await)?;
        Ok(Snapshot { data, cursor })
    }

    async fn task(&self, id: TaskId) -> Result<TaskView, ApiError> {
        self.told(self.services.get_task(id).await)
    }

    async fn task_log(&self, id: TaskId, from_seq: u64) -> Result<LogPage, ApiError> {
        self.told(self.services.log_page(id, None, from_seq).await)
    }

    async fn runners(&self) -> Result<Snapshot<Vec<RunnerView>>, ApiError> {
        let (data, cursor) = self.told(self.services.list_runners().await)?;
        Ok(Snapshot { data, cursor })
    }
}

//! A server that has only the pages, over a backend that has only what a test gives it.

pub mod samples;

use std::sync::Arc;

use app::backend::{Backend, MarketQuery, SharedBackend, Snapshot};
use app::pages::task_new::SubmittedForm;
use app::{App, PageAssets, shell};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use leptos::prelude::{LeptosOptions, provide_context};
use leptos_axum::{LeptosRoutes, generate_route_list};
use protocol::error::ApiError;
use protocol::id::TaskId;
use protocol::log::LogPage;
use protocol::page::Page;
use protocol::runner::RunnerView;
use protocol::task::{TaskSummary, TaskView};
use tower::ServiceExt;

#[derive(Clone, Default)]
pub struct FakeBackend {
    pub tasks: Vec<TaskView>,
    pub next_cursor: Option<String>,
    pub log: LogPage,
    pub runners: Vec<RunnerView>,
}

#[async_trait]
impl Backend for FakeBackend {
    async fn tasks(&self, query: MarketQuery) -> Result<Snapshot<Page<TaskSummary>>, ApiError> {
        let wanted = self
            .tasks
            .iter()
            .filter(|task| query.status.is_none_or(|status| status == task.status));
        let items = wanted.map(TaskView::summary).collect();
        let next_cursor = self.next_cursor.clone();
        Ok(Snapshot {
            data: Page { items, next_cursor },
            cursor: 1,
        })
    }

    async fn task(&self, id: TaskId) -> Result<TaskView, ApiError> {
        // A real answer is not there at once: what waits for it has to wait for it.
        tokio::task::yield_now().await;
        let found = self.tasks.iter().find(|task| task.id == id);
        found.cloned().ok_or_else(|| ApiError::not_found("task"))
    }

    async fn task_log(&self, _id: TaskId, _from_seq: u64) -> Result<LogPage, ApiError> {
        tokio::task::yield_now().await;
        Ok(self.log.clone())
    }

    async fn runners(&self) -> Result<Snapshot<Vec<RunnerView>>, ApiError> {
        Ok(Snapshot {
            data: self.runners.clone(),
            cursor: 1,
        })
    }
}

/// An answer as a browser without scripts sees it.
pub struct Answer {
    pub status: u16,
    pub html: String,
}

impl Answer {
    /// The text of each element with that mark, without the elements inside.
    pub fn texts_of(&self, testid: &str) -> Vec<String> {
        let mark = format!("data-testid=\"{testid}\"");
        let starts = self.html.match_indices(&mark).map(|(at, _)| &self.html[at..]);
        starts.map(inner_text).collect()
    }

    pub fn contains(&self, text: &str) -> bool {
        self.html.contains(text)
    }

    #[track_caller]
    pub fn assert_contains(&self, text: &str) {
        assert!(self.contains(text), "no {text:?} in:\n{}", self.html);
    }
}

/// What stands between the end of this tag and the next one.
fn inner_text(rest: &str) -> String {
    let (_, content) = rest.split_once('>').unwrap();
    content.split('<').next().unwrap().to_owned()
}

pub async fn get(path: &str, backend: FakeBackend) -> Answer {
    visit(path, backend, None).await
}

/// The page as the server renders it again after a form was refused.
pub async fn visit(path: &str, backend: FakeBackend, submitted: Option<SubmittedForm>) -> Answer {
    let assets = PageAssets {
        js: "/pkg/parity.js".to_owned(),
        wasm: "/pkg/parity.wasm".to_owned(),
        css: "/pkg/main.css".to_owned(),
    };
    let options = LeptosOptions::builder().output_name("parity").build();
    let backend: SharedBackend = Arc::new(backend);
    let context = move || {
        provide_context(Arc::clone(&backend));
        if let Some(submitted) = submitted.clone() {
            provide_context(submitted);
        }
    };
    let shell_of_routes = {
        let assets = assets.clone();
        move || shell(&assets)
    };
    let fallback = leptos_axum::render_app_async_with_context(context.clone(), move || shell(&assets));
    let router = Router::new()
        .leptos_routes_with_context(&options, generate_route_list(App), context, shell_of_routes)
        .fallback(fallback)
        .with_state(options);
    let request = Request::get(path)
        .header("host", "parity.example:8080")
        .body(Body::empty())
        .unwrap();
    let response = router.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Answer {
        status,
        html: String::from_utf8(body.to_vec()).unwrap(),
    }
}

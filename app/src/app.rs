//! The outermost component: contexts, frame and route table.

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::{SsrMode, path};

use crate::clock::provide_clock;
use crate::layout::{SiteFooter, SiteHeader};
use crate::live::provide_live;
use crate::pages::market::MarketPage;
use crate::pages::not_found::NotFoundPage;
use crate::pages::runners::RunnersPage;
use crate::pages::task::TaskPage;
use crate::pages::task_new::NewTaskPage;

/// Every page is rendered whole before its first byte leaves: that is what makes it read without the module, and what
/// lets a missing task answer 404.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_clock();
    provide_live();
    view! {
        <Title formatter=|title: String| if title.is_empty() { "Parity".to_owned() } else { format!("{title} · Parity") }/>
        <Router>
            <SiteHeader/>
            <main id="main">
                <FlatRoutes fallback=NotFoundPage>
                    <Route path=path!("/") view=MarketPage ssr=SsrMode::Async/>
                    <Route path=path!("/tasks/new") view=NewTaskPage ssr=SsrMode::Async/>
                    <Route path=path!("/tasks/:id") view=TaskPage ssr=SsrMode::Async/>
                    <Route path=path!("/runners") view=RunnersPage ssr=SsrMode::Async/>
                </FlatRoutes>
            </main>
            <SiteFooter/>
        </Router>
    }
}

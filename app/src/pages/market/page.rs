use std::sync::Arc;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::filter::StatusFilter;
use super::table::TaskTable;
use crate::api::{MarketQuery, list_tasks};
use crate::parts::{Erase, Failure, WhenRead};

/// `/?status=running&cursor=...`
#[component]
pub fn MarketPage() -> impl IntoView {
    let parameters = use_query_map();
    let query = Memo::new(move |_| {
        parameters.with(|parameters| MarketQuery {
            status: parameters.get_str("status").and_then(|word| word.parse().ok()),
            cursor: parameters
                .get_str("cursor")
                .filter(|text| !text.is_empty())
                .map(str::to_owned),
        })
    });
    let tasks = Resource::new_blocking(move || query.get(), list_tasks);
    let table = Arc::new(move || {
        Suspend::new(async move {
            match tasks.await {
                Ok(snapshot) => {
                    let query = query.get_untracked();
                    view! { <TaskTable query snapshot refresh=move || tasks.refetch()/> }.erase()
                }
                Err(error) => view! { <Failure error/> }.erase(),
            }
        })
    });
    view! {
        <Title text="Market"/>
        <div class="page-head">
            <h1>"Market"</h1>
            <StatusFilter query/>
        </div>
        <WhenRead view=table/>
    }
    .erase()
}

//! The page of every address that has none.

use leptos::prelude::*;
use leptos_meta::Title;
use protocol::error::ApiError;

use crate::parts::Failure;

#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <Title text="Not found"/>
        <Failure error=ApiError::not_found("page").into()/>
    }
}

use leptos::prelude::*;
use protocol::task::TaskStatus;

use crate::api::MarketQuery;
use crate::parts::{Erase, status_words};

/// One link per status: the address is the state of the filter, so it can be kept, sent and gone back from.
#[component]
pub(super) fn StatusFilter(query: Memo<MarketQuery>) -> impl IntoView {
    let choices = std::iter::once(None).chain(TaskStatus::ALL.into_iter().map(Some));
    let links = choices
        .map(|status| filter_link(query, status))
        .collect::<Vec<_>>();
    view! {
        <nav class="filter" aria-label="Filter by status">
            <ul>{links}</ul>
        </nav>
    }
    .erase()
}

fn filter_link(query: Memo<MarketQuery>, status: Option<TaskStatus>) -> impl IntoView {
    let href = market_url(status, None);
    let words = status.map_or_else(|| "all".to_owned(), status_words);
    let current: Signal<Option<&'static str>> =
        Signal::derive(move || (query.with(|query| query.status) == status).then_some("true"));
    view! {
        <li>
            <a href=href aria-current=current data-status=status.map(TaskStatus::as_str)>{words}</a>
        </li>
    }
}

/// Cursors are of the server's making and safe in a URL; anything else is not followed.
pub(super) fn market_url(status: Option<TaskStatus>, cursor: Option<&str>) -> String {
    let status = status.map(|status| format!("status={}", status.as_str()));
    let cursor = cursor.map(|cursor| format!("cursor={cursor}"));
    let parameters: Vec<String> = status.into_iter().chain(cursor).collect();
    if parameters.is_empty() {
        "/".to_owned()
    } else {
        format!("/?{}", parameters.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_holds_the_filter() {
        assert_eq!(market_url(None, None), "/");
        assert_eq!(
            market_url(Some(TaskStatus::AwaitingFunding), None),
            "/?status=awaiting_funding"
        );
        assert_eq!(
            market_url(Some(TaskStatus::Running), Some("c1")),
            "/?status=running&cursor=c1"
        );
        assert_eq!(market_url(None, Some("c1")), "/?cursor=c1");
    }
}

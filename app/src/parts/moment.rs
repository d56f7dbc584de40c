use jiff::SignedDuration;
use leptos::prelude::*;
use protocol::time::{UnixMs, ago_in_words, span_in_words};

use super::{Erase, text};
use crate::clock::use_clock;

/// A point in time: in UTC as rendered by the server, then in words relative to the reader's now.
#[component]
pub(crate) fn Moment(#[prop(into)] at: Signal<UnixMs>) -> impl IntoView {
    let clock = use_clock();
    let words = text(move || {
        let at = at.get();
        clock.now().map_or_else(
            || utc_text(at),
            |now| ago_in_words(SignedDuration::from_millis(now.0 - at.0)),
        )
    });
    let machine = text(move || at.get().to_rfc3339());
    let exact = text(move || utc_text(at.get()));
    view! { <time datetime=machine title=exact>{words}</time> }.erase()
}

/// A point in time to the second, for places that also say how long things took: `04:09:46 UTC`.
#[component]
pub(crate) fn TimeOfDay(at: UnixMs) -> impl IntoView {
    view! { <time datetime=at.to_rfc3339() title=utc_text(at)>{time_of_day(at)}</time> }.erase()
}

/// How long something has been going on, in whole seconds; nothing until the browser's clock is known.
pub(crate) fn running_span(since: UnixMs) -> Option<String> {
    let span = use_clock().now()?.since(since);
    Some(match span.as_secs() {
        secs @ 0..60 => format!("{secs} s"),
        _ => span_in_words(span),
    })
}

/// `2026-11-23 04:09 UTC`
pub(crate) fn utc_text(at: UnixMs) -> String {
    let text = at.to_rfc3339();
    match (text.get(..10), text.get(11..16)) {
        (Some(date), Some(time)) => format!("{date} {time} UTC"),
        _ => text,
    }
}

fn time_of_day(at: UnixMs) -> String {
    at.to_rfc3339()
        .get(11..19)
        .map(|time| format!("{time} UTC"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_texts_are_in_utc() {
        let at = UnixMs::from_rfc3339("2026-11-23T04:09:46Z").unwrap();
        assert_eq!(utc_text(at), "2026-11-23 04:09 UTC");
        assert_eq!(time_of_day(at), "04:09:46 UTC");
        assert_eq!(utc_text(UnixMs(i64::MAX)), "");
    }
}

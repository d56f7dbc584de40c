use leptos::prelude::*;
use protocol::error::ApiError;

use super::Erase;

use crate::AppError;

/// What went wrong, in place of what should have been there. On the server it also sets the status of the answer.
#[component]
pub(crate) fn Failure(error: AppError) -> impl IntoView {
    let ApiError { code, detail, .. } = error.into_api();
    set_status(code.status());
    view! {
        <div class="empty" role="alert">
            <h1>{code.title()}</h1>
            <p>{sentence(&detail)}</p>
            <p>
                <a class="button" href="/">"To the market"</a>
            </p>
        </div>
    }
    .erase()
}

/// The status of the HTTP answer, while there is one.
fn set_status(status: u16) {
    #[cfg(feature = "ssr")]
    if let (Some(response), Ok(status)) = (
        use_context::<leptos_axum::ResponseOptions>(),
        http::StatusCode::from_u16(status),
    ) {
        response.set_status(status);
    }
    #[cfg(not(feature = "ssr"))]
    let _ = status;
}

/// Details are lower-case without a full stop, because they also end up in the middle of other texts.
fn sentence(detail: &str) -> String {
    let mut letters = detail.chars();
    let first = letters
        .next()
        .map(|c| c.to_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_becomes_a_sentence() {
        assert_eq!(sentence("there is no such task"), "There is no such task.");
    }
}

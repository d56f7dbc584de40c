use leptos::prelude::*;
use protocol::error::ApiError;

use super::{Erase, sentence};
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

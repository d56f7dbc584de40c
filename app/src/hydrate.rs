//! Where the browser enters.

use leptos::prelude::document;
use leptos::task::spawn_local;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::App;

/// Takes over the page that the server rendered.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(App);
    // Queued behind the effects that hydration started, so that whoever waits for the mark finds a page that reacts.
    spawn_local(async {
        if let Some(body) = document().body() {
            // Only tests look at it; the page works without.
            let _result = body.set_attribute("data-hydrated", "");
        }
    });
}

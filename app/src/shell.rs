//! The document around the pages.

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::MetaTags;

use crate::App;

/// Where the files of the page are, from the manifest of the build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageAssets {
    pub js: String,
    pub wasm: String,
    pub css: String,
}

/// The whole HTML document with the page inside.
pub fn shell(assets: &PageAssets) -> impl IntoView + use<> {
    let PageAssets { js, wasm, css } = assets.clone();
    let loader = loader(&js, &wasm);
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" type="image/svg+xml" href="/favicon.svg"/>
                <link rel="stylesheet" href=css/>
                // A file of its own: the policy allows no inline style, and no query tells whether scripts run.
                <noscript>
                    <link rel="stylesheet" href="/noscript.css"/>
                </noscript>
                <link rel="modulepreload" href=js nonce=use_nonce()/>
                <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
                <script type="module" nonce=use_nonce()>{loader}</script>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// Starts the module. The names are JSON strings, with `<` escaped so that no name can end the script element.
fn loader(js: &str, wasm: &str) -> String {
    let quote = |text: &str| serde_json::Value::from(text).to_string().replace('<', "\\u003c");
    let (js, wasm) = (quote(js), quote(wasm));
    format!("import init, {{ hydrate }} from {js};\nawait init({{ module_or_path: {wasm} }});\nhydrate();")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_end_the_script() {
        let script = loader("/pkg/a.js", "/pkg/</script>\".wasm");
        assert!(
            script.starts_with("import init, { hydrate } from \"/pkg/a.js\";"),
            "{script}"
        );
        assert!(!script.contains("</script>"), "{script}");
    }
}

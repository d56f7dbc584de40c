//! A browser with a profile of its own and somebody in front of it.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use fantoccini::wd::{Capabilities, TimeoutConfiguration};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binaries::workspace;
use crate::deadline::{PATIENCE, within};
use crate::program::Program;
use crate::server::temporary_folder;
use crate::session::{DevTools, ReadConsole};

/// The driver says this when it listens, followed by its port and a full stop.
const GREETING: &str = "ChromeDriver was started successfully on port ";

/// Waits in the page itself: a look after every change of the document, no matter how it came about.
const OBSERVE: &str = "
    const done = arguments[arguments.length - 1];
    const look = () => {
        const found = (EXPRESSION);
        if (found) { observer.disconnect(); done(found); }
    };
    const observer = new MutationObserver(look);
    const everything = { subtree: true, childList: true, attributes: true, characterData: true };
    observer.observe(document, everything);
    look();";

/// What the person prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Light,
    Dark,
}

impl Scheme {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

#[derive(Debug)]
pub struct TestBrowser {
    client: Client,
    // Before the folder, so that nothing writes to it while it is being removed.
    driver: Program,
    _profile: TempDir,
}

impl TestBrowser {
    pub async fn start() -> Self {
        Self::with_preferences(json!({})).await
    }

    /// A browser whose person has switched JavaScript off.
    pub async fn without_scripts() -> Self {
        Self::with_preferences(json!({ "profile.managed_default_content_settings.javascript": 2 })).await
    }

    async fn with_preferences(preferences: Value) -> Self {
        let profile = temporary_folder();
        let mut command = Command::new(program("PARITY_CHROMEDRIVER", "chromedriver"));
        command.arg("--port=0").env("TMPDIR", profile.path());
        let mut driver = Program::start(&mut command);
        let port = driver.says(GREETING).await;
        let address = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities(profile.path(), &preferences));
        let client = within("the browser starts", builder.connect(&address)).await;
        let client = client.expect("a browser session");
        let timeouts = TimeoutConfiguration::new(Some(PATIENCE), Some(PATIENCE), None);
        client
            .update_timeouts(timeouts)
            .await
            .expect("the driver takes timeouts");
        Self {
            client,
            driver,
            _profile: profile,
        }
    }

    /// Opens a page and waits until it is loaded.
    pub async fn opens(&self, url: &str) {
        self.client.goto(url).await.expect("the page loads");
    }

    pub async fn reloads(&self) {
        self.client.refresh().await.expect("the page loads again");
    }

    /// The path the browser is at.
    pub async fn path(&self) -> String {
        self.client
            .current_url()
            .await
            .expect("the browser is somewhere")
            .path()
            .to_owned()
    }

    /// Waits for hydration, after which the page answers by itself.
    pub async fn sees_hydrated(&self) {
        self.sees("hydration", "document.body.hasAttribute('data-hydrated')")
            .await;
    }

    /// Types into a field of the form, over what is there.
    pub async fn fills(&self, field: &str, text: &str) {
        let field = self.find(&format!("[name='{field}']")).await;
        field.clear().await.expect("the field can be cleared");
        field.send_keys(text).await.expect("the field takes text");
    }

    pub async fn clicks(&self, selector: &str) {
        self.find(selector)
            .await
            .click()
            .await
            .expect("it can be clicked");
    }

    /// The text of an element as a person sees it.
    pub async fn reads(&self, selector: &str) -> String {
        self.find(selector).await.text().await.expect("it has a text")
    }

    async fn find(&self, selector: &str) -> fantoccini::elements::Element {
        let found = self.client.find(Locator::Css(selector)).await;
        found.unwrap_or_else(|error| panic!("{selector} is not on the page: {error}"))
    }

    /// Waits until a JavaScript expression is truthy and returns its value. Needs scripts.
    pub async fn sees(&self, what: &str, expression: &str) -> Value {
        let script = OBSERVE.replace("EXPRESSION", expression);
        match self.client.execute_async(&script, Vec::new()).await {
            Ok(value) => value,
            Err(error) => panic!(
                "the page never shows {what} ({error}); it shows:\n{}",
                self.reads("body").await
            ),
        }
    }

    /// The value of a JavaScript expression now.
    pub async fn evaluates(&self, expression: &str) -> Value {
        let script = format!("return ({expression});");
        self.client
            .execute(&script, Vec::new())
            .await
            .expect("the expression is sound")
    }

    /// Leaves a mark that a new document would not have.
    pub async fn marks_document(&self) {
        self.evaluates("window.parityTestMark = true").await;
    }

    pub async fn is_same_document(&self) -> bool {
        self.evaluates("window.parityTestMark === true").await == Value::Bool(true)
    }

    /// The warnings and errors on the console since the last time.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self
            .client
            .issue_cmd(ReadConsole)
            .await
            .expect("the driver keeps the console");
        let entries = log.as_array().expect("a list").iter();
        let is_bad = |entry: &&Value| entry["level"] == "SEVERE" || entry["level"] == "WARNING";
        entries
            .filter(is_bad)
            .map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    pub async fn prefers(&self, scheme: Scheme) {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme.as_str() });
        let parameters = json!({ "features": [feature] });
        self.devtools("Emulation.setEmulatedMedia", parameters).await;
    }

    /// Gives the page a size in CSS pixels.
    pub async fn resizes(&self, width: u32, height: u32) {
        let parameters = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", parameters)
            .await;
    }

    async fn devtools(&self, command: &'static str, parameters: Value) {
        let command = DevTools { command, parameters };
        self.client
            .issue_cmd(command)
            .await
            .expect("the browser takes the command");
    }

    /// Keeps a picture of what is to be seen in `target/screens`.
    pub async fn photographs(&self, name: &str) {
        let folder = workspace().join("target/screens");
        fs::create_dir_all(&folder).expect("the folder can be made");
        let picture = self.client.screenshot().await.expect("a picture");
        fs::write(folder.join(format!("{name}.png")), picture).expect("the picture can be kept");
    }

    /// Closes the browser.
    pub async fn closes(mut self) {
        let complaints = self.complaints().await;
        self.client.clone().close().await.expect("the browser closes");
        self.driver.terminate().await;
        assert!(complaints.is_empty(), "the console is not clean: {complaints:#?}");
    }
}

fn capabilities(profile: &Path, preferences: &Value) -> Capabilities {
    let profile = format!("--user-data-dir={}", profile.join("profile").display());
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        // The shared memory of a container is often too small for a page.
        "--disable-dev-shm-usage",
        "--window-size=1280,900",
        &profile,
    ];
    let mut options = json!({ "args": arguments, "prefs": preferences });
    if let Some(path) = env::var_os("PARITY_CHROMIUM") {
        options["binary"] = Value::String(path.to_string_lossy().into_owned());
    }
    let mut capabilities = Capabilities::new();
    capabilities.insert("browserName".to_owned(), json!("chrome"));
    capabilities.insert("goog:chromeOptions".to_owned(), options);
    capabilities.insert("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" }));
    capabilities
}

fn program(variable: &str, default: &str) -> std::ffi::OsString {
    env::var_os(variable).unwrap_or_else(|| default.into())
}

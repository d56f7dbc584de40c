//! What every handler can reach.

use std::sync::Arc;

use app::PageAssets;
use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::services::Services;

/// Open WebSockets of each kind. Beyond it a new one is told to come back later.
const MAX_LIVE_SOCKETS: usize = 20_000;
const MAX_AGENT_SOCKETS: usize = 5_000;

#[derive(Clone, Debug)]
pub struct AppState {
    pub services: Services,
    pub assets: Arc<PageAssets>,
    /// Set when the server begins to stop.
    pub draining: CancellationToken,
    pub live_sockets: Arc<Semaphore>,
    pub agent_sockets: Arc<Semaphore>,
    /// Open sockets: a stop waits for their last words.
    pub sockets: TaskTracker,
    leptos: LeptosOptions,
}

impl AppState {
    pub fn new(services: Services, assets: PageAssets, draining: CancellationToken) -> Self {
        Self {
            services,
            assets: Arc::new(assets),
            draining,
            live_sockets: Arc::new(Semaphore::new(MAX_LIVE_SOCKETS)),
            agent_sockets: Arc::new(Semaphore::new(MAX_AGENT_SOCKETS)),
            sockets: TaskTracker::new(),
            leptos: LeptosOptions::builder().output_name("parity").build(),
        }
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}

impl FromRef<AppState> for Services {
    fn from_ref(state: &AppState) -> Self {
        state.services.clone()
    }
}

//! Starts everything in order, waits for the word to stop, and stops it in reverse.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use app::PageAssets;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::SystemClock;
use crate::config::ServerConfig;
use crate::http::{AppState, assets, ops, router};
use crate::services::{ServiceError, Services};
use crate::store::{Store, StoreError};
use crate::{jobs, serve};

/// Connections of the ops address: a few scrapers.
const OPS_CONNECTIONS: usize = 50;

/// Sockets are told to leave when the server stops; a last frame takes this long at most.
const SOCKETS_LEAVE_WITHIN: Duration = Duration::from_secs(2);

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the database in {folder} cannot be opened")]
    Store {
        folder: String,
        #[source]
        source: StoreError,
    },
    #[error("{address} cannot be listened on")]
    Listen {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error("signals cannot be watched")]
    Signals(#[source] std::io::Error),
    #[error("the leases of before could not be taken over")]
    Recover(#[source] ServiceError),
}

/// Serves until SIGTERM or SIGINT. Prints `parity-server listening on URL` to stdout once it answers.
pub async fn run(config: ServerConfig) -> Result<(), StartError> {
    // Bound first: two servers on one database would fight, and the address is the usual sign of the second.
    let listener = listen(config.listen).await?;
    let store = Store::open(&config.data_dir)
        .await
        .map_err(|source| StartError::Store {
            folder: config.data_dir.display().to_string(),
            source,
        })?;
    let services = Services::new(
        store.clone(),
        Arc::new(SystemClock),
        config.policy(),
        config.lease_times(),
    );
    services.recover().await.map_err(StartError::Recover)?;
    let draining = CancellationToken::new();
    let state = AppState::new(services.clone(), page_assets(), draining.clone());
    let tracker = TaskTracker::new();
    jobs::spawn(&services, &draining, &tracker);
    if let Some(address) = config.ops_listen {
        let listener = listen(address).await?;
        let router = ops::router(state.clone());
        tracker.spawn(serve::serve(
            listener,
            router,
            OPS_CONNECTIONS,
            draining.clone(),
            config.drain.0,
        ));
    }
    let stop = stop_signal()?;
    announce(&listener, config.listen);
    let sockets = state.sockets.clone();
    let public = router::router(state);
    let serving = serve::serve(
        listener,
        public,
        config.max_connections,
        draining.clone(),
        config.drain.0,
    );
    let watching = async {
        stop.await;
        tracing::info!("stopping");
        services.dispatcher().announce_drain();
        draining.cancel();
    };
    tokio::join!(serving, watching);
    tracker.close();
    tracker.wait().await;
    sockets.close();
    if tokio::time::timeout(SOCKETS_LEAVE_WITHIN, sockets.wait())
        .await
        .is_err()
    {
        tracing::warn!("sockets were still open at the end");
    }
    store.close().await;
    Ok(())
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Listen { address, source })
}

/// Scripts wait for this line; with port 0 it is the only place that names the port.
fn announce(listener: &TcpListener, configured: SocketAddr) {
    use std::io::Write;

    let address = listener.local_addr().unwrap_or(configured);
    let mut stdout = std::io::stdout();
    // Nobody reading is no reason not to serve.
    let _closed =
        writeln!(stdout, "parity-server listening on http://{address}").and_then(|()| stdout.flush());
    tracing::info!(server.address = %address, "anonymous posting is allowed: this is a development server");
}

fn page_assets() -> PageAssets {
    assets::page_assets().unwrap_or_else(|| {
        tracing::warn!("built without the files of the page, so pages are static: run `cargo xtask build`");
        PageAssets {
            js: String::new(),
            wasm: String::new(),
            css: String::new(),
        }
    })
}

/// Resolves at the first SIGTERM or SIGINT.
fn stop_signal() -> Result<impl Future<Output = ()>, StartError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(StartError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::Signals)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

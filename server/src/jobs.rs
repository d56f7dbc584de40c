//! Background passes. Each is level-triggered and idempotent: a wake-up only makes it look sooner.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::services::{ServiceError, Services};

/// How often what time alone changes is looked at. A dead lease is noticed at most this late.
const PASS_EVERY: Duration = Duration::from_secs(1);

/// Starts every pass; they end when the token is cancelled.
pub fn spawn(services: &Services, stop: &CancellationToken, tracker: &TaskTracker) {
    tracker.spawn(dispatch(services.clone(), stop.clone()));
    tracker.spawn(expire(services.clone(), stop.clone()));
}

/// Hands out work whenever a task was queued, a slot became free, or a back-off is over.
async fn dispatch(services: Services, stop: CancellationToken) {
    loop {
        if let Err(error) = services.dispatch_once().await {
            log_failure("dispatch", error);
        }
        let back_off_over = next_back_off(&services).await;
        tokio::select! {
            () = services.dispatcher().woken() => {}
            () = tokio::time::sleep(back_off_over) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Until the next task leaves its back-off; bounded, so that a failed look does not stop the queue.
async fn next_back_off(services: &Services) -> Duration {
    match services.next_queued_in().await {
        Ok(Some(wait)) => wait.clamp(Duration::from_millis(10), Duration::from_secs(10)),
        Ok(None) => Duration::from_secs(10),
        Err(_) => PASS_EVERY,
    }
}

async fn expire(services: Services, stop: CancellationToken) {
    loop {
        match services.expire_leases_once().await {
            Ok(0) => {}
            Ok(ended) => tracing::warn!(leases.ended = ended, "leases ran out"),
            Err(error) => log_failure("expire_leases", error),
        }
        if let Err(error) = services.expire_tasks_once().await {
            log_failure("expire_tasks", error);
        }
        tokio::select! {
            () = tokio::time::sleep(PASS_EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

fn log_failure(pass: &str, error: ServiceError) {
    // The cause is logged where the error is turned into words.
    let error = error.into_api();
    tracing::warn!(
        pass,
        error.detail = error.detail,
        "a pass failed; the next one tries again"
    );
}

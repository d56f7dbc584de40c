//! An engine that fails: no work is taken until it answers again, because each task taken meanwhile would lose one of
//! its attempts to a runner that cannot run it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tracing::{info, warn};

use super::Event;
use super::dispatcher::Dispatcher;
use crate::sandbox::Sandbox;

/// The first look after a failure; each next one waits twice as long, up to the longest.
const FIRST_LOOK_AFTER: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

impl Dispatcher {
    pub(super) fn engine_failed(&mut self) {
        if self.engine_answers {
            warn!("the container engine fails: taking no work until it answers");
            self.engine_answers = false;
            tokio::spawn(wait_for_it(Arc::clone(&self.sandbox), self.events.clone()));
        }
    }

    pub(super) fn engine_is_back(&mut self) {
        info!("the container engine answers");
        self.engine_answers = true;
        // What could not be removed while it was away.
        self.look_for_leftovers();
    }
}

async fn wait_for_it(sandbox: Arc<dyn Sandbox>, events: mpsc::Sender<Event>) {
    let mut pause = FIRST_LOOK_AFTER;
    loop {
        tokio::time::sleep(pause).await;
        if sandbox.health().await.is_ok() {
            break;
        }
        pause = (pause * 2).min(LONGEST_WAIT);
    }
    let _sent = events.send(Event::EngineIsBack).await;
}

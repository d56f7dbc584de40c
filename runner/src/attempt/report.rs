//! What the dispatcher hears from an attempt.

use protocol::agent::{AttemptKey, Stage};
use protocol::outcome::Outcome;
use tokio::sync::mpsc;

use crate::dispatch::Event;
use crate::outbox::Parcel;

#[derive(Debug)]
pub enum AttemptEvent {
    Stage {
        stage: Stage,
        detail: Option<String>,
    },
    Log(Parcel),
    /// The last of its chunks came before.
    Ended(Box<Outcome>),
    /// Nothing of it is left, and its slot is free.
    CleanedUp,
}

/// The sender of one attempt's events. Nobody listens any more when the runner stops, and then nothing is lost by it.
#[derive(Debug, Clone)]
pub struct Reports {
    attempt: AttemptKey,
    events: mpsc::Sender<Event>,
}

impl Reports {
    pub const fn new(attempt: AttemptKey, events: mpsc::Sender<Event>) -> Self {
        Self { attempt, events }
    }

    pub async fn running(&self) {
        self.send(AttemptEvent::Stage {
            stage: Stage::Running,
            detail: None,
        })
        .await;
    }

    /// Does not wait, so that it can be called from where nothing waits; a full queue loses only a hint.
    pub fn pulling(&self, image: &str) {
        let event = AttemptEvent::Stage {
            stage: Stage::Pulling,
            detail: Some(image.to_owned()),
        };
        let _sent = self.events.try_send(Event::Attempt {
            attempt: self.attempt,
            event,
        });
    }

    pub async fn log(&self, parcel: Parcel) {
        self.send(AttemptEvent::Log(parcel)).await;
    }

    pub async fn ended(&self, outcome: Outcome) {
        self.send(AttemptEvent::Ended(Box::new(outcome))).await;
    }

    pub async fn cleaned_up(&self) {
        self.send(AttemptEvent::CleanedUp).await;
    }

    async fn send(&self, event: AttemptEvent) {
        let attempt = self.attempt;
        let _sent = self.events.send(Event::Attempt { attempt, event }).await;
    }
}

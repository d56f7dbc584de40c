//! A sandbox without an engine, for tests of what stands above it. The command is the script:
//! `out:text`, `err:text`, `hang` (until a signal), `deaf` (until a kill), `stuck` (even after one), `exit:code`,
//! `oom`, `engine` (the engine dies), `panic`; the image `missing:latest` cannot be found, `slow:latest` is pulled
//! for a second.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use protocol::agent::AttemptKey;
use protocol::log::LogStream;
use protocol::task::ImageRef;
use tokio::sync::watch;

use super::{
    Cage, CageSpec, Ended, Leftover, LocalImage, Output, OutputStream, Sandbox, SandboxError, Signal,
};

#[derive(Clone, Default)]
pub(crate) struct FakeSandbox {
    /// What exists now.
    cages: Arc<Mutex<BTreeSet<AttemptKey>>>,
    signals: Arc<Mutex<Vec<Signal>>>,
    is_down: Arc<AtomicBool>,
}

impl FakeSandbox {
    pub(crate) fn existing(&self) -> Vec<AttemptKey> {
        self.cages.lock().unwrap().iter().copied().collect()
    }

    /// A container that an earlier life of the runner left.
    pub(crate) fn leave(&self, attempt: AttemptKey) {
        self.cages.lock().unwrap().insert(attempt);
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::Relaxed);
    }

    pub(crate) fn signals(&self) -> Vec<Signal> {
        self.signals.lock().unwrap().clone()
    }
}

#[async_trait]
impl Sandbox for FakeSandbox {
    async fn image(
        &self,
        image: &ImageRef,
        on_pull: &(dyn Fn() + Send + Sync),
    ) -> Result<LocalImage, SandboxError> {
        match image.as_str() {
            "missing:latest" => Err(SandboxError::ImageNotFound {
                image: image.to_string(),
                source: "no such manifest".into(),
            }),
            name => {
                if name == "slow:latest" {
                    on_pull();
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                Ok(LocalImage {
                    digest: "sha256:fake".to_owned(),
                    ..LocalImage::default()
                })
            }
        }
    }

    async fn create(&self, spec: &CageSpec) -> Result<Box<dyn Cage>, SandboxError> {
        assert!(
            self.cages.lock().unwrap().insert(spec.attempt),
            "one cage per attempt"
        );
        Ok(Box::new(FakeCage {
            sandbox: self.clone(),
            attempt: spec.attempt,
            script: spec.command.clone(),
            started: watch::Sender::new(false),
            signal: watch::Sender::new(None),
        }))
    }

    async fn health(&self) -> Result<(), SandboxError> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(SandboxError::Engine {
                doing: "asking",
                source: "down".into(),
            });
        }
        Ok(())
    }

    async fn cages(&self) -> Result<Vec<Leftover>, SandboxError> {
        let leftover = |attempt: AttemptKey| Leftover {
            id: attempt.epoch.to_string(),
            attempt: Some(attempt),
        };
        Ok(self.existing().into_iter().map(leftover).collect())
    }

    async fn remove(&self, leftover: &Leftover) -> Result<(), SandboxError> {
        if let Some(attempt) = leftover.attempt {
            self.cages.lock().unwrap().remove(&attempt);
        }
        Ok(())
    }
}

struct FakeCage {
    sandbox: FakeSandbox,
    attempt: AttemptKey,
    script: Vec<String>,
    started: watch::Sender<bool>,
    signal: watch::Sender<Option<Signal>>,
}

impl FakeCage {
    fn says(&self, step: &str) -> bool {
        self.script.iter().any(|word| word == step)
    }
}

#[async_trait]
impl Cage for FakeCage {
    fn output(&mut self) -> OutputStream {
        let pieces: Vec<_> = self
            .script
            .iter()
            .filter_map(|step| {
                let (stream, text) = match step.split_once(':')? {
                    ("out", text) => (LogStream::Stdout, text),
                    ("err", text) => (LogStream::Stderr, text),
                    _ => return None,
                };
                Some(Ok(Output {
                    stream,
                    data: Bytes::copy_from_slice(text.as_bytes()),
                }))
            })
            .collect();
        let mut started = self.started.subscribe();
        let begin = async move {
            let _started = started.wait_for(|started| *started).await;
            stream::iter(pieces)
        };
        stream::once(begin).flatten().boxed()
    }

    async fn start(&self) -> Result<(), SandboxError> {
        assert!(!self.says("panic"), "the script says so");
        self.started.send_replace(true);
        Ok(())
    }

    async fn exited(&self) -> Result<(), SandboxError> {
        let mut signals = self.signal.subscribe();
        if self.says("engine") {
            return Err(SandboxError::Engine {
                doing: "waiting",
                source: "gone".into(),
            });
        }
        if self.says("stuck") {
            std::future::pending::<()>().await;
        } else if self.says("deaf") {
            let _killed = signals.wait_for(|signal| *signal == Some(Signal::Kill)).await;
        } else if self.says("hang") {
            let _ended = signals.wait_for(Option::is_some).await;
        }
        Ok(())
    }

    async fn ended(&self) -> Result<Ended, SandboxError> {
        let exit = self
            .script
            .iter()
            .find_map(|step| step.strip_prefix("exit:")?.parse().ok());
        let killed = match *self.signal.borrow() {
            Some(Signal::Kill) => Some(137),
            Some(Signal::Terminate) => Some(143),
            None => None,
        };
        Ok(Ended {
            exit_code: killed.or(exit).unwrap_or(0),
            oom_killed: self.says("oom"),
            not_runnable: None,
        })
    }

    async fn signal(&self, signal: Signal) -> Result<(), SandboxError> {
        self.sandbox.signals.lock().unwrap().push(signal);
        self.signal.send_replace(Some(signal));
        Ok(())
    }

    async fn remove(&mut self) -> Result<(), SandboxError> {
        self.sandbox.cages.lock().unwrap().remove(&self.attempt);
        Ok(())
    }
}

impl Drop for FakeCage {
    fn drop(&mut self) {
        self.sandbox.cages.lock().unwrap().remove(&self.attempt);
    }
}

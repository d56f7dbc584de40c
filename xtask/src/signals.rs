//! Ctrl-C, SIGTERM and SIGHUP.
//!
//! Children run in process groups of their own, so a Ctrl-C in the terminal reaches only us. The thread here
//! passes the signal on to the tool in the foreground (a build, say), which then fails, and the error unwinds
//! through the guards that stop engines and services in their proper order. A second signal kills the tool.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

static RECEIVED: AtomicU32 = AtomicU32::new(0);
static FOREGROUND: Mutex<Vec<Pid>> = Mutex::new(Vec::new());
static LISTENERS: Mutex<Vec<Box<dyn Fn() + Send>>> = Mutex::new(Vec::new());

/// Starts the thread that receives signals; called once, before any child exists.
pub fn listen() -> anyhow::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).context("cannot listen for signals")?;
    thread::spawn(move || {
        for _ in signals.forever() {
            received();
        }
    });
    Ok(())
}

/// Fails when a signal has arrived, so that nothing new is started while everything unwinds.
pub fn check() -> anyhow::Result<()> {
    if RECEIVED.load(Ordering::SeqCst) > 0 {
        bail!("interrupted");
    }
    Ok(())
}

/// Calls `listener` at every signal from now on.
pub fn notify(listener: impl Fn() + Send + 'static) {
    locked(&LISTENERS).push(Box::new(listener));
}

/// While this exists, signals are passed on to the process group of one child.
pub struct Forwarding(Pid);

impl Forwarding {
    pub fn to(group: Pid) -> Self {
        locked(&FOREGROUND).push(group);
        // The signal may have come between the last check and this line; the child must hear of it all the
        // same.
        if RECEIVED.load(Ordering::SeqCst) > 0 {
            let _ = kill_process_group(group, Signal::TERM);
        }
        Self(group)
    }
}

impl Drop for Forwarding {
    fn drop(&mut self) {
        locked(&FOREGROUND).retain(|group| *group != self.0);
    }
}

fn received() {
    let signal = if RECEIVED.fetch_add(1, Ordering::SeqCst) == 0 {
        Signal::TERM
    } else {
        Signal::KILL
    };
    for group in locked(&FOREGROUND).iter() {
        // A group that is already gone is what the signal wanted.
        let _ = kill_process_group(*group, signal);
    }
    for listener in locked(&LISTENERS).iter() {
        listener();
    }
}

/// A panic elsewhere must not keep us from stopping children.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

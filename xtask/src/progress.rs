//! What a person sees while a long step runs.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

/// Often enough to see that it is alive, seldom enough for a log file.
const REMINDER: Duration = Duration::from_secs(15);

/// A shorter wait nobody noticed.
const WORTH_TELLING: Duration = Duration::from_secs(1);

/// Announces a step that prints nothing itself, reminds of it while it runs and says how long it took.
pub fn during<T>(what: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    eprintln!("{what} ...");
    let began = Instant::now();
    let (done, waiting) = mpsc::channel::<()>();
    let name = what.to_owned();
    let reminder = thread::spawn(move || {
        while waiting.recv_timeout(REMINDER) == Err(RecvTimeoutError::Timeout) {
            eprintln!("  ... still {name} ({})", elapsed(began.elapsed()));
        }
    });
    let outcome = work();
    drop(done);
    // The reminder only prints; a panic in it would change nothing.
    let _ = reminder.join();
    if outcome.is_ok() && began.elapsed() > WORTH_TELLING {
        eprintln!("  done in {}", elapsed(began.elapsed()));
    }
    outcome
}

/// A duration for people: `480 ms`, `12.3 s`, `3 min 05 s`.
pub fn elapsed(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..60 => format!("{:.1} s", duration.as_secs_f64()),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(elapsed(Duration::from_millis(480)), "480 ms");
        assert_eq!(elapsed(Duration::from_millis(12_340)), "12.3 s");
        assert_eq!(elapsed(Duration::from_secs(185)), "3 min 05 s");
    }
}

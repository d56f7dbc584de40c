//! Steps, reasons and faults in sentences.

use protocol::outcome::{Fault, Outcome, OutcomeReason};
use protocol::task::{TaskStatus, TaskStep};

pub(super) const fn step_in_words(step: TaskStep) -> &'static str {
    match step {
        TaskStep::Posted => "Posted",
        TaskStep::Leased => "Taken by a runner",
        TaskStep::Pulling => "Pulling the image",
        TaskStep::Started => "Command started",
        TaskStep::Requeued => "Back in the queue",
        TaskStep::CancelRequested => "Cancellation asked for",
        TaskStep::Succeeded => "Succeeded",
        TaskStep::Failed => "Failed",
        TaskStep::Cancelled => "Cancelled",
        TaskStep::Expired => "Expired",
    }
}

/// What ended it, as a headline.
pub(super) fn outcome_in_words(outcome: &Outcome) -> String {
    match (outcome.reason, outcome.exit_code) {
        (OutcomeReason::Exited, Some(0)) => "The command succeeded with exit code 0".to_owned(),
        (OutcomeReason::Exited, Some(code)) => format!("The command ended with exit code {code}"),
        (OutcomeReason::Exited, None) => "The command ended".to_owned(),
        (OutcomeReason::TimedOut, _) => "It ran over its time limit and was killed".to_owned(),
        (OutcomeReason::OutOfMemory, _) => "It ran out of memory and was killed".to_owned(),
        (OutcomeReason::LogLimit, _) => "It wrote more log than allowed and was killed".to_owned(),
        (OutcomeReason::Cancelled, _) => "It was cancelled".to_owned(),
        (OutcomeReason::CommandNotRunnable, _) => "The command could not be started".to_owned(),
        (OutcomeReason::ImageRefused, _) => "The runner does not allow this image".to_owned(),
        (OutcomeReason::ImageNotFound, _) => "There is no such image, or it may not be pulled".to_owned(),
        (OutcomeReason::ImagePullFailed, _) => "Pulling the image failed".to_owned(),
        (OutcomeReason::EngineFailed, _) => "The runner's container engine failed".to_owned(),
        (OutcomeReason::RunnerStopped, _) => "The runner stopped before the end".to_owned(),
        (OutcomeReason::LeaseExpired, _) => "The runner was not heard of any more".to_owned(),
    }
}

/// Whose doing it was, where that matters.
pub(super) const fn fault_in_words(fault: Fault) -> Option<&'static str> {
    match fault {
        Fault::None => None,
        Fault::Task => Some("the task's own doing"),
        Fault::Runner => Some("the runner's fault, not the task's"),
        Fault::Platform => Some("the platform's fault, not the task's"),
    }
}

/// What the reader can expect of a task that is not over.
pub(super) const fn status_explained(status: TaskStatus) -> Option<&'static str> {
    match status {
        TaskStatus::AwaitingFunding => Some("Waits for its reward to be funded."),
        TaskStatus::Queued => Some("Waits for a runner with a free slot."),
        TaskStatus::Leased => Some("A runner has it and prepares the container."),
        TaskStatus::Expired => Some("Nobody finished it before its deadline."),
        _ => None,
    }
}

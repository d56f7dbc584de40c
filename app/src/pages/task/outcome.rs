use leptos::prelude::*;
use protocol::outcome::{Outcome, Usage};
use protocol::quantity::ByteSize;
use protocol::task::TaskView;
use protocol::time::span_in_words;

use super::words::{fault_in_words, outcome_in_words};
use crate::parts::{Erase, Moment, Part, nothing, part, sentence};

/// How it ended, once it has.
#[component]
pub(super) fn OutcomeCard(task: RwSignal<TaskView>) -> impl IntoView {
    part(move || {
        task.with(|task| {
            task.outcome
                .as_ref()
                .map_or_else(nothing, |outcome| outcome_view(task.status.as_str(), outcome))
        })
    })
}

fn outcome_view(status: &'static str, outcome: &Outcome) -> Part {
    view! {
        <section class="outcome" data-status=status data-testid="outcome" aria-label="Result">
            <p class="outcome-words">{outcome_in_words(outcome)}</p>
            <p class="outcome-facts">{explanation(outcome)}</p>
            <p class="outcome-facts muted tabular">
                {usage_in_words(&outcome.usage)} ", ended " <Moment at=outcome.finished_at/>
            </p>
        </section>
    }
    .erase()
}

/// The detail, what the exit code hides, and whose fault it was.
fn explanation(outcome: &Outcome) -> Option<String> {
    let memory = (outcome.oom_killed && outcome.is_success())
        .then_some("a process in the container was killed for memory on the way");
    let parts = [outcome.detail.as_deref(), memory, fault_in_words(outcome.fault)];
    let sentences: Vec<String> = parts.into_iter().flatten().map(sentence).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// `Ran 1.2 s, 340 ms of processor time, 12m memory at most`
fn usage_in_words(usage: &Usage) -> String {
    let span = |ms: u64| span_in_words(std::time::Duration::from_millis(ms));
    let cpu = usage.cpu_ms.map(|ms| format!("{} of processor time", span(ms)));
    let memory = usage
        .peak_memory_bytes
        .map(|bytes| format!("{} memory at most", size_in_words(bytes)));
    let parts: Vec<String> = std::iter::once(format!("Ran {}", span(usage.wall_ms)))
        .chain(cpu)
        .chain(memory)
        .collect();
    parts.join(", ")
}

/// To the next kibibyte or mebibyte.
fn size_in_words(bytes: u64) -> String {
    match bytes.div_ceil(1024) {
        kib @ 0..10_000 => ByteSize::kib(kib).to_string(),
        kib => ByteSize::mib(kib.div_ceil(1024)).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use protocol::outcome::{Fault, OutcomeReason};
    use protocol::time::UnixMs;

    use super::*;

    #[test]
    fn usage_reads_at_a_glance() {
        let usage = Usage {
            wall_ms: 1234,
            cpu_ms: Some(340),
            peak_memory_bytes: Some(12 << 20),
            log_bytes: 0,
        };
        assert_eq!(
            usage_in_words(&usage),
            "Ran 1.2 s, 340 ms of processor time, 12m memory at most"
        );
        assert_eq!(usage_in_words(&Usage::default()), "Ran 0 ms");
    }

    #[test]
    fn an_explanation_says_what_the_exit_code_hides() {
        let mut outcome = Outcome {
            reason: OutcomeReason::Exited,
            fault: Fault::None,
            exit_code: Some(0),
            detail: None,
            oom_killed: false,
            image_digest: None,
            started_at: None,
            finished_at: UnixMs(0),
            usage: Usage::default(),
        };
        assert_eq!(explanation(&outcome), None);
        outcome.oom_killed = true;
        assert!(explanation(&outcome).unwrap().contains("killed for memory"));
        outcome.exit_code = Some(1);
        outcome.fault = Fault::Task;
        outcome.detail = Some("over 64m".to_owned());
        assert_eq!(explanation(&outcome).unwrap(), "Over 64m. The task's own doing.");
    }
}

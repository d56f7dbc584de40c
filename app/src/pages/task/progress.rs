//! What an event does to the task that is shown.

use protocol::live::{EventBody, LiveEvent};
use protocol::task::{TaskStep, TaskView, TimelineEntry};

/// Whether the page knows all after an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Knowledge {
    Complete,
    /// The event is about more than a summary carries, such as the runner's name or the outcome: read the task.
    Partial,
}

/// Takes in an event. Its step joins the timeline once, its summary counts only when it is newer.
pub(super) fn apply(task: &mut TaskView, event: &LiveEvent) -> Knowledge {
    let EventBody::Task {
        step,
        detail,
        task: summary,
    } = &event.body
    else {
        return Knowledge::Complete;
    };
    if summary.id != task.id {
        return Knowledge::Complete;
    }
    add_step(task, event, *step, detail.clone());
    if summary.revision <= task.revision {
        return Knowledge::Complete;
    }
    task.revision = summary.revision;
    task.status = summary.status;
    task.payment = summary.payment;
    task.epoch = summary.epoch;
    task.leased_at = summary.leased_at;
    task.started_at = summary.started_at;
    task.finished_at = summary.finished_at;
    match step {
        TaskStep::Posted | TaskStep::Pulling | TaskStep::Started => Knowledge::Complete,
        _ => Knowledge::Partial,
    }
}

/// Takes in the task as read again, unless something newer was shown in the meantime.
pub(super) fn replace(task: &mut TaskView, fresh: TaskView) {
    if fresh.revision >= task.revision {
        *task = fresh;
    }
}

fn add_step(task: &mut TaskView, event: &LiveEvent, step: TaskStep, detail: Option<String>) {
    if task.timeline.iter().any(|entry| entry.cursor == event.cursor) {
        return;
    }
    let place = task.timeline.partition_point(|entry| entry.cursor < event.cursor);
    let entry = TimelineEntry {
        cursor: event.cursor,
        at: event.at,
        step,
        detail,
    };
    task.timeline.insert(place, entry);
}

#[cfg(test)]
mod tests {
    use protocol::task::{SpecPolicy, TaskStatus, parse_task};
    use protocol::time::UnixMs;

    use super::*;

    fn task() -> TaskView {
        let request = r#"{ "title": "t", "type": "docker", "config": { "command": [] }, "reward": 1,
            "environment": { "type": "docker", "config": { "image": "alpine" } } }"#;
        TaskView {
            id: "0198c0de-0000-7000-8000-000000000001".parse().unwrap(),
            revision: 1,
            status: TaskStatus::Queued,
            payment: protocol::task::PaymentStatus::Unpriced,
            spec: parse_task(request, &SpecPolicy::default()).unwrap(),
            epoch: 0,
            posted_at: UnixMs(0),
            deadline_at: UnixMs(1000),
            leased_at: None,
            started_at: None,
            finished_at: None,
            cancel_requested_at: None,
            outcome: None,
            attempts: Vec::new(),
            timeline: Vec::new(),
            cursor: 1,
        }
    }

    fn event(cursor: i64, step: TaskStep, revision: u64, status: TaskStatus) -> LiveEvent {
        let mut summary = task().summary();
        (summary.revision, summary.status) = (revision, status);
        LiveEvent {
            cursor,
            at: UnixMs(cursor),
            body: EventBody::Task {
                step,
                detail: None,
                task: summary,
            },
        }
    }

    #[test]
    fn a_newer_event_moves_the_task_on() {
        let mut shown = task();
        let started = event(3, TaskStep::Started, 3, TaskStatus::Running);
        assert_eq!(apply(&mut shown, &started), Knowledge::Complete);
        assert_eq!((shown.status, shown.revision), (TaskStatus::Running, 3));
        let ended = event(4, TaskStep::Succeeded, 4, TaskStatus::Succeeded);
        assert_eq!(apply(&mut shown, &ended), Knowledge::Partial);
    }

    #[test]
    fn late_and_repeated_events_only_complete_the_timeline() {
        let mut shown = task();
        apply(&mut shown, &event(5, TaskStep::Started, 3, TaskStatus::Running));
        apply(&mut shown, &event(4, TaskStep::Leased, 2, TaskStatus::Leased));
        apply(&mut shown, &event(5, TaskStep::Started, 3, TaskStatus::Running));
        assert_eq!(shown.status, TaskStatus::Running);
        let cursors: Vec<_> = shown.timeline.iter().map(|entry| entry.cursor).collect();
        assert_eq!(cursors, [4, 5]);
    }

    #[test]
    fn a_slow_answer_does_not_turn_the_task_back() {
        let mut shown = task();
        let slow = shown.clone();
        apply(&mut shown, &event(5, TaskStep::Started, 3, TaskStatus::Running));
        replace(&mut shown, slow);
        assert_eq!(shown.status, TaskStatus::Running);
    }

    #[test]
    fn other_tasks_are_none_of_its_business() {
        let mut shown = task();
        let mut other = event(5, TaskStep::Started, 3, TaskStatus::Running);
        if let EventBody::Task { task, .. } = &mut other.body {
            task.id = "0198c0de-0000-7000-8000-000000000002".parse().unwrap();
        }
        apply(&mut shown, &other);
        assert_eq!(shown, task());
    }
}

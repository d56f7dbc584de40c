//! The rows of the market and what events do to them.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use protocol::id::TaskId;
use protocol::page::Page;
use protocol::task::{TaskStatus, TaskSummary};

use crate::api::MarketQuery;

/// A tab that stays open for days keeps this many rows; the next page has the others.
const MAX_ROWS: usize = 200;

/// Part of the market, newest first. Identifiers sort by the time of posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TaskList {
    status: Option<TaskStatus>,
    /// The top of the list is the top of the market, so that new tasks belong here.
    is_first_page: bool,
    /// There are older tasks than the last one here.
    has_more: bool,
    rows: BTreeMap<Reverse<TaskId>, TaskSummary>,
}

impl TaskList {
    pub(super) fn new(query: MarketQuery, page: Page<TaskSummary>) -> Self {
        let MarketQuery { status, cursor } = query;
        Self {
            status,
            is_first_page: cursor.is_none(),
            has_more: page.next_cursor.is_some(),
            rows: page
                .items
                .into_iter()
                .map(|task| (Reverse(task.id), task))
                .collect(),
        }
    }

    pub(super) fn ids(&self) -> Vec<TaskId> {
        self.rows.keys().map(|id| id.0).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn get(&self, id: TaskId) -> Option<&TaskSummary> {
        self.rows.get(&Reverse(id))
    }

    /// Takes in a change: the row is added, replaced or, when the filter no longer wants it, removed.
    pub(super) fn apply(&mut self, task: TaskSummary) {
        let key = Reverse(task.id);
        let known = self.rows.get(&key).map(|row| row.revision);
        if known.is_some_and(|revision| revision >= task.revision) {
            return;
        }
        if self.status.is_some_and(|status| status != task.status) {
            self.rows.remove(&key);
        } else if known.is_some() || self.belongs(&key) {
            self.rows.insert(key, task);
        }
        while self.rows.len() > MAX_ROWS {
            self.rows.pop_last();
            self.has_more = true;
        }
    }

    /// Whether a task that is not here has its place within this page.
    fn belongs(&self, key: &Reverse<TaskId>) -> bool {
        let is_before_end = self.rows.last_key_value().is_some_and(|(last, _)| key < last);
        let is_after_start = self.rows.first_key_value().is_some_and(|(first, _)| key > first);
        (is_before_end || !self.has_more) && (is_after_start || self.is_first_page)
    }
}

#[cfg(test)]
mod tests {
    use protocol::amount::{Reward, TokenAmount};
    use protocol::task::PaymentStatus;
    use protocol::time::UnixMs;

    use super::*;

    fn task(number: u32, revision: u64, status: TaskStatus) -> TaskSummary {
        TaskSummary {
            id: format!("0198c0de-0000-7000-8000-{number:012}").parse().unwrap(),
            revision,
            title: format!("task {number}"),
            image: "alpine:latest".parse().unwrap(),
            status,
            payment: PaymentStatus::Unpriced,
            reward: Reward {
                amount: TokenAmount::ZERO,
                token: "PAR".to_owned(),
                decimals: 18,
            },
            epoch: 0,
            posted_at: UnixMs(0),
            leased_at: None,
            started_at: None,
            finished_at: None,
            exit_code: None,
        }
    }

    fn list(query: MarketQuery, numbers: &[u32], has_more: bool) -> TaskList {
        let items = numbers
            .iter()
            .map(|&number| task(number, 5, TaskStatus::Queued))
            .collect();
        let next_cursor = has_more.then(|| "next".to_owned());
        TaskList::new(query, Page { items, next_cursor })
    }

    fn titles(list: &TaskList) -> Vec<&str> {
        list.rows.values().map(|row| row.title.as_str()).collect()
    }

    #[test]
    fn a_new_task_appears_on_top() {
        let mut list = list(MarketQuery::default(), &[2, 1], true);
        list.apply(task(3, 1, TaskStatus::Queued));
        assert_eq!(titles(&list), ["task 3", "task 2", "task 1"]);
    }

    #[test]
    fn only_newer_revisions_change_a_row() {
        let mut list = list(MarketQuery::default(), &[1], false);
        list.apply(task(1, 4, TaskStatus::Leased));
        list.apply(task(1, 5, TaskStatus::Leased));
        assert_eq!(list.rows.values().next().unwrap().status, TaskStatus::Queued);
        list.apply(task(1, 6, TaskStatus::Running));
        assert_eq!(list.rows.values().next().unwrap().status, TaskStatus::Running);
    }

    #[test]
    fn a_filter_lets_rows_come_and_go() {
        let query = MarketQuery {
            status: Some(TaskStatus::Queued),
            cursor: None,
        };
        let mut list = list(query, &[1], false);
        list.apply(task(2, 1, TaskStatus::Running));
        assert_eq!(titles(&list), ["task 1"]);
        list.apply(task(1, 6, TaskStatus::Running));
        assert!(list.is_empty());
        list.apply(task(1, 7, TaskStatus::Queued));
        assert_eq!(titles(&list), ["task 1"]);
    }

    #[test]
    fn what_belongs_to_another_page_stays_there() {
        let query = MarketQuery {
            status: None,
            cursor: Some("here".to_owned()),
        };
        let mut second = list(query, &[6, 4], true);
        for number in [7, 5, 3] {
            second.apply(task(number, 1, TaskStatus::Queued));
        }
        assert_eq!(titles(&second), ["task 6", "task 5", "task 4"]);
    }

    #[test]
    fn an_open_tab_does_not_grow_for_ever() {
        let mut list = list(MarketQuery::default(), &[], false);
        for number in 0..500 {
            list.apply(task(number, 1, TaskStatus::Queued));
        }
        assert_eq!(list.rows.len(), MAX_ROWS);
        assert_eq!(titles(&list)[0], "task 499");
    }
}

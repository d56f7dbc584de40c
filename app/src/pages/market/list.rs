//! The rows of the market and what events do to them.

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
    rows: Vec<TaskSummary>,
}

impl TaskList {
    pub(super) fn new(query: MarketQuery, page: Page<TaskSummary>) -> Self {
        let MarketQuery { status, cursor } = query;
        Self {
            status,
            is_first_page: cursor.is_none(),
            has_more: page.next_cursor.is_some(),
            rows: page.items,
        }
    }

    pub(super) fn ids(&self) -> Vec<TaskId> {
        self.rows.iter().map(|task| task.id).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn get(&self, id: TaskId) -> Option<&TaskSummary> {
        self.place(id).ok().map(|place| &self.rows[place])
    }

    /// Takes in a change: the row is added, replaced or, when the filter no longer wants it, removed.
    pub(super) fn apply(&mut self, task: TaskSummary) {
        let is_wanted = self.status.is_none_or(|status| status == task.status);
        match self.place(task.id) {
            Ok(place) if self.rows[place].revision >= task.revision => {}
            Ok(place) if is_wanted => self.rows[place] = task,
            Ok(place) => drop(self.rows.remove(place)),
            Err(place) if is_wanted && self.belongs_at(place) => self.rows.insert(place, task),
            Err(_) => {}
        }
        if self.rows.len() > MAX_ROWS {
            self.rows.truncate(MAX_ROWS);
            self.has_more = true;
        }
    }

    /// Where the task is, or where it would be.
    fn place(&self, id: TaskId) -> Result<usize, usize> {
        self.rows.binary_search_by(|row| id.cmp(&row.id))
    }

    /// Whether a task that is not here has its place within this page.
    fn belongs_at(&self, place: usize) -> bool {
        let is_before_end = place < self.rows.len() || !self.has_more;
        let is_after_start = place > 0 || self.is_first_page;
        is_before_end && is_after_start
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
        list.rows.iter().map(|row| row.title.as_str()).collect()
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
        assert_eq!(list.rows[0].status, TaskStatus::Queued);
        list.apply(task(1, 6, TaskStatus::Running));
        assert_eq!(list.rows[0].status, TaskStatus::Running);
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

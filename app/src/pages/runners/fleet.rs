//! The known runners and what events do to them.

use protocol::id::RunnerId;
use protocol::runner::{RunnerStatus, RunnerView};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fleet(Vec<RunnerView>);

impl Fleet {
    pub(super) fn new(runners: Vec<RunnerView>) -> Self {
        let mut fleet = Self(runners);
        fleet.sort();
        fleet
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, id: RunnerId) -> Option<&RunnerView> {
        self.0.iter().find(|runner| runner.id == id)
    }

    pub(super) fn ids(&self) -> Vec<RunnerId> {
        self.0.iter().map(|runner| runner.id).collect()
    }

    /// Takes in a newer view of a runner.
    pub(super) fn apply(&mut self, runner: RunnerView) {
        match self.0.iter_mut().find(|known| known.id == runner.id) {
            Some(known) if known.revision >= runner.revision => return,
            Some(known) => *known = runner,
            None => self.0.push(runner),
        }
        self.sort();
    }

    /// Those that work first, then by name.
    fn sort(&mut self) {
        self.0
            .sort_by(|a, b| (rank(a), &a.name, a.id).cmp(&(rank(b), &b.name, b.id)));
    }

    /// `3 online, 2 of 12 slots busy`
    pub(super) fn in_words(&self) -> String {
        if self.is_empty() {
            return String::new();
        }
        let online: Vec<_> = self
            .0
            .iter()
            .filter(|runner| runner.status == RunnerStatus::Online)
            .collect();
        let slots: u32 = online.iter().map(|runner| runner.capabilities.slots).sum();
        let busy: u32 = online.iter().map(|runner| runner.busy).sum();
        format!("{} online, {busy} of {slots} slots busy", online.len())
    }
}

fn rank(runner: &RunnerView) -> u8 {
    match runner.status {
        RunnerStatus::Online => 0,
        RunnerStatus::Draining => 1,
        RunnerStatus::Offline => 2,
    }
}

#[cfg(test)]
mod tests {
    use protocol::runner::Capabilities;
    use protocol::time::UnixMs;

    use super::*;

    fn runner(number: u32, name: &str, revision: u64, status: RunnerStatus) -> RunnerView {
        RunnerView {
            id: format!("0198c0de-0000-7000-8000-{number:012}").parse().unwrap(),
            revision,
            name: name.to_owned(),
            status,
            version: "0.1.0".to_owned(),
            capabilities: Capabilities {
                slots: 4,
                ..Capabilities::default()
            },
            busy: 1,
            succeeded: 0,
            failed: 0,
            first_seen_at: UnixMs(0),
            last_seen_at: UnixMs(0),
        }
    }

    #[test]
    fn those_at_work_come_first() {
        let fleet = Fleet::new(vec![
            runner(1, "a", 1, RunnerStatus::Offline),
            runner(2, "c", 1, RunnerStatus::Online),
            runner(3, "b", 1, RunnerStatus::Online),
        ]);
        let names: Vec<_> = fleet
            .ids()
            .into_iter()
            .map(|id| fleet.get(id).unwrap().name.clone())
            .collect();
        assert_eq!(names, ["b", "c", "a"]);
        assert_eq!(fleet.in_words(), "2 online, 2 of 8 slots busy");
    }

    #[test]
    fn only_newer_views_are_taken() {
        let mut fleet = Fleet::new(vec![runner(1, "a", 3, RunnerStatus::Online)]);
        fleet.apply(runner(1, "a", 3, RunnerStatus::Offline));
        let id = fleet.ids()[0];
        assert_eq!(fleet.get(id).unwrap().status, RunnerStatus::Online);
        fleet.apply(runner(1, "a", 4, RunnerStatus::Offline));
        assert_eq!(fleet.get(id).unwrap().status, RunnerStatus::Offline);
    }
}

//! The state machine of the link. It does nothing itself: every method answers with what is to be done.
//!
//! Sockets carry a generation and timers a ticket. What an old socket or an old timer still says is ignored, which is
//! all that is needed to make late callbacks harmless.

use std::sync::Arc;
use std::time::Duration;

use protocol::id::TaskId;
use protocol::live::{ClientMessage, LiveEvent, ServerMessage, Topic};
use protocol::log::LogChunkView;

use super::backoff::pause_after;
use super::news::{LinkState, LogNews, TopicNews};

/// A server that has not greeted by then will not.
const GREETING_TIMEOUT: Duration = Duration::from_secs(10);
/// A socket that slept this long may be dead without knowing; a new one costs one round trip.
const DOUBTFUL_SLEEP: Duration = Duration::from_secs(30);
/// From this many failures in a row the indicator says so.
const FAILURES_SHOWN: u32 = 3;

/// What the shell around the session does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Open a socket, in place of any other; report what it does under this generation.
    Connect {
        generation: u64,
    },
    /// Drop the socket.
    Close,
    Send(ClientMessage),
    /// Call [`Session::timer`] with the ticket after this time.
    Schedule {
        ticket: u64,
        after: Duration,
    },
    Tell(Topic, TopicNews),
    TellLog(TaskId, LogNews),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Waits for the socket to open.
    Connecting,
    /// Open, not greeted yet.
    Open,
    Live,
    /// Waits for the next try.
    Waiting,
    /// The browser says that there is no network.
    NoNetwork,
}

#[derive(Debug)]
struct FollowedTopic {
    topic: Topic,
    cursor: Option<i64>,
    followers: u32,
}

#[derive(Debug)]
struct FollowedLog {
    task: TaskId,
    epoch: u64,
    next_seq: u64,
    ended: bool,
    followers: u32,
}

#[derive(Debug)]
pub struct Session {
    phase: Phase,
    generation: u64,
    ticket: u64,
    failures: u32,
    topics: Vec<FollowedTopic>,
    logs: Vec<FollowedLog>,
}

impl Session {
    /// A session and its first actions.
    pub fn start() -> (Self, Vec<Action>) {
        let mut session = Self {
            phase: Phase::Waiting,
            generation: 0,
            ticket: 0,
            failures: 0,
            topics: Vec::new(),
            logs: Vec::new(),
        };
        let actions = session.connect();
        (session, actions)
    }

    pub fn link(&self) -> LinkState {
        match self.phase {
            Phase::Live => LinkState::Live,
            Phase::NoNetwork => LinkState::Offline,
            _ if self.failures >= FAILURES_SHOWN => LinkState::Offline,
            _ => LinkState::Connecting,
        }
    }

    pub fn opened(&mut self, generation: u64) -> Vec<Action> {
        if generation != self.generation {
            return Vec::new();
        }
        self.phase = Phase::Open;
        let topics = self.topics.iter().map(FollowedTopic::subscribe);
        let logs = self.logs.iter().filter(|log| !log.ended);
        topics.chain(logs.map(FollowedLog::follow)).collect()
    }

    /// The socket closed or could not be opened.
    pub fn closed(&mut self, generation: u64, random: f64) -> Vec<Action> {
        if generation == self.generation {
            self.retry(random)
        } else {
            Vec::new()
        }
    }

    pub fn timer(&mut self, ticket: u64, random: f64) -> Vec<Action> {
        if ticket != self.ticket {
            return Vec::new();
        }
        match self.phase {
            Phase::Connecting | Phase::Open => self.retry(random),
            Phase::Waiting => self.connect(),
            Phase::Live | Phase::NoNetwork => Vec::new(),
        }
    }

    /// The tab is looked at again, after it was hidden for so long.
    pub fn woken(&mut self, hidden: Duration) -> Vec<Action> {
        match self.phase {
            Phase::Waiting | Phase::NoNetwork => self.connect(),
            Phase::Live if hidden >= DOUBTFUL_SLEEP => self.connect(),
            _ => Vec::new(),
        }
    }

    pub fn network_found(&mut self) -> Vec<Action> {
        match self.phase {
            Phase::Waiting | Phase::NoNetwork => self.connect(),
            _ => Vec::new(),
        }
    }

    pub fn network_lost(&mut self) -> Vec<Action> {
        self.phase = Phase::NoNetwork;
        self.generation += 1;
        vec![Action::Close]
    }

    /// Follows a topic from that cursor on.
    pub fn subscribe(&mut self, topic: Topic, after: Option<i64>) -> Vec<Action> {
        let message = ClientMessage::Subscribe { topic, after };
        if let Some(known) = self.topics.iter_mut().find(|known| known.topic == topic) {
            known.followers += 1;
            // A second follower may have painted from an older view: go back to it, applying twice does no harm.
            if after >= known.cursor {
                return Vec::new();
            }
            known.cursor = after;
        } else {
            self.topics.push(FollowedTopic {
                topic,
                cursor: after,
                followers: 1,
            });
        }
        self.if_open(message)
    }

    pub fn unsubscribe(&mut self, topic: Topic) -> Vec<Action> {
        let Some(place) = self.topics.iter().position(|known| known.topic == topic) else {
            return Vec::new();
        };
        self.topics[place].followers -= 1;
        if self.topics[place].followers > 0 {
            return Vec::new();
        }
        self.topics.swap_remove(place);
        self.if_open(ClientMessage::Unsubscribe { topic })
    }

    /// Follows a log from that chunk of that attempt on.
    pub fn follow_log(&mut self, task: TaskId, epoch: u64, next_seq: u64) -> Vec<Action> {
        let place = self.logs.iter().position(|log| log.task == task);
        let known = place.map(|place| self.logs.swap_remove(place));
        let log = FollowedLog {
            task,
            epoch,
            next_seq,
            ended: false,
            followers: known.map_or(1, |known| known.followers + 1),
        };
        let action = log.follow();
        self.logs.push(log);
        if self.is_open() { vec![action] } else { Vec::new() }
    }

    pub fn unfollow_log(&mut self, task: TaskId) -> Vec<Action> {
        let Some(place) = self.logs.iter().position(|log| log.task == task) else {
            return Vec::new();
        };
        self.logs[place].followers -= 1;
        if self.logs[place].followers > 0 {
            return Vec::new();
        }
        self.logs.swap_remove(place);
        self.if_open(ClientMessage::UnfollowLog { task })
    }

    pub fn received(&mut self, generation: u64, message: ServerMessage, random: f64) -> Vec<Action> {
        if generation != self.generation {
            return Vec::new();
        }
        match message {
            ServerMessage::Hello { .. } => {
                self.phase = Phase::Live;
                self.failures = 0;
                Vec::new()
            }
            ServerMessage::Subscribed { topic, cursor } => {
                self.advance(topic, cursor);
                Vec::new()
            }
            ServerMessage::Event(event) => self.event(&Arc::from(event)),
            ServerMessage::Log {
                task,
                epoch,
                chunks,
                next_seq,
            } => self.log(task, epoch, chunks, next_seq),
            ServerMessage::LogEnd {
                task,
                epoch,
                next_seq,
            } => self.log_end(task, epoch, next_seq),
            ServerMessage::Lagged { topic, cursor } => {
                self.advance(topic, cursor);
                vec![Action::Tell(topic, TopicNews::Stale)]
            }
            ServerMessage::Draining => self.retry(random),
            // Said about one message of ours, for example a task that is gone; the page found out by reading it.
            ServerMessage::Error { .. } => Vec::new(),
        }
    }

    fn connect(&mut self) -> Vec<Action> {
        self.phase = Phase::Connecting;
        self.generation += 1;
        let connect = Action::Connect {
            generation: self.generation,
        };
        vec![connect, self.schedule(GREETING_TIMEOUT)]
    }

    fn retry(&mut self, random: f64) -> Vec<Action> {
        self.phase = Phase::Waiting;
        self.generation += 1;
        self.failures = self.failures.saturating_add(1);
        vec![Action::Close, self.schedule(pause_after(self.failures, random))]
    }

    fn schedule(&mut self, after: Duration) -> Action {
        self.ticket += 1;
        Action::Schedule {
            ticket: self.ticket,
            after,
        }
    }

    fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::Live)
    }

    fn if_open(&self, message: ClientMessage) -> Vec<Action> {
        if self.is_open() {
            vec![Action::Send(message)]
        } else {
            Vec::new()
        }
    }

    fn advance(&mut self, topic: Topic, cursor: i64) {
        for known in self.topics.iter_mut().filter(|known| known.topic == topic) {
            known.cursor = known.cursor.max(Some(cursor));
        }
    }

    fn event(&mut self, event: &Arc<LiveEvent>) -> Vec<Action> {
        let about = self
            .topics
            .iter_mut()
            .filter(|known| event.body.is_about(&known.topic));
        about
            .map(|known| {
                known.cursor = known.cursor.max(Some(event.cursor));
                Action::Tell(known.topic, TopicNews::Event(Arc::clone(event)))
            })
            .collect()
    }

    fn log(&mut self, task: TaskId, epoch: u64, chunks: Vec<LogChunkView>, next_seq: u64) -> Vec<Action> {
        let Some((state, mut actions)) = self.log_of(task, epoch) else {
            return Vec::new();
        };
        if chunks.first().is_some_and(|chunk| chunk.seq > state.next_seq) {
            actions.extend(state.follow_again());
            return actions;
        }
        let fresh: Vec<_> = chunks
            .into_iter()
            .filter(|chunk| chunk.seq >= state.next_seq)
            .collect();
        state.next_seq = state.next_seq.max(next_seq);
        if !fresh.is_empty() {
            actions.push(Action::TellLog(task, LogNews::Chunks(fresh)));
        }
        actions
    }

    fn log_end(&mut self, task: TaskId, epoch: u64, next_seq: u64) -> Vec<Action> {
        let Some((state, mut actions)) = self.log_of(task, epoch) else {
            return Vec::new();
        };
        if next_seq > state.next_seq {
            actions.extend(state.follow_again());
        } else {
            state.ended = true;
            actions.push(Action::TellLog(task, LogNews::Ended));
        }
        actions
    }

    /// The followed log, moved on to that attempt when it is a newer one; nothing for an older one.
    fn log_of(&mut self, task: TaskId, epoch: u64) -> Option<(&mut FollowedLog, Vec<Action>)> {
        let mut followed = self.logs.iter_mut().filter(|log| log.task == task);
        let state = followed.find(|log| epoch >= log.epoch)?;
        let mut actions = Vec::new();
        if epoch > state.epoch {
            (state.epoch, state.next_seq, state.ended) = (epoch, 0, false);
            actions.push(Action::TellLog(task, LogNews::Restarted { epoch }));
        }
        Some((state, actions))
    }
}

impl FollowedTopic {
    fn subscribe(&self) -> Action {
        Action::Send(ClientMessage::Subscribe {
            topic: self.topic,
            after: self.cursor,
        })
    }
}

impl FollowedLog {
    fn follow(&self) -> Action {
        Action::Send(ClientMessage::FollowLog {
            task: self.task,
            epoch: self.epoch,
            from_seq: self.next_seq,
        })
    }

    /// Something is missing: ask again from where the log is complete.
    fn follow_again(&self) -> [Action; 2] {
        let unfollow = Action::Send(ClientMessage::UnfollowLog { task: self.task });
        [unfollow, self.follow()]
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;

use protocol::live::EventBody;
use protocol::log::LogStream;
use protocol::runner::{Capabilities, RunnerStatus, RunnerView};
use protocol::time::UnixMs;

use super::*;

const TOPIC: Topic = Topic::Runners;

fn task() -> TaskId {
    "0198c0de-0000-7000-8000-000000000001".parse().unwrap()
}

fn hello() -> ServerMessage {
    ServerMessage::Hello {
        server_version: "1".to_owned(),
        cursor: 0,
    }
}

fn live_session() -> Session {
    let (mut session, _) = Session::start();
    session.opened(1);
    session.received(1, hello(), 0.5);
    session
}

fn event(cursor: i64) -> ServerMessage {
    let runner = RunnerView {
        id: "0198c0de-0000-7000-8000-000000000002".parse().unwrap(),
        revision: 1,
        name: "r".to_owned(),
        status: RunnerStatus::Online,
        version: "1".to_owned(),
        capabilities: Capabilities::default(),
        busy: 0,
        succeeded: 0,
        failed: 0,
        first_seen_at: UnixMs(0),
        last_seen_at: UnixMs(0),
    };
    ServerMessage::Event(Box::new(LiveEvent {
        cursor,
        at: UnixMs(0),
        body: EventBody::Runner { runner },
    }))
}

fn chunk(seq: u64) -> LogChunkView {
    LogChunkView {
        seq,
        stream: LogStream::Stdout,
        at: UnixMs(0),
        text: format!("{seq}\n"),
    }
}

fn log(epoch: u64, seqs: std::ops::Range<u64>) -> ServerMessage {
    ServerMessage::Log {
        task: task(),
        epoch,
        next_seq: seqs.end,
        chunks: seqs.map(chunk).collect(),
    }
}

/// The numbers of the chunks the page was told.
fn told(actions: &[Action]) -> Vec<u64> {
    let chunks = actions.iter().flat_map(|action| match action {
        Action::TellLog(_, LogNews::Chunks(chunks)) => chunks.clone(),
        _ => Vec::new(),
    });
    chunks.map(|chunk| chunk.seq).collect()
}

fn sent(actions: &[Action]) -> Vec<ClientMessage> {
    let messages = actions.iter().filter_map(|action| match action {
        Action::Send(message) => Some(message.clone()),
        _ => None,
    });
    messages.collect()
}

fn subscription(after: i64) -> ClientMessage {
    ClientMessage::Subscribe {
        topic: TOPIC,
        after: Some(after),
    }
}

#[test]
fn it_is_live_once_greeted() {
    let (mut session, actions) = Session::start();
    assert_eq!(actions[0], Action::Connect { generation: 1 });
    assert_eq!(session.link(), LinkState::Connecting);
    session.opened(1);
    assert_eq!(session.link(), LinkState::Connecting);
    session.received(1, hello(), 0.5);
    assert_eq!(session.link(), LinkState::Live);
}

#[test]
fn what_was_followed_before_it_opened_is_asked_for_when_it_does() {
    let (mut session, _) = Session::start();
    assert_eq!(session.subscribe(TOPIC, Some(7)), []);
    assert_eq!(session.follow_log(task(), 1, 3), []);
    let asked = sent(&session.opened(1));
    let follow = ClientMessage::FollowLog {
        task: task(),
        epoch: 1,
        from_seq: 3,
    };
    assert_eq!(asked, [subscription(7), follow]);
}

#[test]
fn after_a_drop_it_resumes_from_the_last_cursor_and_chunk() {
    let mut session = live_session();
    session.subscribe(TOPIC, Some(7));
    session.follow_log(task(), 1, 0);
    session.received(1, event(9), 0.5);
    session.received(1, log(1, 0..4), 0.5);
    let actions = session.closed(1, 1.0);
    let Action::Schedule { ticket, after } = actions[1] else {
        panic!("{actions:?}");
    };
    assert_eq!(after, pause_after(1, 1.0));
    let actions = session.timer(ticket, 0.5);
    let Action::Connect { generation } = actions[0] else {
        panic!("{actions:?}");
    };
    let follow = ClientMessage::FollowLog {
        task: task(),
        epoch: 1,
        from_seq: 4,
    };
    assert_eq!(sent(&session.opened(generation)), [subscription(9), follow]);
}

#[test]
fn an_old_socket_and_an_old_timer_change_nothing() {
    let mut session = live_session();
    session.subscribe(TOPIC, Some(7));
    let actions = session.woken(DOUBTFUL_SLEEP);
    assert_eq!(actions[0], Action::Connect { generation: 2 });
    assert_eq!(session.closed(1, 0.5), []);
    assert_eq!(session.received(1, event(8), 0.5), []);
    assert_eq!(session.timer(1, 0.5), []);
    assert_eq!(sent(&session.opened(2)), [subscription(7)]);
}

#[test]
fn a_server_that_does_not_greet_is_given_up() {
    let (mut session, actions) = Session::start();
    let Action::Schedule { ticket, .. } = actions[1] else {
        panic!("{actions:?}");
    };
    session.opened(1);
    assert_eq!(session.timer(ticket, 0.5)[0], Action::Close);
}

#[test]
fn failures_in_a_row_show_as_offline_until_it_is_greeted_again() {
    let (mut session, mut actions) = Session::start();
    for generation in [1, 3, 5] {
        assert_eq!(session.link(), LinkState::Connecting);
        actions = session.closed(generation, 0.5);
        let Action::Schedule { ticket, .. } = actions[1] else {
            panic!("{actions:?}");
        };
        actions = session.timer(ticket, 0.5);
    }
    assert_eq!(session.link(), LinkState::Offline);
    let Action::Connect { generation } = actions[0] else {
        panic!("{actions:?}");
    };
    session.opened(generation);
    session.received(generation, hello(), 0.5);
    assert_eq!(session.link(), LinkState::Live);
}

#[test]
fn the_network_going_and_coming_is_believed() {
    let mut session = live_session();
    assert_eq!(session.network_lost(), [Action::Close]);
    assert_eq!(session.link(), LinkState::Offline);
    assert!(matches!(session.network_found()[0], Action::Connect { .. }));
    assert_eq!(session.network_found(), []);
}

#[test]
fn a_topic_is_given_up_by_its_last_follower() {
    let mut session = live_session();
    assert_eq!(sent(&session.subscribe(TOPIC, Some(7))), [subscription(7)]);
    assert_eq!(session.subscribe(TOPIC, Some(8)), []);
    assert_eq!(sent(&session.subscribe(TOPIC, Some(3))), [subscription(3)]);
    assert_eq!(session.unsubscribe(TOPIC), []);
    assert_eq!(session.unsubscribe(TOPIC), []);
    let given_up = ClientMessage::Unsubscribe { topic: TOPIC };
    assert_eq!(sent(&session.unsubscribe(TOPIC)), [given_up]);
    assert_eq!(session.unsubscribe(TOPIC), []);
}

#[test]
fn a_lag_is_told_and_the_next_cursor_kept() {
    let mut session = live_session();
    session.subscribe(TOPIC, Some(7));
    let lagged = ServerMessage::Lagged {
        topic: TOPIC,
        cursor: 90,
    };
    assert_eq!(
        session.received(1, lagged, 0.5),
        [Action::Tell(TOPIC, TopicNews::Stale)]
    );
    session.woken(DOUBTFUL_SLEEP);
    assert_eq!(sent(&session.opened(2)), [subscription(90)]);
}

#[test]
fn chunks_come_once_and_in_order() {
    let mut session = live_session();
    session.follow_log(task(), 1, 0);
    assert_eq!(told(&session.received(1, log(1, 0..3), 0.5)), [0, 1, 2]);
    assert_eq!(told(&session.received(1, log(1, 1..5), 0.5)), [3, 4]);
    assert_eq!(session.received(1, log(1, 2..4), 0.5), []);
}

#[test]
fn a_gap_is_asked_for_again_and_not_shown() {
    let mut session = live_session();
    session.follow_log(task(), 1, 0);
    session.received(1, log(1, 0..3), 0.5);
    let actions = session.received(1, log(1, 4..6), 0.5);
    assert_eq!(told(&actions), [0_u64; 0]);
    let follow = ClientMessage::FollowLog {
        task: task(),
        epoch: 1,
        from_seq: 3,
    };
    assert_eq!(sent(&actions)[1], follow);
}

#[test]
fn a_new_attempt_starts_the_log_again_and_an_old_one_is_ignored() {
    let mut session = live_session();
    session.follow_log(task(), 1, 9);
    let actions = session.received(1, log(2, 0..2), 0.5);
    assert_eq!(
        actions[0],
        Action::TellLog(task(), LogNews::Restarted { epoch: 2 })
    );
    assert_eq!(told(&actions), [0, 1]);
    assert_eq!(session.received(1, log(1, 9..10), 0.5), []);
}

#[test]
fn a_complete_log_is_not_followed_again() {
    let mut session = live_session();
    session.follow_log(task(), 1, 0);
    session.received(1, log(1, 0..2), 0.5);
    let end = |next_seq| ServerMessage::LogEnd {
        task: task(),
        epoch: 1,
        next_seq,
    };
    assert_eq!(
        sent(&session.received(1, end(5), 0.5)).len(),
        2,
        "an end beyond what came is a gap"
    );
    assert_eq!(
        session.received(1, end(2), 0.5),
        [Action::TellLog(task(), LogNews::Ended)]
    );
    session.woken(DOUBTFUL_SLEEP);
    assert_eq!(session.opened(2), []);
}

#[test]
fn a_draining_server_is_left_and_tried_again() {
    let mut session = live_session();
    let actions = session.received(1, ServerMessage::Draining, 0.5);
    assert_eq!(actions[0], Action::Close);
    assert_eq!(session.link(), LinkState::Connecting);
}

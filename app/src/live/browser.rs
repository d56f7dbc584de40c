//! The link in the browser: carries out what the session decides.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::{
    GetValue, LocalStorage, RwSignal, Set, Signal, StoredValue, document, on_cleanup, provide_context,
    set_timeout, window, window_event_listener_untyped,
};
use leptos::task::spawn_local;
use protocol::id::TaskId;
use protocol::live::Topic;
use web_sys::VisibilityState;

use super::session::{Action, Session};
use super::socket::{Socket, SocketEvent};
use super::{LinkState, LogNews, TopicNews};

type Tell<News> = Rc<dyn Fn(News)>;

/// What pages follow their subject with.
#[derive(Clone, Copy)]
pub struct LiveContext {
    link: RwSignal<LinkState>,
    link_to_server: StoredValue<Link, LocalStorage>,
}

/// Opens the tab's socket. Call once, in the outermost component.
pub fn provide_live() {
    let state = RwSignal::new(LinkState::default());
    let link = Link::new(state);
    provide_context(LiveContext {
        link: state,
        link_to_server: StoredValue::new_local(link.clone()),
    });
    // After hydration: a socket that opened during it would only wait.
    spawn_local(async move { link.start() });
}

impl LiveContext {
    pub fn link(self) -> Signal<LinkState> {
        self.link.into()
    }

    /// Follows a topic until the owner is cleaned up.
    pub fn follow(self, topic: Topic, after: i64, tell: impl Fn(TopicNews) + 'static) {
        let link = self.link_to_server.get_value();
        let id = link.add_topic_follower(topic, Rc::new(tell));
        link.act(|session| session.subscribe(topic, Some(after)));
        let handle = self.link_to_server;
        on_cleanup(move || {
            let Some(link) = handle.try_get_value() else {
                return;
            };
            link.0.borrow_mut().topics.retain(|follower| follower.id != id);
            link.act(|session| session.unsubscribe(topic));
        });
    }

    /// Follows a log until the owner is cleaned up.
    pub fn follow_log(self, task: TaskId, epoch: u64, next_seq: u64, tell: impl Fn(LogNews) + 'static) {
        let link = self.link_to_server.get_value();
        let id = link.add_log_follower(task, Rc::new(tell));
        link.act(|session| session.follow_log(task, epoch, next_seq));
        let handle = self.link_to_server;
        on_cleanup(move || {
            let Some(link) = handle.try_get_value() else {
                return;
            };
            link.0.borrow_mut().logs.retain(|follower| follower.id != id);
            link.act(|session| session.unfollow_log(task));
        });
    }
}

struct Follower<Subject, News> {
    id: u64,
    subject: Subject,
    tell: Tell<News>,
}

struct Parts {
    session: Session,
    state: RwSignal<LinkState>,
    socket: Option<Socket>,
    topics: Vec<Follower<Topic, TopicNews>>,
    logs: Vec<Follower<TaskId, LogNews>>,
    next_id: u64,
    /// What `start` has to do, until it has.
    first_actions: Vec<Action>,
    /// When the tab was hidden, by the browser's clock.
    hidden_at_ms: Option<f64>,
}

/// The session, its socket and its followers. Nothing is borrowed while a follower is told: it may follow or unfollow.
#[derive(Clone)]
struct Link(Rc<RefCell<Parts>>);

impl Link {
    fn new(state: RwSignal<LinkState>) -> Self {
        let (session, first_actions) = Session::start();
        Self(Rc::new(RefCell::new(Parts {
            session,
            state,
            socket: None,
            topics: Vec::new(),
            logs: Vec::new(),
            next_id: 0,
            first_actions,
            hidden_at_ms: None,
        })))
    }

    fn start(&self) {
        let actions = std::mem::take(&mut self.0.borrow_mut().first_actions);
        self.carry_out(actions);
        let link = self.clone();
        window_event_listener_untyped("online", move |_| link.act(Session::network_found));
        let link = self.clone();
        window_event_listener_untyped("offline", move |_| link.act(Session::network_lost));
        // `visibilitychange` is fired at the document and bubbles up to the window.
        let link = self.clone();
        window_event_listener_untyped("visibilitychange", move |_| link.visibility_changed());
        // A page that comes back from the back-forward cache has lost its socket in silence.
        let link = self.clone();
        window_event_listener_untyped("pageshow", move |_| link.visibility_changed());
    }

    fn act(&self, decide: impl FnOnce(&mut Session) -> Vec<Action>) {
        let actions = decide(&mut self.0.borrow_mut().session);
        self.carry_out(actions);
    }

    fn carry_out(&self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Connect { generation } => self.connect(generation),
                Action::Close => drop(self.0.borrow_mut().socket.take()),
                Action::Send(message) => self.send(&message),
                Action::Schedule { ticket, after } => self.schedule(ticket, after),
                Action::Tell(topic, news) => self.tell(topic, &news),
                Action::TellLog(task, news) => self.tell_log(task, &news),
            }
        }
        let parts = self.0.borrow();
        let (link, shown) = (parts.session.link(), parts.state);
        drop(parts);
        shown.set(link);
    }

    fn connect(&self, generation: u64) {
        let link = self.clone();
        let report = move |event| match event {
            SocketEvent::Opened => link.act(|session| session.opened(generation)),
            SocketEvent::Closed => link.act(|session| session.closed(generation, random())),
            SocketEvent::Text(text) => link.received(generation, &text),
        };
        let socket = socket_url().and_then(|url| Socket::connect(&url, report));
        // The greeting's timeout covers a socket that could not even be made.
        let _former = std::mem::replace(&mut self.0.borrow_mut().socket, socket);
    }

    fn send(&self, message: &protocol::live::ClientMessage) {
        let parts = self.0.borrow();
        if let (Some(socket), Ok(text)) = (&parts.socket, serde_json::to_string(message)) {
            socket.send(&text);
        }
    }

    /// A message that cannot be read is of a newer server: the reload that follows its release brings the words.
    fn received(&self, generation: u64, text: &str) {
        if let Ok(message) = serde_json::from_str(text) {
            self.act(|session| session.received(generation, message, random()));
        }
    }

    fn schedule(&self, ticket: u64, after: Duration) {
        let link = self.clone();
        set_timeout(move || link.act(|session| session.timer(ticket, random())), after);
    }

    fn tell(&self, topic: Topic, news: &TopicNews) {
        let followers = followers_of(&self.0.borrow().topics, &topic);
        for tell in followers {
            tell(news.clone());
        }
    }

    fn tell_log(&self, task: TaskId, news: &LogNews) {
        let followers = followers_of(&self.0.borrow().logs, &task);
        for tell in followers {
            tell(news.clone());
        }
    }

    fn add_topic_follower(&self, subject: Topic, tell: Tell<TopicNews>) -> u64 {
        let mut parts = self.0.borrow_mut();
        parts.next_id += 1;
        let id = parts.next_id;
        parts.topics.push(Follower { id, subject, tell });
        id
    }

    fn add_log_follower(&self, subject: TaskId, tell: Tell<LogNews>) -> u64 {
        let mut parts = self.0.borrow_mut();
        parts.next_id += 1;
        let id = parts.next_id;
        parts.logs.push(Follower { id, subject, tell });
        id
    }

    fn visibility_changed(&self) {
        let now = js_sys::Date::now();
        if document().visibility_state() == VisibilityState::Hidden {
            self.0.borrow_mut().hidden_at_ms = Some(now);
            return;
        }
        let hidden_at = self.0.borrow_mut().hidden_at_ms.take().unwrap_or(now);
        let hidden = Duration::try_from_secs_f64((now - hidden_at) / 1000.0).unwrap_or_default();
        self.act(|session| session.woken(hidden));
    }
}

fn followers_of<S: PartialEq, N>(followers: &[Follower<S, N>], subject: &S) -> Vec<Tell<N>> {
    let about = followers.iter().filter(|follower| follower.subject == *subject);
    about.map(|follower| Rc::clone(&follower.tell)).collect()
}

fn random() -> f64 {
    js_sys::Math::random()
}

fn socket_url() -> Option<String> {
    let location = window().location();
    let scheme = if location.protocol().ok()? == "https:" {
        "wss"
    } else {
        "ws"
    };
    Some(format!("{scheme}://{}/api/v1/live", location.host().ok()?))
}

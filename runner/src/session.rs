//! The socket to the server: one outbound WebSocket, made again with growing pauses whenever it breaks.
//!
//! It only carries: what to say and what to make of the answers is the dispatcher's.

use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use protocol::agent::{FromRunner, MAX_FRAME_BYTES, ToRunner};
use protocol::id::RunnerId;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, HeaderValue, InvalidHeaderValue};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use tracing::{debug, info, warn};

use crate::dispatch::{Event, Frame, Link};
use crate::identity::Identity;
use crate::server_url::ServerUrl;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

#[derive(Debug, thiserror::Error)]
enum ConnectError {
    #[error("the credential is no header value")]
    Credential(#[from] InvalidHeaderValue),
    #[error("the server answered {0} instead of opening the socket")]
    Refused(u16),
    #[error("cannot connect")]
    Socket(#[source] Box<SocketError>),
    #[error("no answer within {} s", CONNECT_WITHIN.as_secs())]
    Timeout,
}

impl From<SocketError> for ConnectError {
    fn from(error: SocketError) -> Self {
        match error {
            SocketError::Http(response) => Self::Refused(response.status().as_u16()),
            other => Self::Socket(Box::new(other)),
        }
    }
}

pub struct Session {
    pub server: ServerUrl,
    pub identity: Identity,
    pub events: mpsc::Sender<Event>,
    /// A number to vary the pauses by, so that runners do not come back all at once.
    pub random: fn() -> u16,
}

impl Session {
    /// Keeps a socket open as long as anybody listens to its events.
    pub async fn run(self) {
        let mut failures = 0;
        let mut is_announced = false;
        while !self.events.is_closed() {
            let result = self.connect().await;
            let error = match result {
                Ok(socket) => {
                    let was_welcome = self.carry(socket, &mut is_announced).await;
                    failures = if was_welcome { 0 } else { failures + 1 };
                    None
                }
                Err(error) => {
                    failures += 1;
                    Some(error)
                }
            };
            if !self.events.is_closed() {
                self.wait(pause(failures, (self.random)()), error.as_ref()).await;
            }
        }
    }

    /// Waits before the next connection, with one line about why.
    async fn wait(&self, pause: Duration, error: Option<&ConnectError>) {
        let again_in_ms = pause.as_millis();
        if let Some(error) = error {
            let error = crate::chain(error);
            warn!(server = %self.server, %error, again_in_ms, "no connection to the server");
        } else {
            warn!(server = %self.server, again_in_ms, "the connection to the server ended");
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = self.events.closed() => {}
        }
    }

    async fn connect(&self) -> Result<Socket, ConnectError> {
        let mut request = self.server.agent_socket().into_client_request()?;
        let credential = HeaderValue::from_str(&format!("Bearer {}", self.identity.credential()))?;
        request.headers_mut().insert(AUTHORIZATION, credential);
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_FRAME_BYTES))
            .max_frame_size(Some(MAX_FRAME_BYTES));
        // Without Nagle's algorithm: a line of log does not wait for the acknowledgement of the one before.
        let connecting = connect_async_with_config(request, Some(config), true);
        match timeout(CONNECT_WITHIN, connecting).await {
            Ok(result) => Ok(result?.0),
            Err(_) => Err(ConnectError::Timeout),
        }
    }

    /// Carries frames both ways until either side ends it. Whether the server ever welcomed the runner.
    async fn carry(&self, socket: Socket, is_announced: &mut bool) -> bool {
        let (sink, stream) = socket.split();
        let (link, queue) = Link::new();
        let mut was_welcome = false;
        if self.events.send(Event::Connected(link)).await.is_err() {
            return was_welcome;
        }
        tokio::select! {
            () = write(sink, queue) => {}
            () = self.read(stream, &mut was_welcome, is_announced) => {}
        }
        let _sent = self.events.send(Event::Disconnected).await;
        was_welcome
    }

    async fn read(&self, mut stream: SplitStream<Socket>, was_welcome: &mut bool, is_announced: &mut bool) {
        while let Some(message) = stream.next().await {
            let text = match message {
                Ok(Message::Text(text)) => text,
                Ok(Message::Close(_)) => return,
                Ok(_) => continue,
                Err(error) => {
                    debug!(error = %crate::chain(&error), "the socket failed");
                    return;
                }
            };
            let message: ToRunner = match serde_json::from_str(&text) {
                Ok(message) => message,
                Err(error) => {
                    warn!(%error, "the server sent what this version does not understand");
                    continue;
                }
            };
            if matches!(message, ToRunner::Welcome { .. }) {
                *was_welcome = true;
                announce(&self.server, self.identity.id, is_announced);
            }
            if self.events.send(message.into()).await.is_err() {
                return;
            }
        }
    }
}

/// Writes what is queued, several frames per system call when several are waiting.
async fn write(mut sink: SplitSink<Socket, Message>, mut queue: mpsc::UnboundedReceiver<Frame>) {
    while let Some(frame) = queue.recv().await {
        let mut next = Some(frame);
        while let Some(frame) = next {
            let Some(message) = encode(frame) else {
                return;
            };
            if sink.feed(message).await.is_err() {
                return;
            }
            next = queue.try_recv().ok();
        }
        if sink.flush().await.is_err() {
            return;
        }
    }
    // The dispatcher hung up. The server learns it from the close, or from the silence.
    let _closed = timeout(FIRST_PAUSE, sink.close()).await;
}

fn encode(frame: Frame) -> Option<Message> {
    match frame {
        Frame::Log(log) => Some(Message::binary(log.encode())),
        Frame::Message(message) => to_text(&message).map(Message::text),
    }
}

/// Wire types always become JSON; one that does not ends the connection instead of the process.
fn to_text(message: &FromRunner) -> Option<String> {
    serde_json::to_string(message).ok()
}

/// The line that whoever started the runner waits for.
fn announce(server: &ServerUrl, id: RunnerId, is_announced: &mut bool) {
    if *is_announced {
        info!(%server, "connected again");
    } else {
        println!("parity-runner connected to {server} as {id}");
        *is_announced = true;
    }
}

/// How long to wait after so many failures in a row: twice as long each time, and between half of that and all of it.
fn pause(failures: u32, random: u16) -> Duration {
    let whole = FIRST_PAUSE
        .saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)))
        .min(LONGEST_PAUSE);
    let half = whole / 2;
    (half + half * u32::from(random) / u32::from(u16::MAX)).max(FIRST_PAUSE / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_vary_and_stay_bounded() {
        assert_eq!(pause(0, u16::MAX), FIRST_PAUSE);
        assert_eq!(pause(1, u16::MAX), FIRST_PAUSE);
        assert_eq!(pause(1, 0), FIRST_PAUSE / 2);
        assert_eq!(pause(3, u16::MAX), FIRST_PAUSE * 4);
        assert_eq!(pause(3, 0), FIRST_PAUSE * 2);
        for failures in [10, 100, u32::MAX] {
            assert_eq!(pause(failures, u16::MAX), LONGEST_PAUSE);
            assert_eq!(pause(failures, 0), LONGEST_PAUSE / 2);
        }
    }
}

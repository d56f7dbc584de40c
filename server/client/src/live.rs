//! The live socket: topics and logs, as the browser has them.

use futures_util::{SinkExt, StreamExt};
use protocol::live::{ClientMessage, ServerMessage};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::{Client, ClientError};

/// An open socket. What it brings and how to go on after a drop is told in [`protocol::live`].
#[derive(Debug)]
pub struct LiveSocket {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Client {
    pub async fn live(&self) -> Result<LiveSocket, ClientError> {
        let http = self.url("live");
        let address = http.as_str().replacen("http", "ws", 1);
        let (socket, _answer) = Box::pin(connect_async(address)).await.map_err(broken)?;
        Ok(LiveSocket { socket })
    }
}

impl LiveSocket {
    pub async fn send(&mut self, message: &ClientMessage) -> Result<(), ClientError> {
        let text = serde_json::to_string(message).map_err(ClientError::Unreadable)?;
        self.socket.send(Message::text(text)).await.map_err(broken)
    }

    /// The next message; nothing when the server closed the socket.
    pub async fn next(&mut self) -> Result<Option<ServerMessage>, ClientError> {
        while let Some(frame) = self.socket.next().await {
            match frame.map_err(broken)? {
                Message::Text(text) => return read(&text).map(Some),
                Message::Close(_) => return Ok(None),
                // The library answers pings; the server sends no other kind.
                _ => {}
            }
        }
        Ok(None)
    }

    /// Says goodbye instead of vanishing.
    pub async fn close(mut self) -> Result<(), ClientError> {
        self.socket.close(None).await.map_err(broken)
    }
}

fn read(text: &Utf8Bytes) -> Result<ServerMessage, ClientError> {
    serde_json::from_str(text).map_err(ClientError::Unreadable)
}

fn broken(error: tungstenite::Error) -> ClientError {
    ClientError::Socket(Box::new(error))
}

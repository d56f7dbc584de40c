//! The plainest of clients, so that what is measured is the server.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::error::BenchError;

/// Between two knocks on a door nobody has opened yet: far below anything that is measured.
const KNOCK: Duration = Duration::from_micros(200);
/// The slowest peer takes seconds to start.
const PATIENCE: Duration = Duration::from_mins(1);

/// A first answer and when it came.
#[derive(Debug)]
pub struct FirstAnswer {
    pub first_byte: Duration,
    pub whole: Duration,
    pub text: String,
}

/// An address nobody listens on.
pub async fn free_address() -> Result<SocketAddr, BenchError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let address = listener.and_then(|listener| listener.local_addr());
    address.map_err(BenchError::io("a free port"))
}

/// Knocks until somebody opens, asks for `/`, and tells when the answer came, counted from `began`.
pub async fn first_answer(address: SocketAddr, began: Instant) -> Result<FirstAnswer, BenchError> {
    let failed = || BenchError::io(format!("the first answer of {address}"));
    let mut socket = loop {
        match TcpStream::connect(address).await {
            Ok(socket) => break socket,
            Err(error) if began.elapsed() > PATIENCE => return Err(failed()(error)),
            Err(_) => tokio::time::sleep(KNOCK).await,
        }
    };
    let request = format!("GET / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.map_err(failed())?;
    let first = socket.read_u8().await.map_err(failed())?;
    let first_byte = began.elapsed();
    let mut bytes = vec![first];
    socket.read_to_end(&mut bytes).await.map_err(failed())?;
    Ok(FirstAnswer {
        first_byte,
        whole: began.elapsed(),
        text: String::from_utf8_lossy(&bytes).into_owned(),
    })
}

//! A container's output straight from the engine: its attach stream over the engine's own socket.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::error::BenchError;
use super::probe_image::ProbeImage;
use crate::engine::TestEngine;

/// A container whose output is being read; removed when dropped.
#[derive(Debug)]
pub struct Attached {
    engine: TestEngine,
    id: String,
    stream: UnixStream,
}

impl Attached {
    /// Makes a container of the image, attaches to it, and only then starts it, so that nothing is missed.
    pub async fn start(image: &ProbeImage, command: &[String]) -> Result<Self, BenchError> {
        let engine = image.engine.clone();
        let words: Vec<&str> = ["create", "--network=none", "--log-driver=none", ProbeImage::NAME]
            .into_iter()
            .chain(command.iter().map(String::as_str))
            .collect();
        let id = docker(&engine, &words)?;
        let path = engine.host().trim_start_matches("unix://").to_owned();
        let stream = UnixStream::connect(path)
            .await
            .map_err(BenchError::io("the engine's socket"))?;
        let mut attached = Self { engine, id, stream };
        attached
            .upgrade()
            .await
            .map_err(BenchError::io("the attach stream"))?;
        docker(&attached.engine, &["start", &attached.id])?;
        Ok(attached)
    }

    async fn upgrade(&mut self) -> std::io::Result<()> {
        let path = format!("/containers/{}/attach?stream=1&stdout=1", self.id);
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: docker\r\nconnection: upgrade\r\nupgrade: tcp\r\ncontent-length: 0\r\n\r\n"
        );
        self.stream.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.stream.read_u8().await?);
        }
        if head.starts_with(b"HTTP/1.1 101") {
            Ok(())
        } else {
            Err(std::io::Error::other(String::from_utf8_lossy(&head).into_owned()))
        }
    }

    /// The next piece of output; nothing at its end.
    pub async fn read(&mut self) -> Result<Option<String>, BenchError> {
        // `stream u8 | 0 0 0 | length u32 | bytes`, as the engine's API describes it.
        let mut header = [0; 8];
        match self.stream.read_exact(&mut header).await {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(BenchError::io("the attach stream")(error)),
        }
        let [_, _, _, _, length @ ..] = header;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or_default();
        let mut body = vec![0; length];
        self.stream
            .read_exact(&mut body)
            .await
            .map_err(BenchError::io("the attach stream"))?;
        Ok(Some(String::from_utf8_lossy(&body).into_owned()))
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.engine.docker(&["rm", "--force", &self.id]);
    }
}

fn docker(engine: &TestEngine, words: &[&str]) -> Result<String, BenchError> {
    let answer = engine.docker(words);
    if answer.status.success() {
        Ok(String::from_utf8_lossy(&answer.stdout).trim().to_owned())
    } else {
        Err(BenchError::wrong(
            "docker",
            String::from_utf8_lossy(&answer.stderr),
        ))
    }
}

//! Pulls, against an engine that is played: a Unix socket that answers what Docker would. The real engine of these
//! tests has no registry to pull from.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use protocol::id::RunnerId;
use protocol::outcome::OutcomeReason;
use protocol::quantity::Span;
use runner::sandbox::docker::{DockerSandbox, DockerSettings};
use runner::sandbox::{LocalImage, Sandbox, SandboxError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use uuid::Uuid;

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// What the played engine says to a pull.
#[derive(Clone, Copy)]
enum Registry {
    HasIt,
    Says(&'static str),
    Hangs,
}

struct TestEngine {
    sandbox: DockerSandbox,
    pulls: Arc<AtomicUsize>,
    _folder: tempfile::TempDir,
}

impl TestEngine {
    async fn with(registry: Registry) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("engine.sock");
        let pulls = Arc::new(AtomicUsize::new(0));
        play(&path, registry, Arc::clone(&pulls));
        let settings = DockerSettings {
            host: Some(format!("unix://{}", path.display())),
            runner: RunnerId::from_uuid(Uuid::nil()),
            allowed_registries: vec!["docker.io".to_owned()],
            pull_timeout: Span(Duration::from_millis(300)),
        };
        Self {
            sandbox: DockerSandbox::connect(settings).await.unwrap(),
            pulls,
            _folder: folder,
        }
    }

    async fn image(&self) -> Result<LocalImage, SandboxError> {
        self.sandbox.image(&"alpine:3".parse().unwrap(), &|| {}).await
    }

    fn pulls(&self) -> usize {
        self.pulls.load(Ordering::SeqCst)
    }
}

fn play(path: &Path, registry: Registry, pulls: Arc<AtomicUsize>) {
    let listener = UnixListener::bind(path).unwrap();
    let is_here = Arc::new(AtomicBool::new(false));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, registry, Arc::clone(&pulls), Arc::clone(&is_here)));
        }
    });
}

async fn answer(
    mut stream: UnixStream,
    registry: Registry,
    pulls: Arc<AtomicUsize>,
    is_here: Arc<AtomicBool>,
) {
    let request = read_head(&mut stream).await;
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let (status, body) = if path.ends_with("/version") {
        (200, r#"{"ApiVersion":"1.41"}"#.to_owned())
    } else if path.ends_with("/info") {
        let info = r#"{"OSType":"linux","SecurityOptions":["name=seccomp,profile=default"]}"#;
        (200, info.to_owned())
    } else if path.contains("/images/create") {
        assert!(
            path.contains("fromImage=alpine") && path.contains("tag=3"),
            "{path}"
        );
        pulls.fetch_add(1, Ordering::SeqCst);
        pull(registry, &is_here).await
    } else if is_here.load(Ordering::SeqCst) {
        let image = format!(
            r#"{{"Id":"sha256:1","RepoDigests":["alpine@{DIGEST}"],"Config":{{"Cmd":["sh"],"Volumes":{{"/data/":{{}}}}}}}}"#
        );
        (200, image)
    } else {
        (404, r#"{"message":"No such image: alpine:3"}"#.to_owned())
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _sent = stream.write_all(format!("{head}{body}").as_bytes()).await;
}

async fn read_head(stream: &mut UnixStream) -> String {
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut piece).await.unwrap_or(0);
        if count == 0 {
            break;
        }
        head.extend_from_slice(&piece[..count]);
    }
    String::from_utf8(head).unwrap()
}

async fn pull(registry: Registry, is_here: &AtomicBool) -> (u16, String) {
    match registry {
        Registry::HasIt => {
            // Long enough for everybody who waits to have asked.
            tokio::time::sleep(Duration::from_millis(50)).await;
            is_here.store(true, Ordering::SeqCst);
            (200, "{\"status\":\"Pull complete\"}\n".to_owned())
        }
        Registry::Says(message) => (200, format!(r#"{{"errorDetail":{{"message":{message:?}}}}}"#)),
        Registry::Hangs => std::future::pending().await,
    }
}

#[tokio::test]
async fn everybody_who_waits_for_an_image_shares_one_pull() {
    let engine = TestEngine::with(Registry::HasIt).await;
    let (one, two, three) = tokio::join!(engine.image(), engine.image(), engine.image());
    assert_eq!(engine.pulls(), 1);
    let image = one.unwrap();
    assert_eq!(image.digest, DIGEST);
    assert_eq!(image.volumes, ["/data"]);
    assert_eq!(two.unwrap(), image);
    assert_eq!(three.unwrap(), image);
    assert_eq!(engine.image().await.unwrap(), image);
    assert_eq!(engine.pulls(), 1);
}

#[tokio::test]
async fn a_failed_pull_says_whose_fault_it_is_and_is_tried_anew() {
    for (message, reason, text) in [
        (
            "manifest for alpine:3 not found: manifest unknown: manifest unknown",
            OutcomeReason::ImageNotFound,
            "the image alpine:3 does not exist or may not be pulled",
        ),
        (
            "Get https://registry.example.com/v2/: dial tcp: lookup registry.example.com: no such host",
            OutcomeReason::ImagePullFailed,
            "the image alpine:3 could not be pulled",
        ),
    ] {
        let engine = TestEngine::with(Registry::Says(message)).await;
        for pulls in 1..3 {
            let error = engine.image().await.unwrap_err();
            assert_eq!((error.reason(), error.to_string().as_str()), (reason, text));
            assert!(
                runner::chain(&error).to_string().contains(message),
                "{}",
                runner::chain(&error)
            );
            assert_eq!(engine.pulls(), pulls);
        }
    }
}

#[tokio::test]
async fn a_pull_that_takes_too_long_is_given_up() {
    let engine = TestEngine::with(Registry::Hangs).await;
    let error = engine.image().await.unwrap_err();
    assert_eq!(error.reason(), OutcomeReason::ImagePullFailed);
    assert_eq!(
        error.to_string(),
        "the image alpine:3 was not pulled within 300ms"
    );
}

//! Images: what is here, what is pulled, and one pull for everybody who waits for the same image.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::ImageInspect;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::future::{BoxFuture, FutureExt, Shared, WeakShared};
use futures_util::stream::TryStreamExt;
use protocol::quantity::Span;
use protocol::task::ImageRef;

use super::fault;
use crate::sandbox::limits::clean_path;
use crate::sandbox::{LocalImage, SandboxError};

type Pull = BoxFuture<'static, Result<(), Arc<PullError>>>;

/// A failed pull, which everybody who waited for it gets.
#[derive(Debug, thiserror::Error)]
enum PullError {
    #[error(transparent)]
    Engine(Error),
    #[error("no answer for too long")]
    Timeout,
}

pub(super) struct Images {
    docker: Docker,
    allowed_registries: Vec<String>,
    pull_timeout: Span,
    /// Weak, so that a pull ends with the last attempt that waits for it.
    pulls: Mutex<HashMap<ImageRef, WeakShared<Pull>>>,
}

impl Images {
    pub(super) fn new(docker: Docker, allowed_registries: Vec<String>, pull_timeout: Span) -> Self {
        Self {
            docker,
            allowed_registries,
            pull_timeout,
            pulls: Mutex::default(),
        }
    }

    pub(super) async fn ensure(
        &self,
        image: &ImageRef,
        on_pull: &(dyn Fn() + Send + Sync),
    ) -> Result<LocalImage, SandboxError> {
        // Also for an image that is here: what one task may not name, another task's pull must not make available.
        self.check_registry(image)?;
        if let Some(local) = self.inspect(image).await? {
            return read(image, local);
        }
        on_pull();
        self.shared_pull(image)
            .await
            .map_err(|error| self.failed(image, error))?;
        match self.inspect(image).await? {
            Some(local) => read(image, local),
            None => Err(SandboxError::ImagePull {
                image: image.to_string(),
                source: "the engine does not have it after the pull".into(),
            }),
        }
    }

    fn check_registry(&self, image: &ImageRef) -> Result<(), SandboxError> {
        let registry = image.registry();
        if self.allowed_registries.iter().any(|allowed| allowed == registry) {
            return Ok(());
        }
        Err(SandboxError::RegistryRefused {
            registry: registry.to_owned(),
            allowed: self.allowed_registries.clone(),
        })
    }

    async fn inspect(&self, image: &ImageRef) -> Result<Option<ImageInspect>, SandboxError> {
        match self.docker.inspect_image(image.as_str()).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if fault::is_not_found(&error) => Ok(None),
            Err(error) => Err(fault::engine("looking for the image")(error)),
        }
    }

    fn shared_pull(&self, image: &ImageRef) -> Shared<Pull> {
        let mut pulls = self.pulls.lock().unwrap_or_else(PoisonError::into_inner);
        pulls.retain(|_, pull| pull.upgrade().is_some_and(|pull| pull.peek().is_none()));
        if let Some(running) = pulls.get(image).and_then(WeakShared::upgrade) {
            return running;
        }
        let limit = self.pull_timeout.0;
        let pull = pull(self.docker.clone(), image.clone(), limit)
            .map(|result| result.map_err(Arc::new))
            .boxed()
            .shared();
        pulls.extend(pull.downgrade().map(|weak| (image.clone(), weak)));
        pull
    }

    fn failed(&self, image: &ImageRef, error: Arc<PullError>) -> SandboxError {
        let image = image.to_string();
        match error.as_ref() {
            PullError::Timeout => SandboxError::PullTimeout {
                image,
                limit: self.pull_timeout,
            },
            PullError::Engine(cause) if fault::is_unknown_image(cause) || fault::is_not_found(cause) => {
                SandboxError::ImageNotFound {
                    image,
                    source: Box::new(error),
                }
            }
            PullError::Engine(_) => SandboxError::ImagePull {
                image,
                source: Box::new(error),
            },
        }
    }
}

async fn pull(docker: Docker, image: ImageRef, limit: Duration) -> Result<(), PullError> {
    let options = CreateImageOptionsBuilder::default()
        .from_image(image.repository())
        .tag(image.tag_or_digest())
        .build();
    let done = docker
        .create_image(Some(options), None, None)
        .try_for_each(|_| async { Ok(()) });
    match tokio::time::timeout(limit, done).await {
        Ok(result) => result.map_err(PullError::Engine),
        Err(_) => Err(PullError::Timeout),
    }
}

/// Takes from an image what the cage needs, and refuses one whose volumes would lie over the kernel's files.
fn read(image: &ImageRef, found: ImageInspect) -> Result<LocalImage, SandboxError> {
    let refused = |problem: String| SandboxError::ImageRefused {
        image: image.to_string(),
        problem,
    };
    let id = found
        .id
        .ok_or_else(|| refused("the engine gives it no id".to_owned()))?;
    let config = found.config.unwrap_or_default();
    let volumes = config
        .volumes
        .unwrap_or_default()
        .iter()
        .map(|path| clean_path(path).ok_or_else(|| refused(format!("it declares the volume {path}"))))
        .collect::<Result<_, _>>()?;
    let workdir = config.working_dir.filter(|path| !path.is_empty() && path != "/");
    if let Some(path) = workdir.as_deref().filter(|path| clean_path(path).is_none()) {
        return Err(refused(format!("its working directory is {path}")));
    }
    let is_given = |words: Option<Vec<String>>| words.is_some_and(|words| !words.is_empty());
    Ok(LocalImage {
        digest: digest(image, &found.repo_digests.unwrap_or_default()).unwrap_or_else(|| id.clone()),
        id,
        volumes,
        workdir,
        sets_home: config
            .env
            .is_some_and(|env| env.iter().any(|line| line.starts_with("HOME="))),
        has_command: is_given(config.cmd) || is_given(config.entrypoint),
    })
}

/// The digest of the repository that the reference names, of those that the image is known under.
fn digest(image: &ImageRef, repo_digests: &[String]) -> Option<String> {
    let repository = image.repository();
    let named = repo_digests
        .iter()
        .filter_map(|entry| entry.split_once('@'))
        .find(|(name, _)| *name == repository || name.strip_prefix("docker.io/") == Some(repository));
    named.map(|(_, digest)| digest.to_owned())
}

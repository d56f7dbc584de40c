//! Who this runner is: an id and a credential, made at the first start and kept in the data folder.
//!
//! The folder is locked while the runner lives, because two processes with one identity would fence each other's work.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use protocol::id::RunnerId;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use uuid::Builder;

use crate::clock::Clock;

const FILE: &str = "identity.json";
const LOCK: &str = "lock";

#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("the data folder {} cannot be used", path.display())]
    Folder {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("another runner is using the data folder {}: give each its own --data-dir", path.display())]
    InUse { path: PathBuf },
    #[error("{} is damaged: restore it, or delete it to become a new runner", path.display())]
    Damaged { path: PathBuf },
    #[error("the system has no randomness to make a credential of")]
    NoRandomness(#[source] getrandom::Error),
}

/// The id and the secret that proves it. `Debug` does not show the secret.
#[derive(Clone)]
pub struct Identity {
    pub id: RunnerId,
    credential: String,
}

/// Holds the data folder against other runners until it is dropped.
#[derive(Debug)]
pub struct DataFolderLock {
    _file: File,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    id: RunnerId,
    credential: String,
}

impl Identity {
    /// 32 random bytes in hexadecimal, for `Authorization: Bearer`.
    pub fn credential(&self) -> &str {
        &self.credential
    }

    /// Reads the identity of the data folder, or makes both.
    pub fn open(folder: &Path, clock: &dyn Clock) -> Result<(Self, DataFolderLock), IdentityError> {
        let failed = |source| IdentityError::Folder {
            path: folder.to_owned(),
            source,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(failed)?;
        let lock = lock(folder)?;
        let path = folder.join(FILE);
        let identity = match fs::read(&path) {
            Ok(bytes) => Self::parse(&bytes).ok_or(IdentityError::Damaged { path })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let identity = Self::generate(clock).map_err(IdentityError::NoRandomness)?;
                identity.store(folder).map_err(failed)?;
                identity
            }
            Err(error) => return Err(failed(error)),
        };
        Ok((identity, lock))
    }

    fn generate(clock: &dyn Clock) -> Result<Self, getrandom::Error> {
        let (mut random, mut secret) = ([0_u8; 10], [0_u8; 32]);
        getrandom::fill(&mut random)?;
        getrandom::fill(&mut secret)?;
        let millis = u64::try_from(clock.now().0).unwrap_or_default();
        let uuid = Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        Ok(Self {
            id: RunnerId::from_uuid(uuid),
            credential: hex(&secret),
        })
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let Stored { id, credential } = serde_json::from_slice(bytes).ok()?;
        let is_whole = credential.len() == 64 && credential.bytes().all(|b| b.is_ascii_hexdigit());
        is_whole.then_some(Self { id, credential })
    }

    /// Whole or not at all: a crash in the middle leaves no half identity.
    fn store(&self, folder: &Path) -> io::Result<()> {
        let stored = Stored {
            id: self.id,
            credential: self.credential.clone(),
        };
        let new = folder.join("identity.json.new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(&serde_json::to_vec_pretty(&stored)?)?;
        file.sync_all()?;
        fs::rename(&new, folder.join(FILE))
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

fn lock(folder: &Path) -> Result<DataFolderLock, IdentityError> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(folder.join(LOCK))
        .map_err(|source| IdentityError::Folder {
            path: folder.to_owned(),
            source,
        })?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| IdentityError::InUse {
        path: folder.to_owned(),
    })?;
    Ok(DataFolderLock { _file: file })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn the_identity_survives_a_restart_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new");
        let (first, lock) = Identity::open(&path, &SystemClock).unwrap();
        assert!(matches!(
            Identity::open(&path, &SystemClock),
            Err(IdentityError::InUse { .. })
        ));
        drop(lock);
        let (second, _lock) = Identity::open(&path, &SystemClock).unwrap();
        assert_eq!((first.id, first.credential()), (second.id, second.credential()));
        assert_eq!(first.credential().len(), 64);
        let mode = fs::metadata(path.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!format!("{first:?}").contains(first.credential()));
    }

    #[test]
    fn a_damaged_identity_is_reported_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "{").unwrap();
        assert!(matches!(
            Identity::open(folder.path(), &SystemClock),
            Err(IdentityError::Damaged { .. })
        ));
        assert_eq!(fs::read_to_string(folder.path().join(FILE)).unwrap(), "{");
    }
}

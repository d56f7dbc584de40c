//! Opens the database: connections, settings of the engine, migrations.

use std::path::Path;
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::migrate::Migrator;
use sqlx::{AnyConnection, Connection};

use super::writer::Writer;
use super::{Store, StoreError};

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("../migrations/sqlite");

/// Readers at the same time. Reads take microseconds; more connections than this only hold memory.
const READERS: u32 = 4;

/// Waits for a lock this long; only another process on the same file can hold one.
const BUSY_TIMEOUT: &str = "PRAGMA busy_timeout = 5000";

/// FULL: an acknowledged commit survives a power cut. The cache is bounded to 2 MiB per connection.
const WRITER_PRAGMAS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA cache_size = -2048;
    PRAGMA journal_size_limit = 67108864;
";

const READER_PRAGMAS: &str = "
    PRAGMA query_only = ON;
    PRAGMA cache_size = -1024;
";

impl Store {
    /// Opens `parity.db` in the folder, makes both when missing, and brings the schema up to date.
    pub async fn open(data_dir: &Path) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        std::fs::create_dir_all(data_dir)?;
        let url = sqlite_url(&data_dir.join("parity.db"));
        let mut connection = AnyConnection::connect(&url).await?;
        sqlx::raw_sql(BUSY_TIMEOUT).execute(&mut connection).await?;
        sqlx::raw_sql(WRITER_PRAGMAS).execute(&mut connection).await?;
        SQLITE_MIGRATIONS.run(&mut connection).await?;
        let head = super::head_cursor(&mut connection).await?;
        let readers = AnyPoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(Duration::from_secs(5))
            // A file does not hang up; asking before each use would double the cost of small reads.
            .test_before_acquire(false)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    sqlx::raw_sql(BUSY_TIMEOUT).execute(&mut *connection).await?;
                    sqlx::raw_sql(READER_PRAGMAS).execute(connection).await?;
                    Ok(())
                })
            })
            .connect_lazy(&url)?;
        Ok(Self {
            readers,
            writer: Writer::start(connection, head),
        })
    }
}

/// A path may hold characters that mean something in a URL.
fn sqlite_url(path: &Path) -> String {
    let path = path
        .to_string_lossy()
        .replace('%', "%25")
        .replace('?', "%3F")
        .replace('#', "%23");
    format!("sqlite://{path}?mode=rwc")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_with_odd_characters_is_opened_twice() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join("a b%c?d#e");
        for _ in 0..2 {
            let store = Store::open(&odd).await.unwrap();
            store.close().await;
        }
        assert!(odd.join("parity.db").exists());
    }
}

//! Runners: who they are and whether they are here.

use protocol::id::RunnerId;
use protocol::runner::{Capabilities, RunnerStatus, RunnerView};
use protocol::time::UnixMs;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::error::ensure_one;
use super::events::append_runner_event;
use super::row::{Columns, to_json};
use super::{StoreError, Tx};

/// A statement that reads what [`read_runner`] needs.
macro_rules! select_runners {
    ($rest:literal) => {
        concat!(
            "SELECT r.id AS id, r.revision AS revision, r.name AS name, r.status AS status, ",
            "r.version AS version, r.capabilities AS capabilities, r.succeeded AS succeeded, ",
            "r.failed AS failed, r.first_seen_at AS first_seen_at, r.last_seen_at AS last_seen_at, ",
            "(SELECT COUNT(*) FROM tasks t WHERE t.runner_id = r.id AND t.status IN ('leased', 'running')) ",
            "AS busy FROM runners r ",
            $rest
        )
    };
}

/// What a runner says of itself when it connects.
#[derive(Debug, Clone)]
pub struct RunnerHello {
    pub id: RunnerId,
    /// SHA-256 in hex.
    pub credential_sha256: String,
    pub name: String,
    pub version: String,
    pub capabilities: Capabilities,
}

/// Records that a runner is here. The first credential seen for an id is the only one accepted later.
///
/// # Errors
/// [`StoreError::Conflict`] when the credential is another one.
pub async fn record_hello(tx: &mut Tx, hello: RunnerHello, now: UnixMs) -> Result<RunnerView, StoreError> {
    let upsert = "
        INSERT INTO runners (id, revision, credential_sha256, name, status, version, capabilities,
                             succeeded, failed, first_seen_at, last_seen_at)
        VALUES ($1, 1, $2, $3, 'online', $4, $5, 0, 0, $6, $6)
        ON CONFLICT (id) DO UPDATE
        SET revision = runners.revision + 1, name = $3, status = 'online', version = $4, capabilities = $5,
            last_seen_at = $6
        WHERE runners.credential_sha256 = $2";
    let result = sqlx::query(upsert)
        .bind(hello.id.to_string())
        .bind(&hello.credential_sha256)
        .bind(&hello.name)
        .bind(&hello.version)
        .bind(to_json(&hello.capabilities)?)
        .bind(now.0)
        .execute(tx.connection())
        .await?;
    ensure_one(&result)?;
    announce(tx, hello.id, now).await
}

/// Changes whether it is here; nothing happens when it already is so.
pub async fn set_runner_status(
    tx: &mut Tx,
    id: RunnerId,
    status: RunnerStatus,
    now: UnixMs,
) -> Result<(), StoreError> {
    let update = "
        UPDATE runners SET status = $2, revision = revision + 1, last_seen_at = $3
        WHERE id = $1 AND status <> $2";
    let result = sqlx::query(update)
        .bind(id.to_string())
        .bind(status.as_str())
        .bind(now.0)
        .execute(tx.connection())
        .await?;
    if result.rows_affected() == 1 {
        announce(tx, id, now).await?;
    }
    Ok(())
}

/// It gave a sign of life. No event: nobody follows seconds.
pub async fn touch_runner(tx: &mut Tx, id: RunnerId, now: UnixMs) -> Result<(), StoreError> {
    let update = "UPDATE runners SET last_seen_at = $2 WHERE id = $1";
    sqlx::query(update)
        .bind(id.to_string())
        .bind(now.0)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// At start no socket is open yet.
pub async fn mark_all_runners_offline(tx: &mut Tx) -> Result<(), StoreError> {
    let update = "UPDATE runners SET status = 'offline', revision = revision + 1 WHERE status <> 'offline'";
    sqlx::query(update).execute(tx.connection()).await?;
    Ok(())
}

/// An attempt of it ended.
pub(super) async fn count_result(
    tx: &mut Tx,
    id: RunnerId,
    failed: bool,
    now: UnixMs,
) -> Result<(), StoreError> {
    let update = "
        UPDATE runners SET revision = revision + 1, succeeded = succeeded + $2, failed = failed + $3
        WHERE id = $1";
    let (succeeded, failed) = (i64::from(!failed), i64::from(failed));
    sqlx::query(update)
        .bind(id.to_string())
        .bind(succeeded)
        .bind(failed)
        .execute(tx.connection())
        .await?;
    announce(tx, id, now).await.map(|_| ())
}

/// It took an attempt. Returns its name.
pub(super) async fn count_lease(tx: &mut Tx, id: RunnerId, now: UnixMs) -> Result<String, StoreError> {
    let update = "UPDATE runners SET revision = revision + 1 WHERE id = $1";
    let result = sqlx::query(update)
        .bind(id.to_string())
        .execute(tx.connection())
        .await?;
    ensure_one(&result)?;
    announce(tx, id, now).await.map(|view| view.name)
}

async fn announce(tx: &mut Tx, id: RunnerId, now: UnixMs) -> Result<RunnerView, StoreError> {
    let select = select_runners!("WHERE r.id = $1");
    let row = sqlx::query(select)
        .bind(id.to_string())
        .fetch_one(tx.connection())
        .await?;
    let view = read_runner(&row)?;
    append_runner_event(tx, now, view.clone()).await?;
    Ok(view)
}

/// Runners, those here first, then by when they were last seen; at most that many.
pub async fn list_runners(connection: &mut AnyConnection, limit: i64) -> Result<Vec<RunnerView>, StoreError> {
    let select = select_runners!(
        "ORDER BY CASE r.status WHEN 'offline' THEN 1 ELSE 0 END, r.last_seen_at DESC, r.id LIMIT $1"
    );
    let rows = sqlx::query(select).bind(limit).fetch_all(connection).await?;
    rows.iter().map(read_runner).collect()
}

fn read_runner(row: &AnyRow) -> Result<RunnerView, StoreError> {
    let columns = Columns::of("runners", row);
    let status = columns.text("status")?;
    let busy = columns.count("busy")?;
    Ok(RunnerView {
        id: columns.parsed("id")?,
        revision: columns.count("revision")?,
        name: columns.text("name")?,
        status: [
            RunnerStatus::Online,
            RunnerStatus::Draining,
            RunnerStatus::Offline,
        ]
        .into_iter()
        .find(|known| known.as_str() == status)
        .ok_or_else(|| StoreError::inconsistent("runners", "status", status))?,
        version: columns.text("version")?,
        capabilities: columns.json("capabilities")?,
        busy: u32::try_from(busy).unwrap_or(u32::MAX),
        succeeded: columns.count("succeeded")?,
        failed: columns.count("failed")?,
        first_seen_at: columns.time("first_seen_at")?,
        last_seen_at: columns.time("last_seen_at")?,
    })
}

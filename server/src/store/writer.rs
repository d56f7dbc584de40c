//! The one writer: drains what waits, runs it in one transaction, answers after the commit.
//!
//! The batch grows with the load and adds no delay when idle: whatever arrived while the last commit was being
//! written makes up the next one. Each unit of work has its own savepoint, so that one failure undoes only itself.

use std::ops::ControlFlow;

use futures_util::future::BoxFuture;
use sqlx::AnyConnection;
use tokio::sync::{mpsc, oneshot, watch};

use super::StoreError;

/// Work that waits; beyond it callers wait in turn, which is how load is pushed back to sockets and requests.
const QUEUE: usize = 1024;

/// Units of work per commit, so that nobody's answer waits for an endless batch.
const MAX_BATCH: usize = 256;

/// The open transaction.
#[derive(Debug)]
pub struct Tx {
    connection: AnyConnection,
    last_cursor: Option<i64>,
}

impl Tx {
    pub(super) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.connection
    }

    /// Remembers that an event was appended, so that watchers wake after the commit.
    pub(super) fn appended(&mut self, cursor: i64) {
        self.last_cursor = Some(cursor);
    }
}

/// Tells its caller what came of the work, once the commit succeeded or failed.
type Reply = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
type Unit = Box<dyn for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, (bool, Reply)> + Send>;

#[derive(Debug, Clone)]
pub struct Writer {
    units: mpsc::Sender<Message>,
    committed: watch::Receiver<i64>,
}

enum Message {
    Unit(Unit),
    Close(oneshot::Sender<()>),
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unit(_) => "Unit",
            Self::Close(_) => "Close",
        })
    }
}

impl Writer {
    pub(super) fn start(connection: AnyConnection, head: i64) -> Self {
        let (units, queue) = mpsc::channel(QUEUE);
        let (committed_tx, committed) = watch::channel(head);
        let tx = Tx {
            connection,
            last_cursor: None,
        };
        tokio::spawn(write_loop(tx, queue, committed_tx));
        Self { units, committed }
    }

    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let unit: Unit = Box::new(move |tx| {
            Box::pin(async move {
                let result = work(tx).await;
                let ok = result.is_ok();
                let reply: Reply = Box::new(move |committed| {
                    // A caller that went away has no use for the answer.
                    let _gone = answer.send(committed.and(result));
                });
                (ok, reply)
            })
        });
        self.units
            .send(Message::Unit(unit))
            .await
            .map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    pub(super) fn committed_events(&self) -> watch::Receiver<i64> {
        self.committed.clone()
    }

    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.units.send(Message::Close(done)).await.is_ok() {
            // An error means the loop has ended already.
            let _ended = closed.await;
        }
    }
}

async fn write_loop(mut tx: Tx, mut queue: mpsc::Receiver<Message>, committed: watch::Sender<i64>) {
    while let Some(message) = queue.recv().await {
        let mut batch = Vec::new();
        let mut closing = add(message, &mut batch);
        while closing.is_none() && batch.len() < MAX_BATCH {
            let Ok(message) = queue.try_recv() else { break };
            closing = add(message, &mut batch);
        }
        if let ControlFlow::Continue(Some(cursor)) = run_batch(&mut tx, batch).await {
            committed.send_replace(cursor);
        }
        if let Some(done) = closing {
            let _gone = done.send(());
            return;
        }
    }
}

fn add(message: Message, batch: &mut Vec<Unit>) -> Option<oneshot::Sender<()>> {
    match message {
        Message::Unit(unit) => {
            batch.push(unit);
            None
        }
        Message::Close(done) => Some(done),
    }
}

/// Runs the batch in one transaction. Continues with the newest event cursor, if any was appended.
async fn run_batch(tx: &mut Tx, batch: Vec<Unit>) -> ControlFlow<(), Option<i64>> {
    tx.last_cursor = None;
    if batch.is_empty() {
        return ControlFlow::Continue(None);
    }
    if let Err(error) = execute(tx, "BEGIN IMMEDIATE").await {
        // Dropping the units answers every caller with `Closed`; the cause is told here once.
        tracing::error!(error = %error, "a transaction could not be begun");
        return ControlFlow::Break(());
    }
    let replies = run_units(tx, batch).await;
    // A unit that was alone and failed leaves nothing to commit.
    let end = if replies.is_undone { "ROLLBACK" } else { "COMMIT" };
    match execute(tx, end).await {
        Ok(()) => {
            replies.send(|| Ok(()));
            ControlFlow::Continue(tx.last_cursor)
        }
        Err(error) => {
            tracing::error!(error = %error, "a transaction could not be ended");
            let _undone = execute(tx, "ROLLBACK").await;
            replies.send(|| Err(StoreError::Closed));
            ControlFlow::Break(())
        }
    }
}

/// The answers of a batch, held back until its transaction has ended.
struct Replies {
    replies: Vec<Reply>,
    is_undone: bool,
}

impl Replies {
    fn send(self, end: impl Fn() -> Result<(), StoreError>) {
        for reply in self.replies {
            reply(end());
        }
    }
}

/// A unit that is alone needs no savepoint: its failure undoes the whole transaction, which is it. That is the common
/// case of an idle server, and two of its statements less.
async fn run_units(tx: &mut Tx, batch: Vec<Unit>) -> Replies {
    let is_alone = batch.len() == 1;
    let mut replies = Vec::with_capacity(batch.len());
    let mut is_undone = false;
    for unit in batch {
        if is_alone {
            let (ok, reply) = unit(tx).await;
            is_undone = !ok;
            replies.push(reply);
        } else {
            replies.push(run_unit(tx, unit).await);
        }
    }
    if is_undone {
        tx.last_cursor = None;
    }
    Replies { replies, is_undone }
}

async fn run_unit(tx: &mut Tx, unit: Unit) -> Reply {
    let cursor_before = tx.last_cursor;
    if let Err(error) = execute(tx, "SAVEPOINT unit").await {
        tracing::error!(error = %error, "a savepoint could not be made");
    }
    let (ok, reply) = unit(tx).await;
    let end = if ok { "RELEASE unit" } else { "ROLLBACK TO unit" };
    if !ok {
        tx.last_cursor = cursor_before;
    }
    if let Err(error) = execute(tx, end).await {
        tracing::error!(error = %error, "a savepoint could not be ended");
        return Box::new(move |_| reply(Err(StoreError::Database(error))));
    }
    reply
}

async fn execute(tx: &mut Tx, statement: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(statement)
        .execute(&mut tx.connection)
        .await
        .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::*;

    async fn mark(tx: &mut Tx, note: &'static str) -> Result<(), StoreError> {
        let insert = "INSERT INTO events (at, body) VALUES (0, $1) RETURNING cursor";
        let cursor: i64 = sqlx::query_scalar(insert)
            .bind(note)
            .fetch_one(tx.connection())
            .await?;
        tx.appended(cursor);
        Ok(())
    }

    #[tokio::test]
    async fn a_failed_unit_undoes_only_itself() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        let good = store.write(|tx| Box::pin(mark(tx, "good")));
        let bad = store.write(|tx| {
            Box::pin(async move {
                mark(tx, "bad").await?;
                Err::<(), _>(StoreError::Conflict)
            })
        });
        let other = store.write(|tx| Box::pin(mark(tx, "other")));
        let (good, bad, other) = tokio::join!(good, bad, other);
        assert!(good.is_ok() && other.is_ok());
        assert!(matches!(bad, Err(StoreError::Conflict)));
        let mut reader = store.read().await.unwrap();
        let notes: Vec<String> = sqlx::query_scalar("SELECT body FROM events ORDER BY cursor")
            .fetch_all(&mut *reader)
            .await
            .unwrap();
        assert_eq!(notes, ["good", "other"]);
        assert_ne!(*store.committed_events().borrow(), 0);
    }

    #[tokio::test]
    async fn a_unit_that_is_alone_and_fails_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        let failed = store.write(|tx| {
            Box::pin(async move {
                mark(tx, "bad").await?;
                Err::<(), _>(StoreError::Conflict)
            })
        });
        assert!(matches!(failed.await, Err(StoreError::Conflict)));
        assert_eq!(*store.committed_events().borrow(), 0);
        store.write(|tx| Box::pin(mark(tx, "good"))).await.unwrap();
        let mut reader = store.read().await.unwrap();
        let notes: Vec<String> = sqlx::query_scalar("SELECT body FROM events")
            .fetch_all(&mut *reader)
            .await
            .unwrap();
        assert_eq!(notes, ["good"]);
    }

    #[tokio::test]
    async fn closing_finishes_what_was_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        let writes = (0..100).map(|_| store.write(|tx| Box::pin(mark(tx, "x"))));
        let (results, ()) = tokio::join!(futures_util::future::join_all(writes), async {
            tokio::task::yield_now().await;
        });
        assert!(results.iter().all(Result::is_ok));
        store.close().await;
        assert!(matches!(
            store.write(|tx| Box::pin(mark(tx, "late"))).await,
            Err(StoreError::Closed)
        ));
    }
}

//! What can go wrong with the database.

use sqlx::any::AnyQueryResult;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("the schema could not be brought up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A conditional update did not find the state it was made for.
    #[error("the row was not in the expected state")]
    Conflict,
    /// A stored value that this program cannot have written.
    #[error("column {column} of {table} holds {value:?}")]
    Inconsistent {
        table: &'static str,
        column: &'static str,
        value: String,
    },
    #[error("the data folder cannot be used")]
    Folder(#[from] std::io::Error),
    #[error("the database is closed")]
    Closed,
}

impl StoreError {
    /// For a stored text that does not parse.
    pub(super) fn inconsistent(table: &'static str, column: &'static str, value: impl Into<String>) -> Self {
        Self::Inconsistent {
            table,
            column,
            value: value.into(),
        }
    }
}

/// Guards conditional updates against being lost in silence.
pub(super) fn ensure_one(result: &AnyQueryResult) -> Result<(), StoreError> {
    if result.rows_affected() == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict)
    }
}

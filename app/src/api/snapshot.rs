use serde::{Deserialize, Serialize};

/// A list together with the event cursor it was read at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot<T> {
    pub data: T,
    pub cursor: i64,
}

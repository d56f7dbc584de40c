//! The cells there are.

use std::pin::Pin;

use super::error::BenchError;
use super::report::Report;
use super::{l2, s3};

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Enough rounds for figures, all peers.
    Full,
    /// Just enough to see that every contender runs and answers rightly. Times of it mean nothing.
    Check,
}

impl Form {
    /// One of two values, for counts and pauses.
    pub fn pick<T>(self, full: T, check: T) -> T {
        match self {
            Self::Full => full,
            Self::Check => check,
        }
    }
}

pub type CellFuture = Pin<Box<dyn Future<Output = Result<Report, BenchError>>>>;

pub struct Cell {
    pub name: &'static str,
    pub title: &'static str,
    /// How it is measured, for whoever doubts the figures.
    pub method: &'static str,
    pub run: fn(Form) -> CellFuture,
}

pub const CELLS: [Cell; 2] = [
    Cell {
        name: "S3",
        title: "cold start to first byte, idle memory",
        method: s3::METHOD,
        run: |form| Box::pin(s3::run(form)),
    },
    Cell {
        name: "L2",
        title: "one log line from the container to the browser's socket",
        method: l2::METHOD,
        run: |form| Box::pin(l2::run(form)),
    },
];

/// The cells of these names, all of them when none is named.
pub fn choose(names: &[String]) -> Result<Vec<&'static Cell>, BenchError> {
    for name in names {
        if !CELLS.iter().any(|cell| cell.name == name) {
            let known: Vec<&str> = CELLS.iter().map(|cell| cell.name).collect();
            return Err(BenchError::NoSuchCell {
                name: name.clone(),
                known: known.join(", "),
            });
        }
    }
    let is_chosen = |cell: &&Cell| names.is_empty() || names.iter().any(|name| name == cell.name);
    Ok(CELLS.iter().filter(is_chosen).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_chosen_by_name_and_all_of_them_by_none() {
        assert_eq!(choose(&[]).unwrap().len(), CELLS.len());
        let one = choose(&["L2".to_owned()]).unwrap();
        assert_eq!(one.iter().map(|cell| cell.name).collect::<Vec<_>>(), ["L2"]);
        let error = choose(&["X9".to_owned()]).err().unwrap();
        assert_eq!(error.to_string(), "there is no cell \"X9\"; the cells are S3, L2");
    }
}

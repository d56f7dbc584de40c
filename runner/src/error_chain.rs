//! An error and everything behind it, on one line of the log.

use std::error::Error;
use std::fmt;

/// Shows an error followed by its sources: `cannot connect: connection refused`.
pub fn chain(error: &dyn Error) -> impl fmt::Display + '_ {
    Chain(error)
}

struct Chain<'a>(&'a dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            let text = error.to_string();
            // Many libraries put the text of the source into their own; once is enough.
            if !said.ends_with(&text) {
                write!(f, ": {text}")?;
                said = text;
            }
            source = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Failure {
        #[error("cannot connect")]
        Outer(#[source] Box<Failure>),
        #[error("IO error: {0}")]
        Repeating(#[source] Box<Failure>),
        #[error("connection refused")]
        Inner,
    }

    #[test]
    fn every_cause_is_said_once() {
        let repeating = Failure::Repeating(Box::new(Failure::Inner));
        let failure = Failure::Outer(Box::new(repeating));
        assert_eq!(
            chain(&failure).to_string(),
            "cannot connect: IO error: connection refused"
        );
    }
}

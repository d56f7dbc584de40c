//! Query strings, read as strictly as bodies: every wrong or unknown parameter is named.

use std::collections::BTreeMap;

use protocol::error::{ApiError, FieldError};

/// The parameters of one request. What nobody took by the end is unknown.
#[derive(Debug)]
pub(super) struct QueryReader {
    parameters: BTreeMap<String, String>,
    errors: Vec<FieldError>,
    known: Vec<&'static str>,
}

impl QueryReader {
    pub(super) fn new(query: Option<&str>) -> Self {
        let mut reader = Self {
            parameters: BTreeMap::new(),
            errors: Vec::new(),
            known: Vec::new(),
        };
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let name: String = name.chars().take(100).collect();
            if reader
                .parameters
                .insert(name.clone(), value.into_owned())
                .is_some()
            {
                reader.complain(&name, "is given twice");
            }
        }
        reader
    }

    fn complain(&mut self, name: &str, detail: impl Into<String>) {
        self.errors.push(FieldError {
            pointer: format!("/{name}"),
            detail: detail.into(),
        });
    }

    /// A parameter; an empty one counts as absent, which is what an empty form field sends.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        self.parameters.remove(name).filter(|value| !value.is_empty())
    }

    pub(super) fn parsed<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(name)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(detail) => {
                self.complain(name, detail);
                None
            }
        }
    }

    /// A whole number within bounds.
    pub(super) fn number(&mut self, name: &'static str, min: u64, max: u64) -> Option<u64> {
        self.parsed(name, |text| {
            let value = text
                .parse::<u64>()
                .ok()
                .filter(|value| (min..=max).contains(value));
            value.ok_or_else(|| format!("must be a whole number between {min} and {max}"))
        })
    }

    pub(super) fn flag(&mut self, name: &'static str) -> bool {
        let value = self.parsed(name, |text| match text {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err("must be true or false".to_owned()),
        });
        value.unwrap_or(false)
    }

    /// A complaint about parameters that do not go together.
    pub(super) fn refuse(&mut self, name: &str, detail: &str) {
        self.complain(name, detail);
    }

    pub(super) fn finish(mut self) -> Result<(), ApiError> {
        let known = self.known.join(", ");
        let unknown: Vec<String> = self.parameters.keys().cloned().collect();
        for name in unknown {
            self.complain(&name, format!("is not a known parameter; known here: {known}"));
        }
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(ApiError::invalid_input(self.errors))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_parameter_is_named() {
        let mut query = QueryReader::new(Some("limit=0&colour=red&follow=perhaps&limit=5"));
        assert_eq!(query.number("limit", 1, 3), None);
        assert!(!query.flag("follow"));
        let error = query.finish().unwrap_err();
        let pointers: Vec<&str> = error.errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/limit", "/limit", "/follow", "/colour"]);
    }
}

//! YAML into a tree with line numbers. Of YAML only what configuration needs: no aliases, no tags, one document.

use std::path::Path;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use crate::error::SettingsError;
use crate::tree::{Entry, Node, Origin, Value};

/// Deeper than any configuration, and shallow enough for any stack.
const MAX_DEPTH: usize = 32;

/// Reads the text of a file; an empty one is an empty section.
pub(crate) fn parse(text: &str, path: &Path) -> Result<Node, SettingsError> {
    let mut source = Source {
        events: Parser::new_from_str(text),
        path,
        last_line: 1,
    };
    let mut root = None;
    while let Some((event, span)) = source.next()? {
        match event {
            Event::DocumentStart(_) if root.is_some() => {
                return Err(source.error(&span, "one document per file, not several"));
            }
            Event::DocumentStart(_) => root = Some(source.node(0)?),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            _ => return Err(source.error(&span, "a section of keys is expected here")),
        }
    }
    Ok(root.unwrap_or_else(|| Node::empty_section(source.origin(1))))
}

struct Source<'a> {
    events: Parser<'a, StrInput<'a>>,
    path: &'a Path,
    last_line: usize,
}

impl<'a> Source<'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, SettingsError> {
        match self.events.next_event() {
            Some(Ok((event, span))) => {
                self.last_line = span.start.line();
                Ok(Some((event, span)))
            }
            Some(Err(error)) => Err(self.scan_error(&error)),
            None => Ok(None),
        }
    }

    fn node(&mut self, depth: usize) -> Result<Node, SettingsError> {
        let Some((event, span)) = self.next()? else {
            return Err(SettingsError::Syntax {
                origin: self.origin(self.last_line),
                problem: "the file ends in the middle of a value".to_owned(),
            });
        };
        if depth > MAX_DEPTH {
            return Err(self.error(&span, "nested too deeply"));
        }
        let value = match event {
            Event::Scalar(text, style, _, _) if is_nothing(&text, style) => Value::Nothing,
            Event::Scalar(text, _, _, _) => Value::Text(text.into_owned()),
            Event::SequenceStart(..) => self.list(depth)?,
            Event::MappingStart(..) => self.section(depth)?,
            Event::Alias(_) => return Err(self.error(&span, "aliases (*name) are not supported")),
            _ => return Err(self.error(&span, "a value is expected here")),
        };
        let origin = self.origin(span.start.line());
        Ok(Node { origin, value })
    }

    fn list(&mut self, depth: usize) -> Result<Value, SettingsError> {
        let mut nodes = Vec::new();
        while !self.at_end(&Event::SequenceEnd)? {
            nodes.push(self.node(depth + 1)?);
        }
        Ok(Value::List(nodes))
    }

    fn section(&mut self, depth: usize) -> Result<Value, SettingsError> {
        let mut entries: Vec<Entry> = Vec::new();
        while !self.at_end(&Event::MappingEnd)? {
            let key_node = self.node(depth + 1)?;
            let key_origin = key_node.origin.clone();
            let Value::Text(key) = key_node.value else {
                let problem = format!("a key is expected here, not {}", key_node.in_words());
                return Err(SettingsError::Syntax {
                    origin: key_origin,
                    problem,
                });
            };
            if let Some(first) = entries.iter().find(|entry| entry.key == key) {
                let problem = format!("given twice, first at {}", first.key_origin);
                return Err(SettingsError::Key {
                    origin: key_origin,
                    key,
                    problem,
                });
            }
            let node = self.node(depth + 1)?;
            entries.push(Entry {
                key,
                key_origin,
                node,
            });
        }
        Ok(Value::Section(entries))
    }

    /// Takes the end when it is next.
    fn at_end(&mut self, end: &Event<'_>) -> Result<bool, SettingsError> {
        let is_end = match self.events.peek() {
            Some(Ok((event, _))) => event == end,
            Some(Err(error)) => return Err(self.scan_error(&error)),
            None => false,
        };
        if is_end {
            self.next()?;
        }
        Ok(is_end)
    }

    fn origin(&self, line: usize) -> Origin {
        Origin::File {
            path: self.path.to_owned(),
            line,
        }
    }

    fn error(&self, span: &Span, problem: &str) -> SettingsError {
        SettingsError::Syntax {
            origin: self.origin(span.start.line()),
            problem: problem.to_owned(),
        }
    }

    fn scan_error(&self, error: &ScanError) -> SettingsError {
        SettingsError::Syntax {
            origin: self.origin(error.marker().line()),
            problem: error.info().to_owned(),
        }
    }
}

/// A key with nothing after it, `~` and `null` (YAML 1.2 core schema).
fn is_nothing(text: &str, style: ScalarStyle) -> bool {
    style == ScalarStyle::Plain && ["", "~", "null", "Null", "NULL"].contains(&text)
}

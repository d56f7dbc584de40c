//! Configuration as it was written: texts, lists and sections, each with the place it came from.

use std::fmt;
use std::path::PathBuf;

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Lines are counted from 1.
    File { path: PathBuf, line: usize },
    /// The name of an environment variable, or a flag with its dashes.
    Named(String),
    /// Nobody wrote it.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Named(name) => f.write_str(name),
            Self::Default => f.write_str("default"),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) origin: Origin,
    pub(crate) value: Value,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Nothing,
    /// The text as written; what reads it decides about its type.
    Text(String),
    List(Vec<Node>),
    Section(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_origin: Origin,
    pub(crate) node: Node,
}

impl Node {
    pub(crate) fn empty_section(origin: Origin) -> Self {
        Self {
            origin,
            value: Value::Section(Vec::new()),
        }
    }

    /// Sets the value under a path of keys, over whatever stands there.
    pub(crate) fn set(&mut self, path: &[&str], text: String, origin: &Origin) {
        let Some((key, rest)) = path.split_first() else {
            self.value = Value::Text(text);
            self.origin = origin.clone();
            return;
        };
        if !matches!(self.value, Value::Section(_)) {
            *self = Self::empty_section(origin.clone());
        }
        if let Value::Section(entries) = &mut self.value {
            entry(entries, key, origin).node.set(rest, text, origin);
        }
    }

    /// What it is, for messages.
    pub(crate) fn in_words(&self) -> String {
        match &self.value {
            Value::Nothing => "nothing".to_owned(),
            Value::Text(text) => format!("{:?}", text.chars().take(40).collect::<String>()),
            Value::List(_) => "a list".to_owned(),
            Value::Section(_) => "a section of keys".to_owned(),
        }
    }
}

fn entry<'a>(entries: &'a mut Vec<Entry>, key: &str, origin: &Origin) -> &'a mut Entry {
    let at = entries.iter().position(|entry| entry.key == key);
    let at = at.unwrap_or_else(|| {
        entries.push(Entry {
            key: key.to_owned(),
            key_origin: origin.clone(),
            node: Node {
                origin: origin.clone(),
                value: Value::Nothing,
            },
        });
        entries.len() - 1
    });
    &mut entries[at]
}

//! The layers, from the one that yields to the one that wins.

use std::env;
use std::fs;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::error::SettingsError;
use crate::reader::Reader;
use crate::tree::{Node, Origin, Value};
use crate::yaml;

/// Every variable that is ours has this prefix and parts its keys by two underscores: `PARITY_RUNNER__SLOTS`.
const ENV_PREFIX: &str = "PARITY_";

/// The top level of a file: one section per program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Runner,
    Server,
}

impl Section {
    const ALL: [Self; 2] = [Self::Runner, Self::Server];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Runner => "runner",
            Self::Server => "server",
        }
    }

    fn known(name: &str) -> bool {
        Self::ALL.iter().any(|section| section.as_str() == name)
    }

    fn unknown(origin: Origin, key: String) -> SettingsError {
        let known = Self::ALL.map(Self::as_str).join(", ");
        SettingsError::Key {
            origin,
            key,
            problem: format!("no such section; known here: {known}"),
        }
    }
}

/// What the process was started with. Variables that are not UTF-8 are not ours.
pub fn process_environment() -> impl Iterator<Item = (String, String)> {
    env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Everything the configuration of one program is read from.
#[derive(Debug)]
pub struct Layers {
    section: Section,
    file: Option<PathBuf>,
    environment: Vec<(String, String)>,
    flags: Vec<Flag>,
}

#[derive(Debug)]
struct Flag {
    name: &'static str,
    key: &'static str,
    value: String,
}

impl Layers {
    pub fn new(section: Section) -> Self {
        Self {
            section,
            file: None,
            environment: Vec::new(),
            flags: Vec::new(),
        }
    }

    /// The YAML file, when there is one. It must exist then.
    #[must_use]
    pub fn file(mut self, path: Option<&Path>) -> Self {
        self.file = path.map(Path::to_owned);
        self
    }

    #[must_use]
    pub fn environment(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.environment.extend(variables);
        self
    }

    /// A flag of the command line, by its name for messages, and the dotted key below the section that it sets.
    #[must_use]
    pub fn flag(mut self, name: &'static str, key: &'static str, value: Option<String>) -> Self {
        self.flags.extend(value.map(|value| Flag { name, key, value }));
        self
    }

    /// Reads the section of the program. `T` brings the defaults: `#[serde(deny_unknown_fields, default)]`.
    pub fn load<T: DeserializeOwned>(self) -> Result<T, SettingsError> {
        let mut node = match &self.file {
            Some(path) => own_section(read_file(path)?, self.section)?,
            None => Node::empty_section(Origin::Default),
        };
        for (name, value) in &self.environment {
            set_variable(&mut node, self.section, name, value)?;
        }
        for flag in &self.flags {
            let path: Vec<&str> = flag.key.split('.').collect();
            node.set(&path, flag.value.clone(), &Origin::Named(flag.name.to_owned()));
        }
        let key = self.section.as_str().to_owned();
        Reader { node, key }.read(PhantomData).map_err(|error| {
            let (origin, key) = error.place.unwrap_or((Origin::Default, String::new()));
            SettingsError::Key {
                origin,
                key,
                problem: error.problem,
            }
        })
    }
}

fn read_file(path: &Path) -> Result<Node, SettingsError> {
    let text = fs::read_to_string(path).map_err(|source| SettingsError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    yaml::parse(&text, path)
}

/// The part of the file that is this program's; the other's is its own business, anything else a mistake.
fn own_section(root: Node, section: Section) -> Result<Node, SettingsError> {
    let entries = match root.value {
        Value::Section(entries) => entries,
        Value::Nothing => Vec::new(),
        _ => {
            return Err(SettingsError::Syntax {
                problem: format!("a section of keys is expected here, not {}", root.in_words()),
                origin: root.origin,
            });
        }
    };
    let mut own = Node::empty_section(root.origin);
    for entry in entries {
        if entry.key == section.as_str() {
            own = entry.node;
        } else if !Section::known(&entry.key) {
            return Err(Section::unknown(entry.key_origin, entry.key));
        }
    }
    Ok(own)
}

fn set_variable(node: &mut Node, section: Section, name: &str, value: &str) -> Result<(), SettingsError> {
    // One underscore or none is another kind of variable, such as `PARITY_LOG`.
    let Some((first, rest)) = name
        .strip_prefix(ENV_PREFIX)
        .and_then(|rest| rest.split_once("__"))
    else {
        return Ok(());
    };
    let origin = Origin::Named(name.to_owned());
    let first = first.to_ascii_lowercase();
    if !Section::known(&first) {
        return Err(Section::unknown(origin, first));
    }
    if first == section.as_str() {
        let keys = rest.to_ascii_lowercase();
        let path: Vec<&str> = keys.split("__").collect();
        node.set(&path, value.to_owned(), &origin);
    }
    Ok(())
}

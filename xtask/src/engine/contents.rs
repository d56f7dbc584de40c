//! What an engine holds, to tell what a run left behind.

use std::collections::BTreeSet;

use super::Engine;
use crate::process;

/// Everything a task could leave in an engine, each as `<kind> <name>`.
pub struct Contents(BTreeSet<String>);

impl Contents {
    pub fn of(engine: &Engine) -> anyhow::Result<Self> {
        let mut found = BTreeSet::new();
        for (kind, arguments) in LISTINGS {
            for name in process::capture(engine.docker().args(*arguments))?.lines() {
                found.insert(format!("{kind} {name}"));
            }
        }
        Ok(Self(found))
    }

    /// What is here and was not there `before`.
    pub fn since<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = &'a str> {
        self.0.difference(&before.0).map(String::as_str)
    }
}

const LISTINGS: &[(&str, &[&str])] = &[
    (
        "container",
        &[
            "ps",
            "--all",
            "--no-trunc",
            "--format",
            "{{.ID}} {{.Names}} {{.Status}}",
        ],
    ),
    ("volume", &["volume", "ls", "--format", "{{.Name}}"]),
    (
        "network",
        &["network", "ls", "--no-trunc", "--format", "{{.Name}}"],
    ),
    (
        "image",
        &[
            "image",
            "ls",
            "--no-trunc",
            "--format",
            "{{.Repository}}:{{.Tag}} {{.ID}}",
        ],
    ),
];

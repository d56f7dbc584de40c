//! Tasks as a poster writes them.

use serde_json::{Value, json};

use crate::engine::IMAGE;

/// The body of a request, to be changed at will, also into one that must be refused.
#[derive(Debug, Clone)]
pub struct Task(Value);

impl Task {
    /// A task that runs this command.
    pub fn running(command: &[&str]) -> Self {
        Self(json!({
            "title": "Test task",
            "type": "docker",
            "config": { "command": command },
            "environment": { "type": "docker", "config": { "image": IMAGE } },
            "reward": 0,
        }))
    }

    /// A task that runs a line of shell.
    pub fn shell(script: &str) -> Self {
        Self::running(&["sh", "-c", script])
    }

    /// Prints `line 1` to `line count`, one every few milliseconds, so that something can happen in between.
    pub fn counting(count: u32) -> Self {
        Self::shell(&format!(
            "i=1; while [ $i -le {count} ]; do echo line $i; i=$((i+1)); usleep 5000; done"
        ))
    }

    /// What [`Task::counting`] prints.
    pub fn counted(count: u32) -> String {
        let lines: Vec<String> = (1..=count).map(|number| format!("line {number}\n")).collect();
        lines.concat()
    }

    /// Sets the value a JSON pointer leads to; the object around it must be there.
    #[must_use]
    pub fn with(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer begins with a slash");
        let parent = self.0.pointer_mut(parent).expect("the parent is there");
        parent[name] = value.into();
        self
    }

    #[must_use]
    pub fn titled(self, title: &str) -> Self {
        self.with("/title", title)
    }

    #[must_use]
    pub fn limited(self, limits: Value) -> Self {
        self.with("/config/limits", limits)
    }

    pub fn body(&self) -> String {
        self.0.to_string()
    }
}

//! What a task may use. Absent limits have a default; nothing is ever unlimited.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::quantity::{ByteSize, Cpus, Span};

/// Limits as the poster wrote them; absent ones take the default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RequestedLimits {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<ByteSize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<Cpus>,
    /// Wall time of the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// Processes and threads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pids: Option<u32>,
    /// Each writable place: `/tmp` and every volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<ByteSize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<ByteSize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<ByteSize>,
}

/// Limits with a value for each: defaults, caps, or what really applies to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    pub memory: ByteSize,
    pub cpus: Cpus,
    pub timeout: Span,
    pub pids: u32,
    pub disk: ByteSize,
    pub output: ByteSize,
    pub log: ByteSize,
}

impl Limits {
    /// What a task gets that asks for nothing: enough for a build step, small enough for a home computer.
    pub const DEFAULT: Self = Self {
        memory: ByteSize::mib(512),
        cpus: Cpus::from_millis(1000),
        timeout: Span::from_secs(5 * 60),
        pids: 256,
        disk: ByteSize::mib(256),
        output: ByteSize::mib(64),
        log: ByteSize::mib(16),
    };

    /// The most that may be asked for at all.
    pub const MAX: Self = Self {
        memory: ByteSize::gib(1024),
        cpus: Cpus::from_millis(1_024_000),
        timeout: Span(Duration::from_hours(168)),
        pids: 65_536,
        disk: ByteSize::gib(1024),
        output: ByteSize::gib(64),
        log: ByteSize::gib(1),
    };

    /// The least that a container starts with.
    pub const MIN: Self = Self {
        memory: ByteSize::mib(6),
        cpus: Cpus::from_millis(10),
        timeout: Span(Duration::from_millis(100)),
        pids: 2,
        disk: ByteSize::kib(64),
        output: ByteSize(0),
        log: ByteSize::kib(1),
    };

    /// The default for what is absent, and nothing over this cap.
    #[must_use]
    pub fn applied_to(&self, requested: &RequestedLimits) -> Self {
        let default = Self::DEFAULT;
        Self {
            memory: requested.memory.unwrap_or(default.memory).min(self.memory),
            cpus: requested.cpus.unwrap_or(default.cpus).min(self.cpus),
            timeout: requested.timeout.unwrap_or(default.timeout).min(self.timeout),
            pids: requested.pids.unwrap_or(default.pids).min(self.pids),
            disk: requested.disk.unwrap_or(default.disk).min(self.disk),
            output: requested.output.unwrap_or(default.output).min(self.output),
            log: requested.log.unwrap_or(default.log).min(self.log),
        }
    }

    /// Whether everything that was asked for by name fits under this cap. A default that is over it is cut instead.
    pub fn admits(&self, requested: &RequestedLimits) -> bool {
        requested.memory.is_none_or(|v| v <= self.memory)
            && requested.cpus.is_none_or(|v| v <= self.cpus)
            && requested.timeout.is_none_or(|v| v <= self.timeout)
            && requested.pids.is_none_or(|v| v <= self.pids)
            && requested.disk.is_none_or(|v| v <= self.disk)
            && requested.output.is_none_or(|v| v <= self.output)
            && requested.log.is_none_or(|v| v <= self.log)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_cuts_defaults_and_does_not_admit_named_wishes_over_it() {
        let cap = Limits {
            memory: ByteSize::mib(128),
            ..Limits::MAX
        };
        let nothing = RequestedLimits::default();
        assert!(cap.admits(&nothing));
        assert_eq!(cap.applied_to(&nothing).memory, ByteSize::mib(128));
        assert_eq!(cap.applied_to(&nothing).timeout, Limits::DEFAULT.timeout);
        let wish = RequestedLimits {
            memory: Some(ByteSize::mib(129)),
            ..nothing
        };
        assert!(!cap.admits(&wish));
    }
}

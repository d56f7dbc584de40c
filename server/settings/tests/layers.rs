//! What people get to read when their configuration is wrong, and which layer wins when it is right.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use protocol::quantity::{ByteSize, Cpus, Span};
use serde::{Deserialize, Deserializer};
use settings::{Layers, Section, SettingsError};

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    name: Option<String>,
    #[serde(deserialize_with = "slots")]
    slots: u32,
    labels: BTreeMap<String, String>,
    docker: Docker,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Docker {
    memory_limit: ByteSize,
    cpu_limit: Cpus,
    timeout: Span,
    keep: bool,
    allowed_registries: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: None,
            slots: 2,
            labels: BTreeMap::new(),
            docker: Docker::default(),
        }
    }
}

impl Default for Docker {
    fn default() -> Self {
        Self {
            memory_limit: ByteSize::mib(512),
            cpu_limit: Cpus::from_millis(1000),
            timeout: Span::from_secs(300),
            keep: false,
            allowed_registries: vec!["docker.io".to_owned()],
        }
    }
}

fn slots<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    settings::between(deserializer, &1, &256)
}

fn load(file: &str, environment: &[(&str, &str)], slots: Option<&str>) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runner.yaml");
    std::fs::write(&path, file).unwrap();
    let owned = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Layers::new(Section::Runner)
        .file(Some(&path))
        .environment(owned)
        .flag("--slots", "slots", slots.map(str::to_owned))
        .load()
        .map_err(|error: SettingsError| {
            let prefix = format!("{}/", folder.path().display());
            error.to_string().replace(&prefix, "")
        })
}

fn refused(file: &str) -> String {
    load(file, &[], None).unwrap_err()
}

#[test]
fn the_documented_file_is_read() {
    let file = r#"
runner:
  docker:
    memory_limit: "256m" # Container memory limit
    cpu_limit: "0.5"     # CPU allocation (1.0 = 1 core)
    timeout: "1m"        # Maximum execution time
server:
  anything: goes here
"#;
    let docker = load(file, &[], None).unwrap().docker;
    assert_eq!(docker.memory_limit, ByteSize::mib(256));
    assert_eq!(docker.cpu_limit, Cpus::from_millis(500));
    assert_eq!(docker.timeout, Span::from_secs(60));
}

#[test]
fn nothing_written_means_the_defaults() {
    for file in [
        "",
        "# only a comment\n",
        "runner:\n",
        "runner:\n  docker:\n",
        "server: {}\n",
    ] {
        assert_eq!(load(file, &[], None), Ok(Config::default()), "{file:?}");
    }
}

#[test]
fn flags_win_over_variables_and_variables_over_the_file() {
    let file = "runner:\n  name: file\n  slots: 3\n  docker: {keep: true, cpu_limit: 1.5}\n";
    let environment = [
        ("PARITY_RUNNER__SLOTS", "4"),
        ("PARITY_RUNNER__NAME", "007"),
        ("PARITY_RUNNER__LABELS__GPU", "a100"),
        ("PARITY_RUNNER__DOCKER__ALLOWED_REGISTRIES", "docker.io, ghcr.io"),
        ("PARITY_SERVER__WHATEVER", "1"),
        ("PARITY_LOG", "debug"),
        ("PATH", "/bin"),
    ];
    let config = load(file, &environment, Some("5")).unwrap();
    assert_eq!(config.slots, 5);
    assert_eq!(config.name.as_deref(), Some("007"));
    assert_eq!(config.labels["gpu"], "a100");
    assert_eq!(config.docker.allowed_registries, ["docker.io", "ghcr.io"]);
    assert!(config.docker.keep);
    assert_eq!(config.docker.cpu_limit, Cpus::from_millis(1500));
}

#[test]
fn an_unknown_key_names_its_line_and_the_known_ones() {
    assert_eq!(
        refused("runner:\n  docker:\n    memory_limit: 1g\n\n    cpus: 2\n"),
        "runner.yaml:5: runner.docker.cpus: no such key; known here: allowed_registries, cpu_limit, keep, \
         memory_limit, timeout"
    );
    assert_eq!(
        refused("runer:\n  slots: 1\n"),
        "runner.yaml:1: runer: no such section; known here: runner, server"
    );
}

#[test]
fn a_wrong_unit_names_its_line_and_the_right_form() {
    assert_eq!(
        refused("runner:\n  docker:\n    memory_limit: lots\n"),
        "runner.yaml:3: runner.docker.memory_limit: must be a size such as 64k, 512m or 2g (units of 1024), \
         not \"lots\""
    );
    assert_eq!(
        refused("runner:\n  docker:\n    timeout: 5\n"),
        "runner.yaml:3: runner.docker.timeout: must be a time such as 500ms, 30s, 5m or 2h, not \"5\""
    );
}

#[test]
fn a_wrong_type_names_what_is_expected() {
    for (file, message) in [
        (
            "runner:\n  slots: many\n",
            "runner.yaml:2: runner.slots: must be a whole number from 0 to 4294967295, not \"many\"",
        ),
        (
            "runner:\n  docker: fast\n",
            "runner.yaml:2: runner.docker: must be a section of keys, not \"fast\"",
        ),
        (
            "runner:\n  docker:\n    keep: yes\n",
            "runner.yaml:3: runner.docker.keep: must be true or false, not \"yes\"",
        ),
        (
            "runner:\n  docker:\n    memory_limit: [1g]\n",
            "runner.yaml:3: runner.docker.memory_limit: must be a text, not a list",
        ),
        (
            "runner:\n  docker:\n    allowed_registries:\n      - a.example\n      - {b: c}\n",
            "runner.yaml:5: runner.docker.allowed_registries[1]: must be a text, not a section of keys",
        ),
        (
            "runner:\n  docker:\n    allowed_registries: docker.io\n",
            "runner.yaml:3: runner.docker.allowed_registries: must be a list, not \"docker.io\"",
        ),
        (
            "runner:\n  docker:\n    timeout:\n",
            "runner.yaml:3: runner.docker.timeout: must be a text, not nothing",
        ),
    ] {
        assert_eq!(refused(file), message);
    }
}

#[test]
fn broken_yaml_names_its_line() {
    for (file, start) in [
        (
            "runner:\n  docker: [1, 2\n  slots: 1\n",
            "runner.yaml:3: not valid YAML: ",
        ),
        ("runner:\n\tslots: 1\n", "runner.yaml:2: not valid YAML: "),
        (
            "- runner\n",
            "runner.yaml:1: not valid YAML: a section of keys is expected here",
        ),
        ("runner: *default\n", "runner.yaml:1: not valid YAML: "),
        (
            "runner: {}\n---\nserver: {}\n",
            "runner.yaml:2: not valid YAML: one document per file",
        ),
    ] {
        let message = refused(file);
        assert!(message.starts_with(start), "{message}");
    }
    assert_eq!(
        refused("runner:\n  slots: 1\n  slots: 2\n"),
        "runner.yaml:3: slots: given twice, first at runner.yaml:2"
    );
}

#[test]
fn a_value_out_of_bounds_names_the_bounds() {
    assert_eq!(
        refused("runner:\n  slots: 0\n"),
        "runner.yaml:2: runner.slots: must be from 1 to 256, not 0"
    );
    assert_eq!(
        refused("runner:\n  slots: -1\n"),
        "runner.yaml:2: runner.slots: must be a whole number from 0 to 4294967295, not \"-1\""
    );
    assert_eq!(
        refused("runner:\n  docker:\n    cpu_limit: -1\n"),
        "runner.yaml:3: runner.docker.cpu_limit: must be a number of processors such as 0.5 or 2, not \"-1\""
    );
}

#[test]
fn variables_and_flags_are_named_in_their_errors() {
    let error = |name: &str, value: &str| load("", &[(name, value)], None).unwrap_err();
    assert_eq!(
        error("PARITY_RUNNER__DOCKER__MEMORY_LIMIT", "lots"),
        "PARITY_RUNNER__DOCKER__MEMORY_LIMIT: runner.docker.memory_limit: must be a size such as 64k, 512m or 2g \
         (units of 1024), not \"lots\""
    );
    assert_eq!(
        error("PARITY_RUNNER__SLOT", "1"),
        "PARITY_RUNNER__SLOT: runner.slot: no such key; known here: docker, labels, name, slots"
    );
    assert_eq!(
        error("PARITY_RUNER__SLOTS", "1"),
        "PARITY_RUNER__SLOTS: runer: no such section; known here: runner, server"
    );
    assert_eq!(
        load("runner: {slots: 2}", &[], Some("x")).unwrap_err(),
        "--slots: runner.slots: must be a whole number from 0 to 4294967295, not \"x\""
    );
}

#[test]
fn a_missing_file_is_an_error_with_its_cause() {
    let error = Layers::new(Section::Server)
        .file(Some(Path::new("/nonexistent/server.yaml")))
        .load::<Config>()
        .unwrap_err();
    assert_eq!(error.to_string(), "/nonexistent/server.yaml: cannot be read");
    assert!(error.source().is_some());
}

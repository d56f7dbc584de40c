//! The rules of `DESIGN` and the house style that a machine can check. When one of these fails, the code or the rule
//! is wrong; change the rule here only together with the page it stands on.

mod architecture {
    pub mod dependencies;
    pub mod source;
}

use architecture::dependencies::Workspace;
use architecture::source::{SourceFile, source_files};

/// Crates of this workspace that one crate may name in its manifest. `protocol` may name nothing of ours.
const MAY_NAME: [(&str, &[&str]); 8] = [
    ("protocol", &[]),
    ("settings", &[]),
    ("client", &["protocol"]),
    ("app", &["protocol"]),
    ("server", &["app", "protocol", "settings"]),
    ("runner", &["client", "protocol", "settings"]),
    (
        "tests",
        &["app", "client", "protocol", "runner", "server", "settings"],
    ),
    ("xtask", &[]),
];

/// What may not be anywhere below a crate.
const NEVER_BELOW: [(&str, &[&str]); 4] = [
    (
        "protocol",
        &["leptos", "sqlx", "axum", "tokio", "reqwest", "ethers-core"],
    ),
    ("client", &["leptos", "sqlx", "bollard", "axum", "ethers-core"]),
    ("app", &["sqlx", "reqwest", "ethers-core", "bollard", "server"]),
    ("runner", &["leptos", "sqlx", "axum", "server", "ethers-core"]),
];

/// Everything `protocol` may name: it is built for the browser too, and every byte of it is downloaded.
const PROTOCOL_MAY_NAME: [&str; 6] = ["jiff", "ruint", "serde", "serde_json", "thiserror", "uuid"];

const MAX_FILE_LINES: usize = 400;
const MAX_FUNCTION_LINES: usize = 80;

#[test]
fn crates_name_only_the_crates_they_may() {
    let workspace = Workspace::read();
    let known: Vec<&str> = MAY_NAME.iter().map(|(name, _)| *name).collect();
    for name in workspace.members() {
        assert!(
            known.contains(&name),
            "{name} is new: say in `MAY_NAME` what it may depend on"
        );
    }
    for (name, allowed) in MAY_NAME {
        let ours = workspace.named_members(name);
        assert!(
            ours.iter().all(|other| allowed.contains(&other.as_str())),
            "{name} names {ours:?}"
        );
    }
    let external = workspace.named("protocol");
    assert!(
        external
            .iter()
            .all(|name| PROTOCOL_MAY_NAME.contains(&name.as_str())),
        "protocol names {external:?}"
    );
}

#[test]
fn nothing_forbidden_is_anywhere_below_a_crate() {
    let workspace = Workspace::read();
    for (name, forbidden) in NEVER_BELOW {
        let below = workspace.everything_below(name);
        assert!(below.len() > 3, "{name}: the graph was not read");
        for other in forbidden {
            assert!(
                !below.contains(*other),
                "{other} is below {name}: see `cargo tree -p {name} -i {other}`"
            );
        }
    }
}

/// What each of the files violates, as `path:line: what`.
fn violations(find: impl Fn(&SourceFile) -> Vec<(usize, String)>) -> Vec<String> {
    let files = source_files();
    assert!(files.len() > 50, "the files were not found");
    let in_file = |file: &SourceFile| {
        let found = find(file).into_iter();
        found
            .map(|(line, what)| format!("{}:{line}: {what}", file.path))
            .collect::<Vec<_>>()
    };
    files.iter().flat_map(in_file).collect()
}

fn none(violations: &[String]) {
    assert!(
        violations.is_empty(),
        "{} violations:\n{}",
        violations.len(),
        violations.join("\n")
    );
}

#[test]
fn sql_stands_in_the_store_alone() {
    none(&violations(|file| {
        if file.is_below("server/src/store") || file.is_below("tests") {
            return Vec::new();
        }
        let mut found = file.paths_into("sqlx");
        found.extend(file.strings_where(is_sql));
        found
    }));
}

/// Statements are written in capitals here, so that prose is not taken for one.
fn is_sql(text: &str) -> bool {
    let text = text.trim_start();
    let starts = [
        "SELECT ",
        "INSERT INTO ",
        "DELETE FROM ",
        "CREATE TABLE ",
        "PRAGMA ",
        "WITH ",
    ];
    starts.iter().any(|start| text.starts_with(start))
        || (text.starts_with("UPDATE ") && text.contains("SET"))
}

#[test]
fn the_engine_library_stands_in_one_place_of_the_sandbox() {
    none(&violations(|file| {
        if file.is_below("runner/src/sandbox/docker") || file.path == "runner/src/sandbox/docker.rs" {
            return Vec::new();
        }
        file.paths_into("bollard")
    }));
}

#[test]
fn chain_types_stand_in_the_chain_alone() {
    none(&violations(|file| {
        if file.is_below("server/src/chain") {
            return Vec::new();
        }
        let crates = ["ethers_core", "ethers_contract", "ethers_signers"];
        crates.iter().flat_map(|name| file.paths_into(name)).collect()
    }));
}

#[test]
fn files_are_short() {
    none(&violations(|file| {
        let lines = file.lines_without_tests();
        let what = format!("{lines} lines without its tests, more than {MAX_FILE_LINES}");
        if lines > MAX_FILE_LINES {
            vec![(1, what)]
        } else {
            Vec::new()
        }
    }));
}

#[test]
fn functions_are_short() {
    none(&violations(|file| {
        let long = file
            .functions()
            .into_iter()
            .filter(|function| function.lines > MAX_FUNCTION_LINES);
        long.map(|function| {
            (
                function.line,
                format!("{} has {} lines", function.name, function.lines),
            )
        })
        .collect()
    }));
}

#[test]
fn half_of_all_functions_have_ten_lines_or_about_that() {
    let mut lengths: Vec<usize> = Vec::new();
    for file in source_files() {
        lengths.extend(file.functions().into_iter().map(|function| function.lines));
    }
    lengths.sort_unstable();
    let at = |part: usize| lengths[lengths.len() * part / 100];
    assert!(at(50) <= 12, "the median function has {} lines", at(50));
    assert!(at(90) <= 40, "one function in ten has more than {} lines", at(90));
}

#[test]
fn nothing_unwraps_outside_tests() {
    none(&violations(SourceFile::unwraps));
}

#[test]
fn nothing_is_left_to_do() {
    none(&violations(|file| {
        ["todo", "unimplemented", "dbg"]
            .iter()
            .flat_map(|name| file.macros_named(name))
            .collect()
    }));
}

#[test]
fn money_and_limits_never_meet_a_float() {
    none(&violations(|file| {
        let counts = [
            "server/protocol",
            "server/src/store",
            "server/src/services",
            "server/src/chain",
        ];
        if !counts.iter().any(|folder| file.is_below(folder)) {
            return Vec::new();
        }
        ["f32", "f64"]
            .iter()
            .flat_map(|name| file.paths_into(name))
            .collect()
    }));
}

#[test]
fn tests_wait_for_events_and_never_for_time() {
    none(&violations(|file| {
        if file.is_below("tests/tests") {
            file.calls_of("sleep")
        } else {
            Vec::new()
        }
    }));
}

#[test]
fn nothing_is_imported_wholesale() {
    none(&violations(SourceFile::glob_imports));
}

#[test]
fn lints_are_expected_and_never_allowed() {
    none(&violations(SourceFile::allows));
}

//! Licences and forbidden crates, read from `cargo metadata` and judged by `deny.toml`.
//!
//! The rules are those cargo-deny reads, in its own file, so that people who have it get the same answer;
//! this checks them without it, because installing it costs more than compiling everything else. Advisories
//! need its database and are left to it.

use std::{collections::BTreeMap, fs};

use anyhow::Context;
use serde::Deserialize;
use spdx::{Expression, ParseMode};

use crate::{process, toolchain, workspace};

/// Everything that breaks a rule, one sentence each; empty when nothing does.
pub fn violations() -> anyhow::Result<Vec<String>> {
    let rules = workspace::root().join("deny.toml");
    let text = fs::read_to_string(&rules).with_context(|| format!("cannot read {}", rules.display()))?;
    let rules: Rules = toml::from_str(&text).with_context(|| format!("cannot read {}", rules.display()))?;
    let mut command = toolchain::cargo("metadata");
    command
        .args(["--format-version", "1"])
        .args(toolchain::lock_flags());
    let metadata: Metadata = serde_json::from_str(&process::capture(&mut command)?)?;
    Ok(judge(&rules, &metadata))
}

#[derive(Deserialize)]
struct Rules {
    licenses: LicenceRules,
    bans: BanRules,
}

#[derive(Deserialize)]
struct LicenceRules {
    allow: Vec<String>,
    #[serde(default)]
    exceptions: Vec<LicenceException>,
}

#[derive(Deserialize)]
struct LicenceException {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct BanRules {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
}

fn judge(rules: &Rules, metadata: &Metadata) -> Vec<String> {
    let packages: BTreeMap<&str, &Package> = metadata
        .packages
        .iter()
        .map(|package| (package.id.as_str(), package))
        .collect();
    let used = metadata
        .resolve
        .nodes
        .iter()
        .filter_map(|node| packages.get(node.id.as_str()));
    used.flat_map(|package| {
        [
            banned(rules, package),
            unlicensed(rules, package),
            foreign(package),
        ]
    })
    .flatten()
    .collect()
}

fn banned(rules: &Rules, package: &Package) -> Option<String> {
    let ban = rules.bans.deny.iter().find(|ban| ban.name == package.name)?;
    Some(format!(
        "{} {} is forbidden: {}",
        package.name, package.version, ban.reason
    ))
}

fn unlicensed(rules: &Rules, package: &Package) -> Option<String> {
    let Some(licence) = &package.license else {
        return Some(format!("{} {} names no licence", package.name, package.version));
    };
    let exceptions = rules
        .licenses
        .exceptions
        .iter()
        .filter(|exception| exception.name == package.name);
    let allowed: Vec<&String> = rules
        .licenses
        .allow
        .iter()
        .chain(exceptions.flat_map(|exception| &exception.allow))
        .collect();
    // Lax, because old crates separate alternatives by a slash.
    let Ok(expression) = Expression::parse_mode(licence, ParseMode::LAX) else {
        return Some(format!(
            "{} {} has a licence nobody can read: {licence}",
            package.name, package.version
        ));
    };
    let fits = expression.evaluate(|needed| allowed.iter().any(|name| **name == needed.to_string()));
    (!fits).then(|| {
        format!(
            "{} {} is under {licence}, which deny.toml does not allow",
            package.name, package.version
        )
    })
}

/// A dependency from anywhere but the public registry could change under us.
fn foreign(package: &Package) -> Option<String> {
    let source = package.source.as_deref()?;
    let from_registry = source.starts_with("registry+") || source.starts_with("sparse+");
    (!from_registry).then(|| format!("{} {} comes from {source}", package.name, package.version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        toml::from_str(
            r#"
            [licenses]
            allow = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"]
            exceptions = [{ crate = "odd", allow = ["Zlib"] }]
            [bans]
            deny = [{ crate = "openssl", reason = "one TLS library is enough" }]
            "#,
        )
        .unwrap()
    }

    fn package(name: &str, license: Option<&str>) -> Package {
        Package {
            id: name.to_owned(),
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(str::to_owned),
            source: None,
        }
    }

    fn verdict(name: &str, license: Option<&str>) -> Vec<String> {
        let nodes = vec![Node { id: name.to_owned() }];
        judge(
            &rules(),
            &Metadata {
                packages: vec![package(name, license)],
                resolve: Resolve { nodes },
            },
        )
    }

    #[test]
    fn alternatives_need_one_allowed_licence_and_conjunctions_all() {
        assert_eq!(verdict("a", Some("GPL-3.0-only OR MIT")), Vec::<String>::new());
        assert_eq!(verdict("a", Some("MIT/Apache-2.0")), Vec::<String>::new());
        assert_eq!(
            verdict("a", Some("Apache-2.0 WITH LLVM-exception")),
            Vec::<String>::new()
        );
        assert_eq!(verdict("a", Some("MIT AND GPL-3.0-only")).len(), 1);
        assert_eq!(verdict("a", None).len(), 1);
    }

    #[test]
    fn exceptions_hold_for_their_crate_alone() {
        assert_eq!(verdict("odd", Some("Zlib")), Vec::<String>::new());
        assert_eq!(verdict("other", Some("Zlib")).len(), 1);
    }

    #[test]
    fn a_forbidden_crate_is_named_with_the_reason() {
        assert_eq!(
            verdict("openssl", Some("MIT")),
            ["openssl 1.0.0 is forbidden: one TLS library is enough"]
        );
    }

    #[test]
    fn a_package_that_is_not_used_does_not_matter() {
        let metadata = Metadata {
            packages: vec![package("openssl", None)],
            resolve: Resolve { nodes: Vec::new() },
        };
        assert_eq!(judge(&rules(), &metadata), Vec::<String>::new());
    }
}

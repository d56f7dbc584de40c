//! Who depends on whom, as cargo resolved it.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Node, PackageId};
use tests::workspace;

/// The packages of the workspace and everything below them, without what only tests and build scripts use.
pub struct Workspace {
    metadata: Metadata,
}

impl Workspace {
    pub fn read() -> Self {
        let mut command = MetadataCommand::new();
        command.manifest_path(workspace().join("Cargo.toml"));
        // The lock file of the checkout, and no network.
        command.other_options(["--locked".to_owned(), "--offline".to_owned()]);
        let metadata = command.exec().expect("cargo describes the workspace");
        Self { metadata }
    }

    pub fn members(&self) -> Vec<&str> {
        self.metadata
            .workspace_packages()
            .iter()
            .map(|package| package.name.as_str())
            .collect()
    }

    /// What a member names in its manifest as a normal dependency.
    pub fn named(&self, member: &str) -> Vec<String> {
        let packages = self.metadata.workspace_packages();
        let package = packages
            .iter()
            .find(|package| package.name == member)
            .expect("a member of the workspace");
        let normal = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind == DependencyKind::Normal);
        normal.map(|dependency| dependency.name.clone()).collect()
    }

    pub fn named_members(&self, member: &str) -> Vec<String> {
        let members = self.members();
        let named = self.named(member).into_iter();
        named.filter(|name| members.contains(&name.as_str())).collect()
    }

    /// Every crate that is compiled into a member, with the features the whole workspace asks for.
    pub fn everything_below(&self, member: &str) -> BTreeSet<String> {
        let nodes = self.nodes();
        let packages = self.metadata.workspace_packages();
        let package = packages
            .iter()
            .find(|package| package.name == member)
            .expect("a member of the workspace");
        let mut seen = BTreeSet::new();
        let mut waiting = vec![&package.id];
        while let Some(id) = waiting.pop() {
            if seen.insert(id) {
                waiting.extend(below(nodes[id]));
            }
        }
        seen.remove(&package.id);
        seen.into_iter()
            .map(|id| self.metadata[id].name.to_string())
            .collect()
    }

    fn nodes(&self) -> BTreeMap<&PackageId, &Node> {
        let resolve = self
            .metadata
            .resolve
            .as_ref()
            .expect("cargo resolves the dependencies");
        resolve.nodes.iter().map(|node| (&node.id, node)).collect()
    }
}

fn below(node: &Node) -> impl Iterator<Item = &PackageId> {
    let is_normal = |dependency: &&cargo_metadata::NodeDep| {
        let kinds = dependency.dep_kinds.iter();
        kinds.clone().any(|kind| kind.kind == DependencyKind::Normal)
    };
    node.deps
        .iter()
        .filter(is_normal)
        .map(|dependency| &dependency.pkg)
}

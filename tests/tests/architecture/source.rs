//! The source files, read the way the compiler reads them, so that a comment is no call and a string no import.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use tests::workspace;

/// A place in a file: the line and what is there.
pub type Finding = (usize, String);

pub struct SourceFile {
    /// From the root of the checkout.
    pub path: String,
    text: String,
    syntax: syn::File,
    /// All of it is compiled for tests alone.
    is_test: bool,
}

pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
}

/// Every Rust file of the workspace.
pub fn source_files() -> Vec<SourceFile> {
    let mut files = Vec::new();
    for folder in ["app", "runner", "server", "tests", "xtask"] {
        collect(&workspace().join(folder), &mut files);
    }
    let for_tests: BTreeSet<String> = files.iter().flat_map(SourceFile::test_modules).collect();
    for file in &mut files {
        file.is_test |= for_tests.contains(&file.path);
    }
    files
}

fn collect(folder: &Path, files: &mut Vec<SourceFile>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir()
            && path
                .file_name()
                .is_none_or(|name| name != "target" && name != "node_modules")
        {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(SourceFile::read(&path));
        }
    }
}

impl SourceFile {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("the file can be read");
        let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let path = path
            .strip_prefix(workspace())
            .expect("the file is in the checkout");
        let path = path.to_string_lossy().into_owned();
        // Cargo's folders for integration tests; the crate `tests` itself is a library with tests beside it.
        let is_test = path.starts_with("tests/tests/") || path.contains("/tests/");
        Self {
            path,
            text,
            syntax,
            is_test,
        }
    }

    /// Files of modules that are declared here for tests only.
    fn test_modules(&self) -> Vec<String> {
        let folder = self.folder_of_modules();
        let declared = self.syntax.items.iter().filter_map(|item| match item {
            syn::Item::Mod(module) if module.content.is_none() && is_for_tests(&module.attrs) => Some(module),
            _ => None,
        });
        declared
            .map(|module| match named_file(&module.attrs) {
                Some(name) => format!(
                    "{}/{name}",
                    self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
                ),
                None => format!("{folder}/{}.rs", module.ident),
            })
            .collect()
    }

    /// Where the modules declared in this file are.
    fn folder_of_modules(&self) -> &str {
        let stem = self.path.trim_end_matches(".rs");
        ["/mod", "/lib", "/main"]
            .iter()
            .find_map(|end| stem.strip_suffix(end))
            .unwrap_or(stem)
    }

    pub fn is_below(&self, folder: &str) -> bool {
        self.path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
    }

    /// Its length, not counting test modules; a file of tests may be as long as it must.
    pub fn lines_without_tests(&self) -> usize {
        if self.is_test {
            return 0;
        }
        let tests = self
            .syntax
            .items
            .iter()
            .filter(|item| is_for_tests(attributes(item)));
        let tests: usize = tests.map(lines).sum();
        self.text.lines().count() - tests
    }

    pub fn functions(&self) -> Vec<Function> {
        let mut visitor = Functions::default();
        visitor.visit_file(&self.syntax);
        visitor.found
    }

    /// Uses of a crate or of a type by its bare name.
    pub fn paths_into(&self, name: &str) -> Vec<Finding> {
        self.walk(|walk| {
            let is_it = |found: &&(usize, String)| found.1 == name;
            walk.first_names
                .iter()
                .filter(is_it)
                .map(|(line, _)| (*line, format!("names {name}")))
                .collect()
        })
    }

    pub fn strings_where(&self, is_bad: fn(&str) -> bool) -> Vec<Finding> {
        let line = |text: &str| text.lines().next().unwrap_or_default().to_owned();
        self.walk(|walk| {
            let bad = walk.strings.iter().filter(|(_, text)| is_bad(text));
            bad.map(|(at, text)| (*at, line(text))).collect()
        })
    }

    pub fn unwraps(&self) -> Vec<Finding> {
        if self.is_test {
            return Vec::new();
        }
        self.calls_of("unwrap")
    }

    pub fn calls_of(&self, name: &str) -> Vec<Finding> {
        self.walk(|walk| walk.calls.iter().filter(|call| call.1 == name).cloned().collect())
    }

    pub fn macros_named(&self, name: &str) -> Vec<Finding> {
        self.walk(|walk| {
            walk.macros
                .iter()
                .filter(|called| called.1 == name)
                .cloned()
                .collect()
        })
    }

    pub fn glob_imports(&self) -> Vec<Finding> {
        if self.is_test {
            return Vec::new();
        }
        self.walk(|walk| walk.globs.clone())
    }

    pub fn allows(&self) -> Vec<Finding> {
        self.walk(|walk| walk.allows.clone())
    }

    fn walk<T>(&self, read: impl Fn(&Walk) -> T) -> T {
        let mut walk = Walk::default();
        walk.visit_file(&self.syntax);
        read(&walk)
    }
}

/// Everything outside tests that a rule is about, by line.
#[derive(Default)]
struct Walk {
    first_names: Vec<Finding>,
    strings: Vec<Finding>,
    calls: Vec<Finding>,
    macros: Vec<Finding>,
    globs: Vec<Finding>,
    allows: Vec<Finding>,
}

impl<'ast> Visit<'ast> for Walk {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !is_for_tests(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let Some(first) = path.segments.first() {
            self.first_names.push((line(path), first.ident.to_string()));
        }
        visit::visit_path(self, path);
    }

    fn visit_use_path(&mut self, path: &'ast syn::UsePath) {
        self.first_names.push((line(path), path.ident.to_string()));
        // The macros of Leptos expand to names of its prelude; nothing else has a reason to take everything.
        if path.ident != "prelude" && matches!(*path.tree, syn::UseTree::Glob(_)) {
            self.globs.push((line(path), format!("use {}::*", path.ident)));
        }
        visit::visit_use_path(self, path);
    }

    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        self.strings.push((line(text), text.value()));
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.calls.push((line(&call.method), call.method.to_string()));
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(path) = &*call.func
            && let Some(last) = path.path.segments.last()
        {
            self.calls.push((line(last), last.ident.to_string()));
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        if let Some(last) = called.path.segments.last() {
            self.macros.push((line(called), last.ident.to_string()));
        }
        visit::visit_macro(self, called);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if attribute.path().is_ident("allow") {
            self.allows.push((
                line(attribute),
                "allow, where expect would tell when it is needed no more".to_owned(),
            ));
        }
        // Documentation is an attribute too, and its text no string of the program.
        if !attribute.path().is_ident("doc") {
            visit::visit_attribute(self, attribute);
        }
    }
}

#[derive(Default)]
struct Functions {
    found: Vec<Function>,
}

impl Functions {
    fn add(&mut self, signature: &syn::Signature, whole: &impl Spanned) {
        self.found.push(Function {
            name: signature.ident.to_string(),
            line: line(signature),
            lines: lines(whole),
        });
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }
}

fn line(what: &impl Spanned) -> usize {
    what.span().start().line
}

fn lines(what: &impl Spanned) -> usize {
    what.span().end().line - what.span().start().line + 1
}

/// `cfg(test)`, also as a part of a condition.
fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .any(|attribute| match &attribute.meta {
            syn::Meta::List(list) => {
                let condition = list.tokens.to_string();
                condition
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .any(|word| word == "test")
            }
            _ => false,
        })
}

/// The file of `#[path = "..."]`.
fn named_file(attributes: &[syn::Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(name),
                ..
            }) => Some(name.value()),
            _ => None,
        },
        _ => None,
    })
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        _ => &[],
    }
}

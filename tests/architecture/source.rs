//! The sources of the exporter, and the paths that each of them names.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, File, Item, ItemUse, Macro, UseTree,
    visit::{self, Visit},
};

/// One source file, without its tests.
pub(crate) struct Source {
    /// The path below `src`.
    pub(crate) file: PathBuf,
    paths: Vec<Vec<String>>,
}

impl Source {
    fn new(file: PathBuf, text: &str) -> Self {
        let parsed: File = syn::parse_file(text).expect("Rust");
        let mut paths = Paths::default();
        paths.visit_file(&parsed);
        Self {
            file,
            paths: paths.0,
        }
    }

    /// Returns the folder of `src` in which the file is; `None` for `lib.rs` and `main.rs`.
    pub(crate) fn folder(&self) -> Option<&str> {
        let mut names = self.file.iter();
        let first = names.next()?.to_str()?;
        names.next().map(|_| first)
    }

    /// Returns the folders of `src` that the code names, its own folder included.
    pub(crate) fn imports(&self) -> BTreeSet<String> {
        let import = |path: &Vec<String>| {
            let supers = path.iter().take_while(|part| *part == "super").count();
            let from_root = match path.first()?.as_str() {
                "crate" | "nexmo_audit_exporter" => 1,
                "super" if supers >= self.depth() => supers,
                _ => return None,
            };
            path.get(from_root).cloned()
        };
        self.paths.iter().filter_map(import).collect()
    }

    /// Returns `true` if a path in the code contains `parts`, such as `std::env`.
    pub(crate) fn names(&self, parts: &str) -> bool {
        let parts: Vec<&str> = parts.split("::").collect();
        let has = |path: &Vec<String>| path.windows(parts.len()).any(|window| window == parts);
        self.paths.iter().any(has)
    }

    /// Returns the number of modules between the code and the root of the crate.
    fn depth(&self) -> usize {
        let is_folder = self.file.ends_with("mod.rs");
        self.file.iter().count() - usize::from(is_folder)
    }
}

/// Returns every source file of the exporter.
pub(crate) fn sources() -> Vec<Source> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![src.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs")
                && !path.ends_with("tests.rs")
            {
                let text = fs::read_to_string(&path).expect("a source");
                let file = path.strip_prefix(&src).expect("a file below src");
                sources.push(Source::new(file.to_owned(), &text));
            }
        }
    }
    sources
}

/// Every path in the code, except in its tests.
#[derive(Default)]
struct Paths(Vec<Vec<String>>);

impl Paths {
    fn add_use(&mut self, tree: &UseTree, mut before: Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.add_use(&path.tree, before);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_use(tree, before.clone());
                }
            }
            UseTree::Name(name) => {
                before.push(name.ident.to_string());
                self.0.push(before);
            }
            UseTree::Rename(rename) => {
                before.push(rename.ident.to_string());
                self.0.push(before);
            }
            UseTree::Glob(_) => {
                before.push("*".into());
                self.0.push(before);
            }
        }
    }

    /// Adds the paths among the arguments of a macro. They are no syntax tree, so a path is
    /// a sequence of names with `::` between them.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.0.push(std::mem::take(&mut path));
                    }
                    path.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Punct(sign) if sign.as_char() == ':' => colons += 1,
                other => {
                    self.0.push(std::mem::take(&mut path));
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.add_tokens(group.stream());
                    }
                }
            }
        }
        self.0.push(path);
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast Item) {
        if !attributes(item).iter().any(is_for_tests) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.add_use(&item.tree, Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts = path.segments.iter().map(|part| part.ident.to_string());
        self.0.push(parts.collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.add_tokens(called.tokens.clone());
        visit::visit_macro(self, called);
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Mod(module) => &module.attrs,
        Item::Use(import) => &import.attrs,
        Item::Fn(function) => &function.attrs,
        _ => &[],
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    let is_test = |list: &syn::MetaList| list.tokens.to_string() == "test";
    attribute.path().is_ident("cfg") && attribute.meta.require_list().is_ok_and(is_test)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_name_a_folder_is_found() {
        let cases = [
            ("a/mod.rs", "use crate::b::C;", vec!["b"]),
            ("a/mod.rs", "fn f() { crate::b::f(); }", vec!["b"]),
            (
                "a/mod.rs",
                "use crate::{a::A, b, c::{D, E}};",
                vec!["a", "b", "c"],
            ),
            ("a/mod.rs", "pub use crate::b as w;", vec!["b"]),
            ("a/mod.rs", "use super::b;", vec!["b"]),
            ("a/page.rs", "use super::super::{b::A};", vec!["b"]),
            ("a/page.rs", "use super::{super::c::B, b};", vec!["c"]),
            ("a/deep/page.rs", "use super::super::super::b;", vec!["b"]),
            (
                "a/mod.rs",
                "struct A<'a>(&'a crate::b::A, char);",
                vec!["b"],
            ),
            ("a/mod.rs", "fn f() { g!(x, crate::b::D); }", vec!["b"]),
            ("a/mod.rs", "use nexmo_audit_exporter::b;", vec!["b"]),
            ("a/page.rs", "use super::b::A; use self::c::D;", vec![]),
            (
                "a/mod.rs",
                "// use crate::b;\nconst A: &str = \"crate::b\";",
                vec![],
            ),
            (
                "a/mod.rs",
                "#[cfg(test)] mod tests { use crate::b; }",
                vec![],
            ),
        ];
        for (file, text, expected) in cases {
            let found = Source::new(file.into(), text).imports();
            assert_eq!(
                found,
                expected.iter().map(|folder| (*folder).to_owned()).collect(),
                "{text}"
            );
        }
    }

    #[test]
    fn every_way_to_name_a_clock_or_other_impure_item_is_found() {
        let cases = [
            ("use tokio::time;", "tokio", true),
            (
                "use std::{collections::HashMap, fs::{self, File}};",
                "std::fs",
                true,
            ),
            ("use std::time::{Duration, Instant};", "Instant", true),
            (
                "fn f() { let now = jiff::Timestamp::now(); }",
                "Timestamp::now",
                true,
            ),
            ("fn f() { g!(std::env::var(\"A\")); }", "std::env", true),
            ("fn f() { let fs = Instantly::now(); }", "Instant", false),
        ];
        for (text, name, expected) in cases {
            assert_eq!(
                Source::new("a.rs".into(), text).names(name),
                expected,
                "{text}"
            );
        }
    }
}

//! The sources of the crate, and what of it they name.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::scan::{paths, tokens, without_comments_and_texts, without_tests};

/// One source file of the crate, without its comments, texts and tests.
pub(crate) struct Source {
    /// Below src/.
    pub(crate) file: PathBuf,
    code: String,
}

impl Source {
    pub(crate) fn new(file: impl Into<PathBuf>, text: &str) -> Self {
        Self {
            file: file.into(),
            code: without_tests(&without_comments_and_texts(text)),
        }
    }

    /// `event` of `event/page.rs`, `account` of `account.rs`.
    pub(crate) fn top_module(&self) -> &str {
        let first = self.file.iter().next().and_then(|name| name.to_str());
        let first = first.expect("a file name in UTF-8");
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// How many modules deep below the crate's root the code is.
    fn depth(&self) -> usize {
        let names = self.file.with_extension("");
        match names.file_name().and_then(|name| name.to_str()) {
            Some("mod" | "lib" | "main") => names.iter().count() - 1,
            _ => names.iter().count(),
        }
    }

    /// Every path that the code names.
    pub(crate) fn paths(&self) -> Vec<Vec<String>> {
        paths(&tokens(&self.code))
    }

    /// The module of this crate that a path leads to.
    pub(crate) fn import(&self, path: &[String]) -> Option<String> {
        let supers = path.iter().take_while(|part| *part == "super").count();
        let from_root = match path.first()?.as_str() {
            "crate" | "nexmo_audit_exporter" => 1,
            "super" if supers == self.depth() => supers,
            _ => return None,
        };
        path.get(from_root).cloned()
    }
}

/// Every source of the crate but its tests.
pub(crate) fn sources() -> Vec<Source> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![src.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let is_tests = path.file_stem().is_some_and(|name| name == "tests");
            if path.is_dir() && !is_tests {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") && !is_tests {
                let text = fs::read_to_string(&path).expect("a source");
                let file = path.strip_prefix(&src).expect("a file below src");
                sources.push(Source::new(file, &text));
            }
        }
    }
    assert!(!sources.is_empty(), "no sources below {}", src.display());
    sources
}

//! Holds the documents to the repository: links lead somewhere, commands parse, flags,
//! metrics, files, functions and messages exist, and every alert has its runbook.

mod code;
mod commands;
mod dashboard_urls;
mod links;
mod markdown;
mod names;
mod runbooks;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use markdown::Document;

/// Folders that hold nothing of the repository's own.
const FOREIGN: [&str; 3] = ["target", "node_modules", ".git"];

/// The repository that documents are held to.
#[derive(Debug, Default)]
pub(crate) struct Repository {
    /// Every document in Markdown.
    pub(crate) documents: Vec<Document>,
    /// Rust files and documents, by their paths below the root.
    texts: BTreeMap<String, String>,
    /// Where it is; `None` for one that a test made up.
    root: Option<PathBuf>,
}

impl Repository {
    /// This repository.
    fn here() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        find(root, &mut files);
        let texts = files.iter().map(|file| {
            let path = file.strip_prefix(root).expect("a path below the root");
            let text = fs::read_to_string(file).expect("a text");
            (path.to_string_lossy().into_owned(), text)
        });
        Self {
            root: Some(root.to_owned()),
            ..Self::with(texts.collect())
        }
    }

    /// A repository of these files.
    fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter();
        Self::with(
            files
                .map(|(path, text)| ((*path).into(), (*text).into()))
                .collect(),
        )
    }

    fn with(texts: BTreeMap<String, String>) -> Self {
        let is_document = |path: &str| Path::new(path).extension() == Some("md".as_ref());
        let documents = texts.iter().filter(|(path, _)| is_document(path));
        Self {
            documents: documents
                .map(|(path, text)| Document::read(path, text))
                .collect(),
            texts,
            root: None,
        }
    }

    /// Returns `true` if there is a file or a folder of that path.
    pub(crate) fn has(&self, path: &str) -> bool {
        let on_disk = self
            .root
            .as_ref()
            .is_some_and(|root| root.join(path).exists());
        on_disk || self.texts.contains_key(path)
    }

    /// The text of a Rust file or a document.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// The paths of Rust files and documents.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &String> {
        self.texts.keys()
    }

    /// The anchors of each document.
    pub(crate) fn anchors(&self) -> BTreeMap<&str, &[String]> {
        let documents = self.documents.iter();
        documents
            .map(|document| (&*document.path, &*document.anchors))
            .collect()
    }

    /// The code of the program, with the strings in it as they are printed.
    pub(crate) fn program(&self) -> String {
        let is_code = |path: &str| path.starts_with("src/") || path.contains("/src/");
        let code = self.texts.iter().filter(|(path, _)| is_code(path));
        let code: String = code.map(|(_, text)| text.as_str()).collect();
        let lines = code.split("\\\n").map(str::trim_start);
        lines.collect::<String>().replace("\\\"", "\"")
    }

    fn document(&self, path: &str) -> &Document {
        let mut documents = self.documents.iter();
        documents
            .find(|document| document.path == path)
            .expect(path)
    }
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            if !FOREIGN.iter().any(|foreign| *name == **foreign) {
                find(&path, files);
            }
        } else if path
            .extension()
            .is_some_and(|kind| kind == "md" || kind == "rs")
        {
            files.push(path);
        }
    }
}

fn hold(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn links_lead_somewhere_and_every_page_is_linked() {
    let repository = Repository::here();
    let documents = repository.documents.iter();
    let mut problems: Vec<_> = documents
        .flat_map(|document| links::broken(document, &repository))
        .collect();
    problems.extend(links::unreachable(&repository));
    hold(&problems);
}

#[test]
fn commands_are_taken() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let makefile = fs::read_to_string(root.join("Makefile")).expect("the Makefile");
    let phony = makefile
        .lines()
        .filter_map(|line| line.strip_prefix(".PHONY: "));
    let targets: Vec<String> = phony.map(str::to_owned).collect();
    let repository = Repository::here();
    let documents = repository.documents.iter();
    let problems: Vec<_> = documents
        .flat_map(|document| commands::unknown(document, &targets))
        .collect();
    hold(&problems);
}

#[test]
fn names_exist_and_none_is_left_out() {
    let repository = Repository::here();
    let documents = repository.documents.iter();
    let mut problems: Vec<_> = documents
        .flat_map(|document| names::unknown(document, &repository))
        .collect();
    problems.extend(names::metrics_left_out(
        repository.document("docs/metrics.md"),
    ));
    let configuration = repository.document("docs/configuration.md");
    problems.extend(names::flags_left_out(configuration, &["serve"]));
    hold(&problems);
}

#[test]
fn every_alert_has_its_runbook() {
    let alerts = runbooks::alerts(Path::new(env!("CARGO_MANIFEST_DIR")));
    let mut problems = runbooks::without_section(&alerts, &Repository::here());
    problems.extend(runbooks::commands_not_taken(&alerts));
    hold(&problems);
}

#[test]
fn every_alert_has_its_dashboard() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dashboards = dashboard_urls::dashboards(root);
    hold(&dashboard_urls::leading_nowhere(
        &runbooks::alerts(root),
        &dashboards,
    ));
}

#[test]
fn code_is_as_documents_say() {
    let repository = Repository::here();
    let architecture = repository.document("ARCHITECTURE.md");
    let mut problems = code::lost_on_the_path(architecture, &repository);
    problems.extend(names::modules_left_out(architecture, &repository));
    let troubleshooting = repository.document("docs/troubleshooting.md");
    problems.extend(code::messages_not_said(troubleshooting, &repository));
    hold(&problems);
}

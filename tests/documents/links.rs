//! Where links lead.

use std::collections::BTreeMap;

use super::{Repository, markdown::Document};

/// Links of a document that lead nowhere. Addresses in the network are not looked at.
pub(crate) fn broken(document: &Document, repository: &Repository) -> Vec<String> {
    let relative = document.links.iter().filter(|link| {
        let scheme = link.split(['/', '#']).next().unwrap_or_default();
        !scheme.contains(':')
    });
    let anchors: BTreeMap<&str, &[String]> = repository.anchors();
    let leads = |link: &&String| {
        let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
        let target = match path {
            "" => document.path.clone(),
            path => below(document.folder(), path),
        };
        let found = || anchors.get(&*target)?.iter().find(|known| *known == anchor);
        repository.has(&target) && (anchor.is_empty() || found().is_some())
    };
    let broken = relative.filter(|link| !leads(link));
    broken
        .map(|link| format!("{}: the link {link} leads nowhere", document.path))
        .collect()
}

/// Pages in `docs` that neither the README nor an index there links.
pub(crate) fn unreachable(repository: &Repository) -> Vec<String> {
    let indices = repository
        .documents
        .iter()
        .filter(|document| document.path == "README.md" || document.path.ends_with("/README.md"));
    let linked: Vec<String> = indices
        .flat_map(|index| index.links.iter().map(|link| below(index.folder(), link)))
        .collect();
    let pages = repository.documents.iter().map(|document| &document.path);
    pages
        .filter(|path| path.starts_with("docs/") && !linked.contains(path))
        .map(|path| format!("{path}: neither the README nor an index of docs links it"))
        .collect()
}

/// A path as it is from the root of the repository.
fn below(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn a_link_leads_to_a_file_and_a_heading() {
    let repository = Repository::of(&[
        (
            "README.md",
            "# Top\n[a](docs/a.md) [x](docs/x.md) ![p](p.png)",
        ),
        ("docs/a.md", "# One two\n"),
        ("docs/b.md", "# B\n"),
    ]);
    let cases = [
        (
            "[a](a.md#one-two) [top](../README.md#top) [b](#b) [w](https://example.org/#x)",
            0,
        ),
        ("[a](a.md#one-three)", 1),
        ("[a](../a.md)", 1),
        ("[b](#c)", 1),
        ("![p](gone.png)", 1),
    ];
    for (text, expected) in cases {
        let document = Document::read("docs/b.md", &format!("# B\n{text}\n"));
        assert_eq!(broken(&document, &repository).len(), expected, "{text}");
    }
    let expected = ["docs/b.md: neither the README nor an index of docs links it"];
    assert_eq!(unreachable(&repository), expected);
}

//! Statements of documents about the code: where functions are, and what messages say.

use super::{Repository, markdown::Document};

/// The most files that the path of an event may pass.
const MOST_FILES: usize = 25;

/// Hops of the path of an event that are not where the table says, and files that are
/// too many.
pub(crate) fn lost_on_the_path(document: &Document, repository: &Repository) -> Vec<String> {
    let rows = document.rows.iter();
    let hops: Vec<_> = rows
        .filter(|row| row.section == "The path of an event")
        .filter_map(|row| row.cells.get(1))
        .collect();
    let mut files: Vec<&String> = hops.iter().filter_map(|hop| hop.first()).collect();
    files.sort_unstable();
    files.dedup();
    let mut problems = Vec::new();
    if hops.is_empty() || files.len() > MOST_FILES {
        problems.push(format!("the path passes {} files", files.len()));
    }
    for hop in hops {
        let [file, function] = &**hop else {
            problems.push(format!("a hop is a file and a function, and not {hop:?}"));
            continue;
        };
        let text = repository.text(file).unwrap_or_default();
        let defines = |end| text.contains(&format!("fn {function}{end}"));
        if !defines('(') && !defines('<') {
            problems.push(format!("{file} has no function {function}"));
        }
    }
    problems
}

/// Messages in the first column of tables that the program does not have. `…` stands
/// for anything.
pub(crate) fn messages_not_said(document: &Document, repository: &Repository) -> Vec<String> {
    let said = repository.program();
    let first = document.rows.iter().filter_map(|row| row.cells.first());
    let messages = first.flatten().filter(|code| code.contains(' '));
    let is_said = |message: &&String| message.split('…').all(|part| said.contains(part.trim()));
    messages
        .filter(|message| !is_said(message))
        .map(|message| format!("{}: the program never says {message:?}", document.path))
        .collect()
}

#[test]
fn a_hop_is_where_the_table_says() {
    let repository = Repository::of(&[("src/a.rs", "fn go() {}\nfn over<T>() {}")]);
    let path = |rows: &str| {
        let text = format!("# The path of an event\n\n| n | w |\n| --- | --- |\n{rows}");
        lost_on_the_path(&Document::read("a.md", &text), &repository).len()
    };
    assert_eq!(
        path("| 1 | `src/a.rs` `go` |\n| 2 | `src/a.rs` `over` |\n"),
        0
    );
    assert_eq!(path("| 1 | `src/a.rs` `gone` |\n"), 1);
    assert_eq!(path("| 1 | `src/b.rs` `go` |\n"), 1);
    assert_eq!(path("| 1 | `src/a.rs` |\n"), 1);
    assert_eq!(path(""), 1);
    let many = (0..26).map(|n| format!("| {n} | `src/{n}.rs` `go` |\n"));
    assert_eq!(path(&many.collect::<Vec<_>>().concat()), 27);
}

#[test]
fn a_message_is_one_that_the_program_has() {
    let program = r#"#[error("{} is in use, \
        stop {pid}")] warn!("polls \"fail\"")"#;
    let repository = Repository::of(&[("src/a.rs", program), ("tests/b.rs", "never said")]);
    let said = |message: &str| {
        let text = format!("| a | b |\n| --- | --- |\n| `{message}` | `of no account` |\n");
        messages_not_said(&Document::read("a.md", &text), &repository).is_empty()
    };
    for message in [
        "is in use, stop",
        "… is in use, … stop …",
        "polls \"fail\"",
        "`word`",
    ] {
        assert!(said(message), "{message}");
    }
    for message in ["is in use, start", "never said"] {
        assert!(!said(message), "{message}");
    }
}

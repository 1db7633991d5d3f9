//! A document, read as far as the checks need it.

use std::{collections::BTreeMap, mem};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A document in Markdown.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// The path below the root of the repository.
    pub(crate) path: String,
    /// The whole text.
    pub(crate) text: String,
    /// The targets of links and pictures.
    pub(crate) links: Vec<String>,
    /// The anchors that GitHub gives the headings.
    pub(crate) anchors: Vec<String>,
    /// Code within a line of text.
    pub(crate) spans: Vec<String>,
    /// Blocks of shell commands.
    pub(crate) shell: Vec<String>,
    /// Rows of tables.
    pub(crate) rows: Vec<Row>,
}

/// A row of a table.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// The heading that the table stands below.
    pub(crate) section: String,
    /// The code in each cell.
    pub(crate) cells: Vec<Vec<String>>,
}

impl Document {
    /// Reads a document.
    pub(crate) fn read(path: &str, text: &str) -> Self {
        let mut document = Self {
            path: path.to_owned(),
            text: text.to_owned(),
            ..Self::default()
        };
        let mut reading = Reading::default();
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            document.take(event, &mut reading);
        }
        document
    }

    /// The folder of the document; empty for the root of the repository.
    pub(crate) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    fn take(&mut self, event: Event<'_>, reading: &mut Reading) {
        match event {
            Event::Start(Tag::Heading { .. }) => reading.heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                reading.section = reading.heading.take().unwrap_or_default();
                self.anchors.push(reading.anchor());
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                self.links.push(dest_url.into_string());
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                reading.shell = (&*language == "sh").then(String::new);
            }
            Event::End(TagEnd::CodeBlock) => self.shell.extend(reading.shell.take()),
            Event::Start(Tag::TableRow) => reading.row = Some(Vec::new()),
            Event::Start(Tag::TableCell) => reading.row.iter_mut().for_each(|row| row.push(vec![])),
            Event::End(TagEnd::TableRow) => {
                let section = reading.section.clone();
                let cells = reading.row.take().unwrap_or_default();
                self.rows.push(Row { section, cells });
            }
            Event::Code(code) => {
                reading.text(&code);
                if let Some(cell) = reading.row.as_mut().and_then(|row| row.last_mut()) {
                    cell.push(code.to_string());
                }
                self.spans.push(code.into_string());
            }
            Event::Text(text) => reading.text(&text),
            _ => {}
        }
    }
}

/// The part of a document that is being read.
#[derive(Debug, Default)]
struct Reading {
    heading: Option<String>,
    section: String,
    shell: Option<String>,
    row: Option<Vec<Vec<String>>>,
    /// How often each anchor was given.
    given: BTreeMap<String, u32>,
}

impl Reading {
    fn text(&mut self, text: &str) {
        let open = self.heading.iter_mut().chain(&mut self.shell);
        open.for_each(|open| open.push_str(text));
    }

    /// The anchor of the heading that was read: GitHub keeps letters, digits, `-` and
    /// `_`, writes a blank as `-`, and numbers those that come again.
    fn anchor(&mut self) -> String {
        let kept = |c: &char| c.is_alphanumeric() || "-_ ".contains(*c);
        let lower = self.section.to_lowercase();
        let anchor: String = lower.chars().filter(kept).collect();
        let anchor = anchor.replace(' ', "-");
        let times = self.given.entry(anchor.clone()).or_default();
        match mem::replace(times, *times + 1) {
            0 => anchor,
            again => format!("{anchor}-{again}"),
        }
    }
}

#[test]
fn anchors_are_those_of_github() {
    let text = "# TLS, passwords and limits\n## `serve` and /-/ready\n## Again\n## Again\n";
    let document = Document::read("a.md", text);
    let expected = [
        "tls-passwords-and-limits",
        "serve-and--ready",
        "again",
        "again-1",
    ];
    assert_eq!(document.anchors, expected);
}

#[test]
fn code_is_told_apart_by_where_it_stands() {
    let text = "\
# T\n`span` [l](a.md#b) ![p](p.png)\n\n```sh\nmake a\n```\n\n```text\nno\n```\n
| h | i |\n| --- | --- |\n| x `one` | `two` `three` |\n";
    let document = Document::read("docs/a.md", text);
    assert_eq!(document.folder(), "docs");
    assert_eq!(document.links, ["a.md#b", "p.png"]);
    assert_eq!(document.spans, ["span", "one", "two", "three"]);
    assert_eq!(document.shell, ["make a\n"]);
    let row = Row {
        section: "T".into(),
        cells: vec![vec!["one".into()], vec!["two".into(), "three".into()]],
    };
    assert_eq!(document.rows, [row]);
}

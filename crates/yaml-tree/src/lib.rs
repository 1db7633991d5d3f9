//! A YAML document as a small tree in which every key and value has its line.
//!
//! This crate is for configuration files whose errors have to name a line. It reads
//! mappings, lists and scalars. Anything that could make a file mean something else than
//! it seems to is an error that names it: aliases, tags, repeated keys, a second document.
//!
//! A value may be a secret, so neither errors nor `Debug` output show values. They may
//! show keys.
//!
//! ```
//! let document = yaml_tree::parse("listen: [':9000']\ntls:\n  enabled: maybe\n")?;
//! let [listen, tls] = &document[..] else {
//!     panic!("two entries");
//! };
//! assert_eq!(listen.texts(), Ok(vec![":9000"]));
//! let enabled = &tls.map()?[0];
//! assert_eq!(
//!     enabled.flag().map_err(|error| error.to_string()),
//!     Err("line 3: `enabled` must be true or false, without quotes".to_owned())
//! );
//! # Ok::<(), yaml_tree::YamlError>(())
//! ```

use std::{
    collections::{BTreeMap, btree_map},
    fmt,
};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

/// The greatest depth of nested lists and mappings. Settings need four levels.
const MAX_DEPTH: usize = 32;

/// An error in a document, with its line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct YamlError {
    /// The line of the error, from 1.
    pub line: usize,
    /// The problem, and how to correct it. Shows no value.
    pub problem: String,
}

/// A value and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlNode {
    /// The line in which the value begins, from 1.
    pub line: usize,
    /// The value.
    pub value: YamlValue,
}

/// A value of a document.
#[derive(Clone, PartialEq, Eq)]
pub enum YamlValue {
    /// No value, `~` or `null`.
    Null,
    /// Text, with or without quotes.
    Scalar {
        /// The text without its quotes.
        text: String,
        /// `true` if the text was written without quotes. Only then can it be a boolean.
        plain: bool,
    },
    /// A list.
    List(Vec<YamlNode>),
    /// A mapping, in the order of the file. No key occurs twice.
    Map(Vec<YamlEntry>),
}

/// A key of a mapping and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlEntry {
    /// The key without its quotes.
    pub key: String,
    /// The line of the key, from 1.
    pub line: usize,
    /// The value.
    pub node: YamlNode,
}

/// Shows the kinds of values and not the values, which may be secrets.
impl fmt::Debug for YamlValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => formatter.write_str("Null"),
            Self::Scalar { .. } => formatter.write_str("Scalar(..)"),
            Self::List(nodes) => formatter.debug_list().entries(nodes).finish(),
            Self::Map(entries) => formatter.debug_list().entries(entries).finish(),
        }
    }
}

/// Reads one document, whose outermost value must be a mapping. An empty document is an
/// empty mapping.
///
/// # Errors
/// [`YamlError`] if the text is not YAML, or contains anything that this crate refuses.
pub fn parse(text: &str) -> Result<Vec<YamlEntry>, YamlError> {
    let mut tree = Tree::default();
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| unreadable(&error))?;
        if let Event::DocumentStart(_) = event {
            documents += 1;
        }
        if documents > 1 {
            let problem = "a second document begins here; keep one, and remove `---`";
            return Err(error(line(&span), problem));
        }
        tree.take(event, &span)?;
    }
    match tree.root {
        None => Ok(Vec::new()),
        Some(node) if node.value == YamlValue::Null => Ok(Vec::new()),
        Some(node) => match node.value {
            YamlValue::Map(entries) => Ok(entries),
            _ => Err(error(node.line, "write settings as `key: value`")),
        },
    }
}

impl YamlEntry {
    /// Returns the value as text; empty text if there is no value.
    ///
    /// # Errors
    /// [`YamlError`] for a list or a mapping.
    pub fn text(&self) -> Result<&str, YamlError> {
        self.node.text(&self.key)
    }

    /// Returns the value as a boolean; `None` if there is no value. The spellings of YAML
    /// 1.1, such as `yes`, are accepted because files for Go programs use them.
    ///
    /// # Errors
    /// [`YamlError`] for any other value.
    pub fn flag(&self) -> Result<Option<bool>, YamlError> {
        self.node.flag(&self.key)
    }

    /// Returns the value as a list of texts; an empty list if there is no value.
    ///
    /// # Errors
    /// [`YamlError`] for any other value.
    pub fn texts(&self) -> Result<Vec<&str>, YamlError> {
        let items = self.list()?.iter();
        items.map(|item| item.item_text(&self.key)).collect()
    }

    /// Returns the value as a list; an empty list if there is no value.
    ///
    /// # Errors
    /// [`YamlError`] for any other value.
    pub fn list(&self) -> Result<&[YamlNode], YamlError> {
        match &self.node.value {
            YamlValue::Null => Ok(&[]),
            YamlValue::List(items) => Ok(items),
            _ => Err(self.node.must_be(&self.key, "a list")),
        }
    }

    /// Returns the value as a mapping; an empty mapping if there is no value.
    ///
    /// # Errors
    /// [`YamlError`] for any other value.
    pub fn map(&self) -> Result<&[YamlEntry], YamlError> {
        self.node.map(&self.key)
    }

    /// Returns an error about this key. The message is the key followed by `problem`.
    #[must_use]
    pub fn error(&self, problem: impl fmt::Display) -> YamlError {
        error(self.line, format!("`{}` {problem}", shown(&self.key)))
    }
}

impl YamlNode {
    /// Returns the value as text; empty text if there is no value. An error calls the
    /// value `name`.
    ///
    /// # Errors
    /// [`YamlError`] for a list or a mapping.
    pub fn text(&self, name: &str) -> Result<&str, YamlError> {
        match &self.value {
            YamlValue::Null => Ok(""),
            YamlValue::Scalar { text, .. } => Ok(text),
            _ => Err(self.must_be(name, "text")),
        }
    }

    /// Returns the value as a boolean, like [`YamlEntry::flag`]. An error calls the value
    /// `name`.
    ///
    /// # Errors
    /// [`YamlError`] for any other value.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, YamlError> {
        let (text, plain) = match &self.value {
            YamlValue::Null => return Ok(None),
            YamlValue::Scalar { text, plain } => (text.as_str(), *plain),
            _ => ("", false),
        };
        match text {
            "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "y" | "Y" | "on" | "On" | "ON"
                if plain =>
            {
                Ok(Some(true))
            }
            "false" | "False" | "FALSE" | "no" | "No" | "NO" | "n" | "N" | "off" | "Off"
            | "OFF"
                if plain =>
            {
                Ok(Some(false))
            }
            _ => Err(self.must_be(name, "true or false, without quotes")),
        }
    }

    /// Returns the value as a mapping, like [`YamlEntry::map`]. An error calls the value
    /// `name`.
    ///
    /// # Errors
    /// [`YamlError`] for any other value.
    pub fn map(&self, name: &str) -> Result<&[YamlEntry], YamlError> {
        match &self.value {
            YamlValue::Null => Ok(&[]),
            YamlValue::Map(entries) => Ok(entries),
            _ => Err(self.must_be(name, "a mapping, `key: value`")),
        }
    }

    fn item_text(&self, name: &str) -> Result<&str, YamlError> {
        match &self.value {
            YamlValue::Scalar { text, .. } => Ok(text),
            _ => Err(self.must_be(name, "a list of text")),
        }
    }

    fn must_be(&self, name: &str, what: &str) -> YamlError {
        error(self.line, format!("`{}` must be {what}", shown(name)))
    }
}

/// The part of a document that has been read.
#[derive(Default)]
struct Tree {
    root: Option<YamlNode>,
    /// The lists and mappings that have not ended, the outermost first.
    open: Vec<Open>,
}

struct Open {
    line: usize,
    holds: Holds,
}

enum Holds {
    Items(Vec<YamlNode>),
    Entries {
        entries: Vec<YamlEntry>,
        lines: BTreeMap<String, usize>,
        /// The key and its line, while its value is awaited.
        key: Option<(String, usize)>,
    },
}

impl Tree {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), YamlError> {
        let line = line(span);
        refuse_what_misleads(&event, line)?;
        match event {
            Event::Scalar(text, style, ..) => self.place(YamlNode {
                line,
                value: scalar(&text, style),
            }),
            Event::SequenceStart(..) => self.open(line, Holds::Items(Vec::new())),
            Event::MappingStart(..) => self.open(
                line,
                Holds::Entries {
                    entries: Vec::new(),
                    lines: BTreeMap::new(),
                    key: None,
                },
            ),
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            _ => Ok(()),
        }
    }

    fn open(&mut self, line: usize, holds: Holds) -> Result<(), YamlError> {
        if self.open.len() == MAX_DEPTH {
            return Err(error(line, too_deep()));
        }
        if self.wants_key() {
            return Err(error(line, "a key must be text"));
        }
        self.open.push(Open { line, holds });
        Ok(())
    }

    fn wants_key(&self) -> bool {
        let innermost = self.open.last().map(|open| &open.holds);
        matches!(innermost, Some(Holds::Entries { key: None, .. }))
    }

    fn close(&mut self) -> Result<(), YamlError> {
        let Some(Open { line, holds }) = self.open.pop() else {
            return Ok(());
        };
        let value = match holds {
            Holds::Items(items) => YamlValue::List(items),
            Holds::Entries { entries, .. } => YamlValue::Map(entries),
        };
        self.place(YamlNode { line, value })
    }

    /// Adds a complete value to the innermost open list or mapping.
    fn place(&mut self, node: YamlNode) -> Result<(), YamlError> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.holds {
            Holds::Items(items) => items.push(node),
            Holds::Entries {
                entries,
                lines,
                key,
            } => match key.take() {
                Some((key, line)) => entries.push(YamlEntry { key, line, node }),
                None => *key = Some(new_key(node, lines)?),
            },
        }
        Ok(())
    }
}

fn new_key(
    node: YamlNode,
    lines: &mut BTreeMap<String, usize>,
) -> Result<(String, usize), YamlError> {
    let YamlValue::Scalar { text, .. } = node.value else {
        return Err(error(node.line, "a key must be text"));
    };
    match lines.entry(text.clone()) {
        btree_map::Entry::Vacant(vacant) => vacant.insert(node.line),
        btree_map::Entry::Occupied(first) => {
            let (key, first) = (shown(&text), first.get());
            let problem = format!("`{key}` is given again, after line {first}; keep one");
            return Err(error(node.line, problem));
        }
    };
    Ok((text, node.line))
}

fn scalar(text: &str, style: ScalarStyle) -> YamlValue {
    let plain = style == ScalarStyle::Plain;
    if plain && matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return YamlValue::Null;
    }
    YamlValue::Scalar {
        text: text.to_owned(),
        plain,
    }
}

fn refuse_what_misleads(event: &Event<'_>, line: usize) -> Result<(), YamlError> {
    let (anchor, tagged) = match event {
        Event::Alias(_) => (1, false),
        Event::Scalar(_, _, anchor, tag) => (*anchor, tag.is_some()),
        Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag) => {
            (*anchor, tag.is_some())
        }
        _ => (0, false),
    };
    if anchor > 0 {
        return Err(error(line, ANCHORS));
    }
    if tagged {
        let problem = "tags (`!…`) are not supported; quote text that begins with `!`";
        return Err(error(line, problem));
    }
    Ok(())
}

const ANCHORS: &str =
    "anchors (`&…`) and aliases (`*…`) are not supported; quote text that begins with `&` or `*`";

/// Converts an error of the parser. The messages of the parser show no value, except for
/// a character that no value may begin with.
fn unreadable(scan: &ScanError) -> YamlError {
    let info = scan.info();
    let problem = if info.starts_with("unexpected character") {
        "text that begins with `%`, `@` or a backtick must be quoted".to_owned()
    } else if info.contains("unknown anchor") {
        ANCHORS.to_owned()
    } else if info.contains("recursion limit") {
        too_deep()
    } else {
        format!("this is not YAML: {info}")
    };
    error(scan.marker().line().max(1), problem)
}

fn too_deep() -> String {
    format!("lists and mappings are nested more than {MAX_DEPTH} deep")
}

fn line(span: &Span) -> usize {
    span.start.line().max(1)
}

fn error(line: usize, problem: impl Into<String>) -> YamlError {
    YamlError {
        line,
        problem: problem.into(),
    }
}

/// Escapes a key, which may contain characters that control a terminal.
fn shown(key: &str) -> impl fmt::Display + use<'_> {
    key.escape_debug()
}

#[cfg(test)]
mod tests;

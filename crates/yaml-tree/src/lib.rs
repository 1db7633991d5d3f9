//! One YAML document as a small tree in which everything knows its line. Pure.
//!
//! It takes the part of YAML that settings are written in: mappings, lists and
//! scalars. What would make a file mean something else than it seems to (aliases,
//! tags, keys given twice, a second document) is refused by name.
//!
//! No error may show a value, which can be a secret; keys it may.

use std::{
    collections::{BTreeMap, btree_map},
    fmt,
};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

/// Lists and mappings within each other; settings need four.
const MAX_DEPTH: usize = 32;

/// What is wrong, and in which line; shows no value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct YamlError {
    /// From 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub problem: String,
}

/// A value, and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlNode {
    /// From 1.
    pub line: usize,
    /// What is there.
    pub value: YamlValue,
}

/// What YAML makes of a piece of text.
#[derive(Clone, PartialEq, Eq)]
pub enum YamlValue {
    /// Nothing, `~` or `null`.
    Null,
    /// Anything else that is neither list nor mapping.
    Scalar {
        /// As written, without quotes.
        text: String,
        /// Without quotes: `true` is a boolean only then.
        plain: bool,
    },
    /// What is written with dashes or in brackets.
    List(Vec<YamlNode>),
    /// What is written with colons, in the order of the file; each key is there once.
    Map(Vec<YamlEntry>),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlEntry {
    /// As written, without quotes.
    pub key: String,
    /// Of the key, from 1.
    pub line: usize,
    /// Its value.
    pub node: YamlNode,
}

/// Values stay out of logs and of messages of failed tests.
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

/// Reads one document whose outermost value is a mapping. An empty one is an empty
/// mapping.
///
/// # Errors
/// For text that is no YAML, and for what is refused: see the module.
pub fn parse(text: &str) -> Result<Vec<YamlEntry>, YamlError> {
    let mut tree = Tree::default();
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| unreadable(&error))?;
        if let Event::DocumentStart(_) = event {
            documents += 1;
        }
        if documents > 1 {
            let problem = "a second document begins here; keep one, and take `---` away";
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
    /// The value as text; none is empty text.
    ///
    /// # Errors
    /// For a list or a mapping.
    pub fn text(&self) -> Result<&str, YamlError> {
        self.node.text(&self.key)
    }

    /// The value as a boolean; `None` where there is no value.
    ///
    /// # Errors
    /// For anything else.
    pub fn flag(&self) -> Result<Option<bool>, YamlError> {
        self.node.flag(&self.key)
    }

    /// The value as a list of text; none is an empty list.
    ///
    /// # Errors
    /// For anything else.
    pub fn texts(&self) -> Result<Vec<&str>, YamlError> {
        let items = self.list()?.iter();
        items.map(|item| item.item_text(&self.key)).collect()
    }

    /// The value as a list; none is an empty list.
    ///
    /// # Errors
    /// For anything else.
    pub fn list(&self) -> Result<&[YamlNode], YamlError> {
        match &self.node.value {
            YamlValue::Null => Ok(&[]),
            YamlValue::List(items) => Ok(items),
            _ => Err(self.node.must_be(&self.key, "a list")),
        }
    }

    /// The value as a mapping; none is an empty mapping.
    ///
    /// # Errors
    /// For anything else.
    pub fn map(&self) -> Result<&[YamlEntry], YamlError> {
        self.node.map(&self.key)
    }

    /// An error about the key.
    #[must_use]
    pub fn error(&self, problem: impl fmt::Display) -> YamlError {
        error(self.line, format!("`{}` {problem}", shown(&self.key)))
    }
}

impl YamlNode {
    /// As text, for a value that errors call `name`; none is empty text.
    ///
    /// # Errors
    /// For a list or a mapping.
    pub fn text(&self, name: &str) -> Result<&str, YamlError> {
        match &self.value {
            YamlValue::Null => Ok(""),
            YamlValue::Scalar { text, .. } => Ok(text),
            _ => Err(self.must_be(name, "text")),
        }
    }

    /// As a boolean, for a value that errors call `name`; `None` where there is no
    /// value. The spellings of YAML 1.1 count too, since files for Go have them.
    ///
    /// # Errors
    /// For anything else.
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

    /// As a mapping, for a value that errors call `name`; none is an empty mapping.
    ///
    /// # Errors
    /// For anything else.
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

/// The tree as far as it has been read.
#[derive(Default)]
struct Tree {
    root: Option<YamlNode>,
    /// Lists and mappings that have not ended, the outermost first.
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
        /// The key whose value comes next.
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

    /// Puts a value that is complete where it belongs.
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
        let problem = "tags (`!…`) are not taken; quote text that begins with `!`";
        return Err(error(line, problem));
    }
    Ok(())
}

const ANCHORS: &str =
    "anchors (`&…`) and aliases (`*…`) are not taken; quote text that begins with `&` or `*`";

/// The parser's own words name no value but for the one character that it cannot
/// begin with.
fn unreadable(scan: &ScanError) -> YamlError {
    let info = scan.info();
    let problem = if info.starts_with("unexpected character") {
        "text that begins with `%`, `@` or a backtick must be quoted".to_owned()
    } else if info.contains("unknown anchor") {
        ANCHORS.to_owned()
    } else if info.contains("recursion limit") {
        too_deep()
    } else {
        format!("this is no YAML: {info}")
    };
    error(scan.marker().line().max(1), problem)
}

fn too_deep() -> String {
    format!("more than {MAX_DEPTH} lists and mappings within each other")
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

/// A key may hold anything, and a terminal should not.
fn shown(key: &str) -> impl fmt::Display + use<'_> {
    key.escape_debug()
}

#[cfg(test)]
mod tests;

//! A table that fits a terminal: where a line is too short for all columns, the other
//! columns follow on further lines.

use std::borrow::Cow;

use super::{fitted, printable::width};

/// The text between two columns, and before a line that continues a row.
const GAP: &str = "  ";

/// The widest value that is shown, in columns: all but what nobody can read in a table. A
/// wider one would make every row as wide.
pub(super) const MAX_WIDTH: usize = 256;

/// The way in which a table is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    /// The columns of the terminal; `None` if there is no terminal, so that only what is
    /// wider than [`MAX_WIDTH`] is cut.
    pub(crate) width: Option<usize>,
    /// `true` if the names of the columns are bold, and values have the colours of their columns.
    pub(crate) has_colours: bool,
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// The least width; wider values of the first rows widen the column.
    pub(crate) width: usize,
    /// `true` if values of the column are cut where the terminal is too narrow.
    pub(crate) may_be_cut: bool,
    /// The colour of the values: a parameter of the sequence SGR of ECMA-48, such as `36`;
    /// empty for none.
    pub(crate) colour: &'static str,
}

/// A table whose columns have their places, so that it can be written row by row.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    layout: Layout,
    /// The columns of each line, with their places in the row.
    lines: Vec<Vec<(usize, Column)>>,
}

impl Table {
    /// Returns a table with columns wide enough for the rows of `first`, which need not
    /// be all rows. The last column has the width that is left.
    pub(crate) fn new<'t, R: AsRef<[Cow<'t, str>]>>(
        layout: Layout,
        mut columns: Vec<Column>,
        first: impl IntoIterator<Item = R>,
    ) -> Self {
        let all_but_last = columns.len().saturating_sub(1);
        for row in first {
            for (column, text) in columns.iter_mut().zip(row.as_ref()).take(all_but_last) {
                column.width = column.width.max(width(text).min(MAX_WIDTH));
            }
        }
        let lines = flow(&columns, layout.width.unwrap_or(usize::MAX));
        Self { layout, lines }
    }

    /// Returns the names of the columns.
    pub(crate) fn header(&self) -> String {
        self.draw(|_, column| (column.name, "1"))
    }

    /// Returns one row with the end of its last line. The values are printable.
    pub(crate) fn row(&self, values: &[Cow<'_, str>]) -> String {
        self.draw(|place, column| {
            let value = values.get(place).map_or("", |value| &**value);
            (value, column.colour)
        })
    }

    /// Returns the lines of texts, each with its colour.
    fn draw<'t>(&self, text: impl Fn(usize, &Column) -> (&'t str, &'static str)) -> String {
        let mut drawn = String::new();
        for (place, columns) in self.lines.iter().enumerate() {
            let mut line = Line::default();
            if place > 0 {
                line.push(GAP);
            }
            for (number, (place, column)) in columns.iter().enumerate() {
                if number > 0 {
                    line.push(GAP);
                }
                let is_last = number + 1 == columns.len();
                self.push(&mut line, column, text(*place, column), is_last);
            }
            drawn.push_str(line.text.trim_end());
            drawn.push('\n');
        }
        drawn
    }

    fn push(&self, line: &mut Line, column: &Column, (text, colour): (&str, &str), is_last: bool) {
        let left = self.layout.width;
        let left = left.map(|columns| columns.saturating_sub(line.width));
        let space = match left {
            Some(left) if column.may_be_cut && is_last => left,
            Some(_) if column.may_be_cut => column.width,
            _ => MAX_WIDTH,
        };
        let text = fitted(text, space.min(MAX_WIDTH));
        if self.layout.has_colours && !colour.is_empty() {
            line.text.extend(["\u{1b}[", colour, "m"]);
            line.push(&text);
            line.text.push_str("\u{1b}[0m");
        } else {
            line.push(&text);
        }
        if !is_last {
            let blanks = column.width.saturating_sub(width(&text));
            line.push(&" ".repeat(blanks));
        }
    }
}

/// A line of a row while it is drawn.
#[derive(Default)]
struct Line {
    text: String,
    /// The number of terminal columns so far; colours take none.
    width: usize,
}

impl Line {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.width += width(text);
    }
}

/// Puts as many columns on each line as fit it.
fn flow(columns: &[Column], available: usize) -> Vec<Vec<(usize, Column)>> {
    let mut lines: Vec<Vec<(usize, Column)>> = Vec::new();
    let mut left = 0;
    for (place, column) in columns.iter().enumerate() {
        let needed = GAP.len() + column.width;
        match lines.last_mut() {
            Some(line) if needed <= left => {
                line.push((place, *column));
                left -= needed;
            }
            last => {
                let indent = last.map_or(0, |_| GAP.len());
                lines.push(vec![(place, *column)]);
                left = available.saturating_sub(indent + column.width);
            }
        }
    }
    lines
}

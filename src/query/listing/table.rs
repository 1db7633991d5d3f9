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
    /// `true` if the names of the columns are bold.
    pub(crate) bold: bool,
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// The least width; wider values of the first rows widen the column.
    pub(crate) width: usize,
    /// `true` if values of the column are cut where the terminal is too narrow.
    pub(crate) may_be_cut: bool,
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
    pub(crate) fn new<'t, const N: usize>(
        layout: Layout,
        mut columns: [Column; N],
        first: impl IntoIterator<Item = [Cow<'t, str>; N]>,
    ) -> Self {
        for row in first {
            for (column, text) in columns.iter_mut().zip(&row).take(N - 1) {
                column.width = column.width.max(width(text).min(MAX_WIDTH));
            }
        }
        let lines = flow(&columns, layout.width.unwrap_or(usize::MAX));
        Self { layout, lines }
    }

    /// Returns the names of the columns.
    pub(crate) fn header(&self) -> String {
        let text = self.draw(|_, column| column.name);
        if self.layout.bold {
            let line = |line| ["\u{1b}[1m", line, "\u{1b}[0m\n"];
            text.lines().flat_map(line).collect()
        } else {
            text
        }
    }

    /// Returns one row with the end of its last line. The values are printable.
    pub(crate) fn row(&self, values: &[Cow<'_, str>]) -> String {
        self.draw(|place, _| values.get(place).map_or("", |value| &**value))
    }

    fn draw<'t>(&self, text: impl Fn(usize, &Column) -> &'t str) -> String {
        let mut drawn = String::new();
        for (place, columns) in self.lines.iter().enumerate() {
            let mut line = if place == 0 {
                String::new()
            } else {
                GAP.to_owned()
            };
            for (number, (place, column)) in columns.iter().enumerate() {
                if number > 0 {
                    line.push_str(GAP);
                }
                let is_last = number + 1 == columns.len();
                self.push(&mut line, column, text(*place, column), is_last);
            }
            drawn.push_str(line.trim_end());
            drawn.push('\n');
        }
        drawn
    }

    fn push(&self, line: &mut String, column: &Column, text: &str, is_last: bool) {
        let left = self
            .layout
            .width
            .map(|columns| columns.saturating_sub(width(line)));
        let space = match left {
            Some(left) if column.may_be_cut && is_last => left,
            Some(_) if column.may_be_cut => column.width,
            _ => MAX_WIDTH,
        };
        let text = fitted(text, space.min(MAX_WIDTH));
        line.push_str(&text);
        if !is_last {
            let blanks = column.width.saturating_sub(width(&text));
            line.extend(std::iter::repeat_n(' ', blanks));
        }
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

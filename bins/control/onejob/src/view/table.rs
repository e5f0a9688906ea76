//! Tables for people.

use std::fmt::{self, Write};

/// Columns as wide as their widest cell; the last is not padded.
pub(super) struct Table<const N: usize> {
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub(super) fn new(head: &[&str; N]) -> Self {
        Self {
            rows: vec![head.map(str::to_owned)],
        }
    }

    pub(super) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells);
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> fmt::Result {
        let width = |column: usize| {
            self.rows
                .iter()
                .map(|r| r[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: [usize; N] = std::array::from_fn(width);
        for row in &self.rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(widths) {
                write!(line, "{cell:<width$}  ")?;
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(&["A", "LONGER", ""]);
        table.row(["wide cell".to_owned(), "x".to_owned(), "end".to_owned()]);
        let mut text = String::new();
        table.write(&mut text).unwrap();
        assert_eq!(text, "A          LONGER\nwide cell  x       end\n");
    }
}

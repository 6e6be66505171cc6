//! What commands print on stdout: lines, tables, JSON.

use std::fmt;
use std::io::{self, Write};

use serde::Serialize;

use crate::failure::{Failure, Fault, OrFail};

/// Prints one line. When the reader went away (`| head`), what nobody reads is not printed, and that is no failure.
pub(crate) fn print_line(line: &str) -> Result<(), Failure> {
    match writeln!(io::stdout().lock(), "{line}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed.or_fail(Fault::Disk, || "stdout"),
    }
}

/// Prints a value as JSON, indented.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).or_fail(Fault::Internal, || "JSON")?;
    print_line(&text)
}

/// Columns of text, padded to the widest cell.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with its heading.
    pub(crate) fn new(heading: &[&str]) -> Self {
        Self { rows: vec![heading.iter().map(|cell| (*cell).to_owned()).collect()] }
    }

    /// Adds a row; it has as many cells as the heading.
    pub(crate) fn add(&mut self, row: &[&str]) {
        debug_assert_eq!(row.len(), self.rows[0].len(), "one cell a column");
        self.rows.push(row.iter().map(|cell| (*cell).to_owned()).collect());
    }

    /// Whether there is nothing but the heading.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.rows[0].len()).map(width).collect();
        for (index, row) in self.rows.iter().enumerate() {
            let cells: Vec<_> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            let end = if index + 1 == self.rows.len() { "" } else { "\n" };
            write!(f, "  {}{end}", cells.join("  ").trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(&["a", "long"]);
        table.add(&["value", "x"]);
        assert_eq!(table.to_string(), "  a      long\n  value  x");
    }
}

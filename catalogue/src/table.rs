//! Tables as text: one row a line, cells between tabs, `#` before comments, the first row names the columns.
//! This file does not know what a table means.

use std::str::FromStr;

use thiserror::Error;

/// Why a table cannot be used. A test reads all of them, so a build that passed its tests has none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{table}, line {line}: {problem}")]
pub struct TableFault {
    /// Name of the file.
    pub table: &'static str,
    /// Line, from 1; 0 where the fault is of the table as a whole.
    pub line: usize,
    /// What is wrong.
    pub problem: String,
}

/// A table as it was typed.
pub(crate) struct Table {
    name: &'static str,
    columns: Vec<&'static str>,
    rows: Vec<(usize, Vec<&'static str>)>,
}

impl Table {
    /// Splits the text of a table.
    pub(crate) fn read(name: &'static str, text: &'static str) -> Result<Self, TableFault> {
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
        let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let fault = |line, problem: &str| TableFault { table: name, line, problem: problem.into() };
        let (_, head) = lines.next().ok_or_else(|| fault(0, "has no row that names columns"))?;
        let columns: Vec<&str> = head.split('\t').collect();
        let rows: Vec<_> = lines.map(|(line, cells)| (line, cells.split('\t').collect())).collect();
        let ragged =
            rows.iter().find(|(_, cells): &&(usize, Vec<&str>)| cells.len() != columns.len());
        match ragged {
            Some((line, _)) => {
                Err(fault(*line, "has another number of cells than there are columns"))
            }
            None => Ok(Self { name, columns, rows }),
        }
    }

    /// All rows, each made into something.
    pub(crate) fn map<T>(
        &self,
        make: impl Fn(Row<'_>) -> Result<T, TableFault>,
    ) -> Result<Vec<T>, TableFault> {
        self.rows
            .iter()
            .map(|(line, cells)| make(Row { table: self, line: *line, cells }))
            .collect()
    }
}

/// One row.
#[derive(Clone, Copy)]
pub(crate) struct Row<'t> {
    table: &'t Table,
    line: usize,
    cells: &'t [&'static str],
}

impl Row<'_> {
    /// A fault in this row.
    pub(crate) fn fault(&self, problem: impl Into<String>) -> TableFault {
        TableFault { table: self.table.name, line: self.line, problem: problem.into() }
    }

    /// A cell; never empty.
    pub(crate) fn text(&self, column: &str) -> Result<&'static str, TableFault> {
        let index = self.table.columns.iter().position(|name| *name == column);
        let index = index.ok_or_else(|| self.fault(format!("there is no column {column}")))?;
        let cell = self.cells[index];
        let typed = !cell.is_empty() && cell.trim() == cell;
        if typed { Ok(cell) } else { Err(self.fault(format!("{column} is empty or padded"))) }
    }

    /// A cell in which `-` means that there is nothing.
    pub(crate) fn optional(&self, column: &str) -> Result<Option<&'static str>, TableFault> {
        self.text(column).map(|cell| (cell != "-").then_some(cell))
    }

    /// The parts of a cell.
    pub(crate) fn list(
        &self,
        column: &str,
        separator: &str,
    ) -> Result<Vec<&'static str>, TableFault> {
        let parts: Vec<&str> = self.text(column)?.split(separator).map(str::trim).collect();
        if parts.contains(&"") {
            return Err(self.fault(format!("{column} has an empty part")));
        }
        Ok(parts)
    }

    /// A number, or whatever else parses.
    pub(crate) fn parse<T: FromStr>(&self, column: &str) -> Result<T, TableFault> {
        let cell = self.text(column)?;
        cell.parse().map_err(|_| self.fault(format!("{column} is {cell}, which does not parse")))
    }

    /// `yes` or `no`.
    pub(crate) fn yes(&self, column: &str) -> Result<bool, TableFault> {
        match self.text(column)? {
            "yes" => Ok(true),
            "no" => Ok(false),
            other => Err(self.fault(format!("{column} is {other}, neither yes nor no"))),
        }
    }

    /// A cell looked up by a function that knows its words.
    pub(crate) fn known<T>(
        &self,
        column: &str,
        look_up: impl Fn(&str) -> Option<T>,
    ) -> Result<T, TableFault> {
        let cell = self.text(column)?;
        look_up(cell).ok_or_else(|| self.fault(format!("{column} is {cell}, which nobody knows")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_found_by_the_name_of_their_column() {
        let table = Table::read("t", "# c\na\tb\n1\tx; y\n\n-\tno\n").unwrap();
        let rows = table.map(|row| Ok((row.optional("a")?, row.list("b", ";")?))).unwrap();
        assert_eq!(rows, [(Some("1"), vec!["x", "y"]), (None, vec!["no"])]);
    }

    #[test]
    fn faults_name_their_line() {
        let ragged = Table::read("t", "a\tb\n1\n").err().unwrap();
        assert_eq!((ragged.line, ragged.table), (2, "t"));
        let table = Table::read("t", "# comment\na\nx\n").unwrap();
        assert_eq!(table.map(|row| row.parse::<f64>("a")).unwrap_err().line, 3);
        assert!(table.map(|row| row.text("b")).is_err());
        assert!(table.map(|row| row.yes("a")).is_err());
        assert!(Table::read("t", "# nothing\n").is_err());
    }
}

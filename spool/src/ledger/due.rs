//! What waits, by destination. Each question goes to the index once a destination, however much waits.

use domain::Moment;
use rusqlite::{Connection, OptionalExtension};

use super::rows;

/// What is asked of a table.
#[derive(Debug)]
pub(super) struct Waiting {
    /// The first destination behind `?1` for which something waits.
    pub(super) next_destination: &'static str,
    /// The first `next_at` of the destination `?1`.
    pub(super) next_at: &'static str,
}

impl Waiting {
    /// Destinations for which something waits, without those that are busy.
    pub(super) fn destinations(
        &self,
        connection: &Connection,
        busy: &[&str],
    ) -> rusqlite::Result<Vec<String>> {
        let mut next = connection.prepare_cached(self.next_destination)?;
        let mut behind = |name: &str| next.query_row([name], |row| row.get(0)).optional();
        let mut all: Vec<String> = Vec::new();
        while let Some(name) = behind(all.last().map_or("", String::as_str))? {
            all.push(name);
        }
        all.retain(|name| !busy.contains(&name.as_str()));
        Ok(all)
    }

    /// When the next of them is due.
    pub(super) fn next_at(
        &self,
        connection: &Connection,
        busy: &[&str],
    ) -> rusqlite::Result<Option<Moment>> {
        let mut first = connection.prepare_cached(self.next_at)?;
        let mut earliest = None;
        for name in self.destinations(connection, busy)? {
            let at = first.query_row([&name], |row| rows::moment(row, "next_at"))?;
            earliest = Some(earliest.map_or(at, |earlier: Moment| earlier.min(at)));
        }
        Ok(earliest)
    }
}

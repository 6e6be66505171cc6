//! Opening the ledger, and setting one aside that cannot be used.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use domain::Moment;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{Ledger, ledger_error};
use crate::SpoolError;
use crate::durable;
use crate::faults::Faults;
use crate::folder::ledger_in;

/// Each script takes the ledger from the version that is its index to the next. Scripts are only ever added.
const MIGRATIONS: [&str; 5] = [
    include_str!("schema.sql"),
    include_str!("forms.sql"),
    include_str!("asks.sql"),
    include_str!("commitment.sql"),
    include_str!("due.sql"),
];
/// How long to wait for an administrator's transaction.
const BUSY: Duration = Duration::from_secs(10);

/// The version that this program writes.
pub(super) fn known_version() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// An opened ledger, and how it was found.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The ledger.
    pub(crate) ledger: Ledger,
    /// It was made anew.
    pub(crate) is_new: bool,
    /// Where a broken one was moved.
    pub(crate) set_aside: Option<PathBuf>,
}

impl Ledger {
    /// Opens the ledger of the spool at `root`; makes one where there is none or a broken one.
    pub(crate) fn open(root: &Path, faults: &Faults, now: Moment) -> Result<Opened, SpoolError> {
        let path = ledger_in(root);
        let is_there = path.exists();
        let (connection, set_aside) = match connect(&path) {
            Ok(connection) => (connection, None),
            Err(error) if is_broken(&error) => {
                let aside = set_aside(root, &path, now)?;
                (connect(&path).map_err(|e| ledger_error("be opened", &path, e))?, Some(aside))
            }
            Err(error) => return Err(ledger_error("be opened", &path, error)),
        };
        let ledger = Self {
            connection: Mutex::new(connection),
            syncs_fully: AtomicBool::new(true),
            path,
            root: root.to_owned(),
            faults: faults.clone(),
        };
        ledger.migrate()?;
        Ok(Opened { ledger, is_new: !is_there || set_aside.is_some(), set_aside })
    }

    fn migrate(&self) -> Result<(), SpoolError> {
        let found = self.read("tell its version", version)?;
        let known = known_version();
        if found > known {
            return Err(SpoolError::LedgerTooNew { path: self.path.clone(), found, known });
        }
        for (from, script) in (0..).zip(MIGRATIONS).filter(|(from, _)| *from >= found) {
            self.write("be brought to this version", |transaction| {
                transaction.execute_batch(script)?;
                transaction.pragma_update(None, "user_version", from + 1)?;
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// The `user_version` of a ledger.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// A connection that commits durably, to a file that SQLite finds whole.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
    )?;
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" {
        return Ok(connection);
    }
    let corrupt = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    Err(rusqlite::Error::SqliteFailure(corrupt, Some(verdict)))
}

fn is_broken(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Moves a ledger and the files that belong to it out of the way; nothing is deleted.
fn set_aside(root: &Path, path: &Path, now: Moment) -> Result<PathBuf, SpoolError> {
    let with = |suffix: &str| PathBuf::from(format!("{}{suffix}", path.display()));
    let aside = format!(".broken-{}", now.unix_millis());
    for suffix in ["-wal", "-shm", ""] {
        let from = with(suffix);
        if fs::exists(&from).unwrap_or(false) {
            let to = with(&format!("{aside}{suffix}"));
            durable::rename(&from, &to).map_err(|e| SpoolError::io("set aside", &from, e))?;
        }
    }
    durable::sync_folder(root).map_err(|e| SpoolError::io("sync", root, e))?;
    Ok(with(&aside))
}

#[cfg(test)]
mod tests {
    use domain::Ask;

    use super::*;
    use crate::ledger::ask;

    #[test]
    fn jobs_of_a_ledger_that_kept_only_prompts_ask_for_them() {
        let ledger = Connection::open_in_memory().unwrap();
        let (old, new) = MIGRATIONS.split_at(2);
        old.iter().for_each(|script| ledger.execute_batch(script).unwrap());
        ledger
            .execute_batch(
                r#"INSERT INTO studies (study) VALUES ('1.1');
                   INSERT INTO series (series, study, state, last_received, calling, called)
                     VALUES ('1.2', '1.1', 'closed', 0, 'A', 'B');
                   INSERT INTO jobs (study, series, revision, rule, model, prompts, destinations, state, created_at)
                     VALUES ('1.1', '1.2', 1, 'r', 'm', '["liver","left \"kidney\""]', '[]', 'queued', 0),
                            ('1.1', '1.2', 1, 's', 'm', '[]', '[]', 'queued', 0);"#,
            )
            .unwrap();
        new.iter().for_each(|script| ledger.execute_batch(script).unwrap());
        let mut asks = ledger.prepare("SELECT ask FROM jobs ORDER BY id").unwrap();
        let asks = asks.query_map([], |row| ask::from_json(&row.get::<_, String>(0)?)).unwrap();
        let asks: Vec<Ask> = asks.collect::<Result<_, _>>().unwrap();
        let prompts = vec!["liver".into(), "left \"kidney\"".into()];
        assert_eq!(asks, [Ask { prompts, ..Ask::default() }, Ask::default()]);
    }

    #[test]
    fn who_is_asked_is_known_of_commitments_that_are_older_than_the_column() {
        let ledger = Connection::open_in_memory().unwrap();
        let (old, new) = MIGRATIONS.split_at(4);
        old.iter().for_each(|script| ledger.execute_batch(script).unwrap());
        ledger
            .execute_batch(
                "PRAGMA foreign_keys = OFF;
                 INSERT INTO deliveries (id, job, destination, state, next_at)
                   VALUES (7, 1, 'pacs', 'done', 0), (8, 1, 'archive', 'done', 0);
                 INSERT INTO commitments (delivery, state, next_at) VALUES (8, 'open', 0);",
            )
            .unwrap();
        new.iter().for_each(|script| ledger.execute_batch(script).unwrap());
        let archive = "SELECT archive FROM commitments";
        let archive: String = ledger.query_row(archive, [], |row| row.get(0)).unwrap();
        assert_eq!(archive, "archive");
    }
}

//! The ledger for reading only, while a node runs or while none does.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::open::{known_version, version};
use super::snapshot::{Counts, Snapshot, counts, snapshot, spool_bytes};
use super::{Ledger, ledger_error};
use crate::SpoolError;
use crate::folder::ledger_in;

/// A view of a ledger that somebody else may be writing to.
#[derive(Debug)]
pub struct LedgerView {
    connection: Connection,
    path: PathBuf,
    root: PathBuf,
}

impl LedgerView {
    /// Opens the ledger of the spool at `root`.
    pub(crate) fn open(root: &Path) -> Result<Self, SpoolError> {
        let path = ledger_in(root);
        // SQLite's own error for a file that is not there says too little.
        std::fs::metadata(&path).map_err(|error| SpoolError::io("open", &path, error))?;
        let failed = |error| ledger_error("be opened", &path, error);
        let connection = connect(&path).map_err(failed)?;
        let (found, known) = (version(&connection).map_err(failed)?, known_version());
        if found > known {
            return Err(SpoolError::LedgerTooNew { path, found, known });
        }
        Ok(Self { connection, path, root: root.to_owned() })
    }

    /// Series, jobs and deliveries as they are now.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`] when the ledger cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot, SpoolError> {
        let read = self.connection.unchecked_transaction();
        let read = read.and_then(|transaction| snapshot(&transaction, &self.root));
        read.map_err(|error| ledger_error("be read", &self.path, error))
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    Ok(connection)
}

impl Ledger {
    /// Series, jobs and deliveries as they are now.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, SpoolError> {
        self.read("be read", |connection| snapshot(connection, &self.root))
    }

    /// Bytes of instances and results that are recorded.
    pub(crate) fn spool_bytes(&self) -> Result<u64, SpoolError> {
        self.read("be counted", spool_bytes)
    }

    /// How many rows are in which state.
    pub(crate) fn counts(&self, spool_bytes: u64) -> Result<Counts, SpoolError> {
        self.read("be counted", |connection| counts(connection, spool_bytes))
    }
}

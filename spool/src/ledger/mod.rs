//! The ledger: series, instances, jobs, results and deliveries in one SQLite file. `schema.sql` and the scripts that
//! were added to it say what each column is.
//!
//! Each public method is one transaction. The ledger knows nothing of files but the paths it gives back.

mod arrivals;
mod ask;
mod commitments;
mod deliveries;
mod due;
mod jobs;
mod open;
mod purge;
mod reconcile;
mod requests;
mod results;
mod rows;
mod series;
mod snapshot;
mod view;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use crate::SpoolError;
use crate::faults::Faults;

pub(crate) use arrivals::Arrival;
pub(crate) use reconcile::{Found, NoArrival};
pub(crate) use requests::Asker;
pub(crate) use results::WrittenResult;

pub use arrivals::Change;
pub use commitments::{DueCommitment, ReportOutcome, Reported};
pub use deliveries::{Delivery, ResultFile};
pub use requests::{Asked, OpenMax, OwedReport};
pub use series::{Closed, NewJob, OpenRow};
pub use snapshot::{CommitmentRow, Counts, DeliveryRow, JobRow, RequestRow, SeriesRow, Snapshot};
pub use view::LedgerView;

/// The ledger's file, opened for writing.
#[derive(Debug)]
pub(crate) struct Ledger {
    connection: Mutex<Connection>,
    /// How the connection syncs now; changed by whoever holds it.
    syncs_fully: AtomicBool,
    path: PathBuf,
    root: PathBuf,
    faults: Faults,
}

/// When SQLite flushes its write-ahead log.
#[derive(Debug, Clone, Copy)]
enum Sync {
    /// With each transaction.
    Full,
    /// Before the log is taken into the database; until then a loss of power takes back the last transactions, whole.
    Normal,
}

impl Sync {
    fn as_str(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Normal => "NORMAL",
        }
    }
}

/// Why a transaction is given up: SQLite failed, or the caller's wish does not fit.
#[derive(Debug)]
enum Halt {
    Sql(rusqlite::Error),
    Refused(SpoolError),
}

impl From<rusqlite::Error> for Halt {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<SpoolError> for Halt {
    fn from(error: SpoolError) -> Self {
        Self::Refused(error)
    }
}

impl Halt {
    fn into_error(self, action: &'static str, path: &Path) -> SpoolError {
        match self {
            Self::Sql(error) => ledger_error(action, path, error),
            Self::Refused(error) => error,
        }
    }
}

/// A failure of SQLite; a full disk becomes [`SpoolError::DiskFull`].
fn ledger_error(action: &'static str, path: &Path, error: rusqlite::Error) -> SpoolError {
    if error.sqlite_error_code() == Some(ErrorCode::DiskFull) {
        return SpoolError::DiskFull { path: path.to_owned() };
    }
    SpoolError::Ledger { action, source: Arc::new(error) }
}

impl Ledger {
    /// Runs `work` as one transaction: everything it wrote is durable when this returns `Ok`, else nothing.
    fn write<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Halt>,
    ) -> Result<T, SpoolError> {
        self.write_as(Sync::Full, action, work)
    }

    /// The same, synced as told.
    fn write_as<T>(
        &self,
        sync: Sync,
        action: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Halt>,
    ) -> Result<T, SpoolError> {
        let io = |error| SpoolError::io("write", &self.path, error);
        self.faults.step().map_err(io)?;
        let mut connection = self.connection();
        self.set_sync(&connection, sync)
            .map_err(|error| ledger_error(action, &self.path, error))?;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| ledger_error(action, &self.path, error))?;
        let value = work(&transaction).map_err(|halt| halt.into_error(action, &self.path))?;
        self.faults.step().map_err(io)?;
        transaction.commit().map_err(|error| ledger_error(action, &self.path, error))?;
        Ok(value)
    }

    /// Saying it again would cost as much as a small transaction.
    fn set_sync(&self, connection: &Connection, sync: Sync) -> rusqlite::Result<()> {
        let is_full = matches!(sync, Sync::Full);
        if self.syncs_fully.load(Ordering::Relaxed) != is_full {
            connection.pragma_update(None, "synchronous", sync.as_str())?;
            self.syncs_fully.store(is_full, Ordering::Relaxed);
        }
        Ok(())
    }

    /// How the last transaction was synced.
    #[cfg(test)]
    pub(crate) fn syncs(&self) -> Result<&'static str, SpoolError> {
        let level: i64 = self.read("tell its pragma", |connection| {
            connection.query_row("PRAGMA synchronous", [], |row| row.get(0))
        })?;
        Ok(if level == 2 { "FULL" } else { "NORMAL" })
    }

    /// Runs `work` on one consistent state.
    fn read<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, SpoolError> {
        let connection = self.connection();
        let read = connection.unchecked_transaction().and_then(|transaction| work(&transaction));
        read.map_err(|error| ledger_error(action, &self.path, error))
    }

    /// A panic elsewhere leaves no open transaction behind, so the connection stays usable.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
impl Ledger {
    /// Drops the row of an instance, as if the node had died before it was recorded.
    pub(crate) fn forget_for_test(&self, identity: &domain::InstanceIdentity) {
        let key = (identity.series.as_str(), identity.sop_instance.as_str());
        let sql = "DELETE FROM instances WHERE series = ?1 AND sop_instance = ?2";
        assert_eq!(self.connection().execute(sql, key).unwrap(), 1);
    }

    /// Pretends that a later version of the program wrote the ledger.
    pub(crate) fn set_version_for_test(&self, version: i64) {
        self.connection().pragma_update(None, "user_version", version).unwrap();
    }
}

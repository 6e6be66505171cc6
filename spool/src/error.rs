//! What can go wrong in the spool.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::SeriesInstanceUid;
use thiserror::Error;

/// Why the spool did not do what it was asked. Cloneable, because a batch that fails fails for each instance in it.
#[derive(Debug, Clone, Error)]
pub enum SpoolError {
    /// A file operation failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was attempted, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        source: Arc<io::Error>,
    },
    /// The system has no room for a file ([`domain::Limits::disk_free_bytes_min`] did not foresee it).
    #[error("no room on the disk for {}", path.display())]
    DiskFull {
        /// What was written.
        path: PathBuf,
    },
    /// [`domain::Limits::disk_free_bytes_min`] is reached.
    #[error("{free_bytes} bytes are free on the disk, {free_bytes_min} must stay free")]
    DiskLow {
        /// Bytes that are free for us.
        free_bytes: u64,
        /// The limit.
        free_bytes_min: u64,
    },
    /// [`domain::Limits::spool_bytes_max`] is reached.
    #[error("the spool holds {used_bytes} bytes, {bytes_max} are allowed")]
    SpoolFull {
        /// Bytes in the spool, those on their way in too.
        used_bytes: u64,
        /// The limit.
        bytes_max: u64,
    },
    /// The data set is longer than [`domain::Limits::instance_bytes_max`].
    #[error("the data set is longer than {bytes_max} bytes")]
    TooLarge {
        /// The limit.
        bytes_max: u64,
    },
    /// What was published is not what was announced.
    #[error("the instance is not the one that was announced")]
    IdentityMismatch,
    /// Another node works on this folder.
    #[error("{} is held by another node", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The ledger was written by a later version of the program.
    #[error("{} has version {found}, this program knows up to {known}", path.display())]
    LedgerTooNew {
        /// The ledger.
        path: PathBuf,
        /// Its `user_version`.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// The ledger failed.
    #[error("the ledger cannot {action}: {source}")]
    Ledger {
        /// What was attempted, as a verb.
        action: &'static str,
        /// What SQLite says.
        source: Arc<rusqlite::Error>,
    },
    /// Instances came to a series after the caller looked at it. It stays open.
    #[error("instances came to series {series} in the meantime")]
    Changed {
        /// The series.
        series: SeriesInstanceUid,
    },
    /// The ledger has no such series.
    #[error("series {series} is not in the ledger")]
    UnknownSeries {
        /// The series.
        series: SeriesInstanceUid,
    },
    /// The ledger has no such job, or the job is not running.
    #[error("job {job} is not running")]
    JobNotRunning {
        /// The ledger's number of the job.
        job: i64,
    },
    /// The ledger has no such delivery.
    #[error("delivery {delivery} is not in the ledger")]
    UnknownDelivery {
        /// The ledger's number of the delivery.
        delivery: i64,
    },
    /// The thread that makes instances durable is gone.
    #[error("the spool takes nothing any more")]
    Stopped,
}

impl SpoolError {
    /// Whether a limit or the disk's size is the reason: the sender may try again later (A700).
    #[must_use]
    pub fn is_no_room(&self) -> bool {
        match self {
            Self::DiskFull { .. }
            | Self::DiskLow { .. }
            | Self::SpoolFull { .. }
            | Self::TooLarge { .. } => true,
            Self::Io { .. }
            | Self::IdentityMismatch
            | Self::Locked { .. }
            | Self::LedgerTooNew { .. }
            | Self::Ledger { .. }
            | Self::Changed { .. }
            | Self::UnknownSeries { .. }
            | Self::JobNotRunning { .. }
            | Self::UnknownDelivery { .. }
            | Self::Stopped => false,
        }
    }

    /// A failed file operation; what means a full disk becomes [`SpoolError::DiskFull`].
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        // A new kind of error stays what it is: this asks for two of them and takes no decision on the others.
        if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            Self::DiskFull { path }
        } else {
            Self::Io { action, path, source: Arc::new(source) }
        }
    }
}

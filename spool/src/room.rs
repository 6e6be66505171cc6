//! How much the spool may hold: limits and the count of bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::Limits;

use crate::SpoolError;
use crate::folder::Folder;

/// How many bytes may be written, by all parts together, until the disk is looked at again.
const DISK_CHECK_BYTES: u64 = 64 << 20;

/// Bytes in the spool (instances, results, parts), and the limits on them.
#[derive(Debug)]
pub(crate) struct Room {
    folder: Arc<Folder>,
    spool_bytes_max: u64,
    disk_free_bytes_min: u64,
    /// Longest data set.
    pub(crate) instance_bytes_max: u64,
    used_bytes: AtomicU64,
    unchecked_bytes: AtomicU64,
}

impl Room {
    /// Room in a spool that holds `used_bytes` already.
    pub(crate) fn new(folder: Arc<Folder>, limits: &Limits, used_bytes: u64) -> Self {
        Self {
            folder,
            spool_bytes_max: limits.spool_bytes_max,
            disk_free_bytes_min: limits.disk_free_bytes_min,
            instance_bytes_max: limits.instance_bytes_max,
            used_bytes: AtomicU64::new(used_bytes),
            unchecked_bytes: AtomicU64::new(0),
        }
    }

    /// Bytes in the spool now.
    pub(crate) fn used_bytes(&self) -> u64 {
        self.used_bytes.load(Ordering::Relaxed)
    }

    /// Refuses when the spool is full or the disk is nearly full.
    pub(crate) fn check(&self) -> Result<(), SpoolError> {
        let used_bytes = self.used_bytes();
        if used_bytes >= self.spool_bytes_max {
            return Err(SpoolError::SpoolFull { used_bytes, bytes_max: self.spool_bytes_max });
        }
        self.check_disk()
    }

    /// Counts bytes that are about to be written.
    ///
    /// # Errors
    /// When they do not fit; they are then not counted.
    pub(crate) fn take(&self, bytes: u64) -> Result<(), SpoolError> {
        let used_bytes = self.used_bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let fits = if used_bytes > self.spool_bytes_max {
            Err(SpoolError::SpoolFull { used_bytes, bytes_max: self.spool_bytes_max })
        } else {
            self.check_disk_now_and_then(bytes)
        };
        fits.inspect_err(|_| self.give_back(bytes))
    }

    /// Counts bytes of results: they may go over the spool's limit, because only finished work can be removed.
    pub(crate) fn take_anyway(&self, bytes: u64) {
        self.used_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts bytes that are gone.
    pub(crate) fn give_back(&self, bytes: u64) {
        let less = |used: u64| Some(used.saturating_sub(bytes));
        // The closure never gives `None`, so this cannot fail.
        self.used_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).unwrap_or(0);
    }

    fn check_disk_now_and_then(&self, bytes: u64) -> Result<(), SpoolError> {
        let unchecked = self.unchecked_bytes.fetch_add(bytes, Ordering::Relaxed);
        if unchecked.saturating_add(bytes) < DISK_CHECK_BYTES {
            return Ok(());
        }
        self.unchecked_bytes.store(0, Ordering::Relaxed);
        self.check_disk()
    }

    fn check_disk(&self) -> Result<(), SpoolError> {
        let (free_bytes, free_bytes_min) = (self.folder.free_bytes()?, self.disk_free_bytes_min);
        if free_bytes < free_bytes_min {
            return Err(SpoolError::DiskLow { free_bytes, free_bytes_min });
        }
        Ok(())
    }
}

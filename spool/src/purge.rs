//! Finished work leaves the disk; the ledger keeps what it knows of it.

use std::sync::PoisonError;

use domain::{Moment, SeriesInstanceUid};

use crate::folder::Entry;
use crate::recover::sop_instance;
use crate::{Spool, SpoolError};

/// What a purge removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    /// Instances.
    pub instances: u64,
    /// Bytes of instances and results.
    pub bytes: u64,
}

impl Spool {
    /// Removes instances and results of closed series that have been finished since before `older_than`: closed, their
    /// study asked, all their jobs done, superseded or quarantined: not while a destination is still to commit. Rows stay as history; the
    /// state becomes `purged`. What peers asked us to commit to, and was reported on before `older_than`, is forgotten.
    ///
    /// What is not ours stays where it lies, and the folder with it.
    ///
    /// # Errors
    /// The first operation that failed; the other series are removed all the same, and what is left the next time.
    pub fn purge(&self, older_than: Moment) -> Result<Purged, SpoolError> {
        self.purge_until(older_than, || false)
    }

    /// Purges until `stopped` says yes, which is asked before each series; what is left is removed the next time.
    ///
    /// # Errors
    /// Those of [`Spool::purge`].
    pub fn purge_until(
        &self,
        older_than: Moment,
        stopped: impl Fn() -> bool,
    ) -> Result<Purged, SpoolError> {
        let mut purged = Purged::default();
        self.ledger.purge_requests(older_than)?;
        let mut outcome = Ok(());
        for series in self.ledger.purgeable(older_than)? {
            if stopped() {
                break;
            }
            let removed = self.purge_series(&series, older_than, &mut purged);
            outcome = outcome.and(removed);
        }
        outcome.map(|()| purged)
    }

    fn purge_series(
        &self,
        series: &SeriesInstanceUid,
        older_than: Moment,
        purged: &mut Purged,
    ) -> Result<(), SpoolError> {
        // An instance of this series that comes now waits until it is gone, and then opens it again.
        let _moving = self.moving.write().unwrap_or_else(PoisonError::into_inner);
        self.committer.record_late()?;
        self.committer.late.forget_open();
        let Some(leaving) = self.ledger.begin_purge(series, older_than)? else { return Ok(()) };
        for study in &leaving.studies {
            let folder = self.folder.series(study, series);
            let entries = self.folder.entries(&folder)?;
            for file in entries.iter().filter(|entry| sop_instance(entry).is_some()) {
                self.remove(file, purged)?;
                purged.instances += 1;
            }
            self.folder.remove_if_empty(&folder);
            self.folder.remove_if_empty(&self.folder.instances().join(study.as_str()));
        }
        for job in leaving.jobs {
            let folder = self.folder.results_of(job);
            for file in self.folder.entries(&folder)?.iter().filter(|entry| !entry.is_folder) {
                self.remove(file, purged)?;
            }
            self.folder.remove_if_empty(&folder);
        }
        self.ledger.end_purge(series)
    }

    fn remove(&self, file: &Entry, purged: &mut Purged) -> Result<(), SpoolError> {
        self.folder.remove_file(&file.path)?;
        self.room.give_back(file.length);
        purged.bytes += file.length;
        Ok(())
    }
}

//! Which finished series may leave the disk.

use domain::{JobId, Moment, SeriesInstanceUid, StudyInstanceUid};
use rusqlite::{Connection, named_params};

use super::rows::{self, integer};
use super::{Halt, Ledger, requests};
use crate::SpoolError;

/// A closed series may go when nothing waits for it and everything about it ended before `:before`.
const MAY_GO: &str = "state = 'closed' AND closed_at < :before
  AND NOT EXISTS (SELECT 1 FROM studies WHERE studies.study = series.study AND pending = 1)
  AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.series = series.series
    AND (ended_at IS NULL OR ended_at >= :before))";

/// What is to be removed with a series.
#[derive(Debug, Default)]
pub(crate) struct Leaving {
    /// Studies that its instances lie in: one, unless senders disagree.
    pub(crate) studies: Vec<StudyInstanceUid>,
    /// Jobs with results.
    pub(crate) jobs: Vec<JobId>,
}

impl Ledger {
    /// Series that may go, and series whose going was interrupted.
    pub(crate) fn purgeable(&self, before: Moment) -> Result<Vec<SeriesInstanceUid>, SpoolError> {
        self.read("list finished series", |connection| {
            let mut select = connection.prepare_cached(&format!(
                "SELECT series FROM series WHERE state = 'purging' OR ({MAY_GO}) ORDER BY series"
            ))?;
            let before = integer(before.unix_millis());
            let rows = select.query_map(named_params! { ":before": before }, rows::series)?;
            rows.collect()
        })
    }

    /// Forgets the instances of a series, if it still may go. From now on its files are nobody's.
    pub(crate) fn begin_purge(
        &self,
        series: &SeriesInstanceUid,
        before: Moment,
    ) -> Result<Option<Leaving>, SpoolError> {
        self.write("begin to remove a series", |transaction| {
            let changed = transaction
                .prepare_cached(&format!(
                    "UPDATE series SET state = 'purging'
                     WHERE series = :series AND (state = 'purging' OR ({MAY_GO}))"
                ))?
                .execute(named_params! {
                    ":series": series.as_str(), ":before": integer(before.unix_millis())
                })?;
            if changed == 0 {
                return Ok(None);
            }
            let leaving = leaving(transaction, series)?;
            let key = [series.as_str()];
            transaction.prepare_cached("DELETE FROM instances WHERE series = ?1")?.execute(key)?;
            transaction
                .prepare_cached(
                    "UPDATE results SET path = NULL
                     WHERE job IN (SELECT id FROM jobs WHERE series = ?1)",
                )?
                .execute(key)?;
            Ok(Some(leaving))
        })
    }

    /// Forgets requests of peers that ended before `before`.
    pub(crate) fn purge_requests(&self, before: Moment) -> Result<(), SpoolError> {
        self.write("forget commitment requests", |transaction| {
            requests::forget_ended(transaction, before)
        })
    }

    /// The files of a series are gone.
    pub(crate) fn end_purge(&self, series: &SeriesInstanceUid) -> Result<(), SpoolError> {
        self.write("end to remove a series", |transaction| {
            transaction
                .prepare_cached(
                    "UPDATE series SET state = 'purged' WHERE series = ?1 AND state = 'purging'",
                )?
                .execute([series.as_str()])?;
            Ok(())
        })
    }
}

fn leaving(connection: &Connection, series: &SeriesInstanceUid) -> Result<Leaving, Halt> {
    let mut studies = connection.prepare_cached(
        "SELECT study FROM instances WHERE series = ?1
         UNION SELECT study FROM series WHERE series = ?1",
    )?;
    let mut jobs = connection.prepare_cached("SELECT id FROM jobs WHERE series = ?1")?;
    let key = [series.as_str()];
    Ok(Leaving {
        studies: studies.query_map(key, rows::study)?.collect::<rusqlite::Result<_>>()?,
        jobs: jobs
            .query_map(key, |row| rows::job_id(row, "id"))?
            .collect::<rusqlite::Result<_>>()?,
    })
}

//! Bringing the ledger in line with the files, once at each start.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use domain::{JobId, Moment, SeriesInstanceUid, StudyInstanceUid};
use rusqlite::{Connection, Transaction};

use super::arrivals::Arrival;
use super::rows;
use super::{Halt, Ledger, commitments};
use crate::SpoolError;
use crate::folder::series_in;

/// What lies in the folder of one series.
#[derive(Debug)]
pub(crate) struct Found {
    /// Its study.
    pub(crate) study: StudyInstanceUid,
    /// The series.
    pub(crate) series: SeriesInstanceUid,
    /// Lengths of the files by SOP Instance UID.
    pub(crate) files: BTreeMap<String, u64>,
}

/// What the files and the ledger disagreed on.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    /// Files that are now recorded as arrivals: without a row before, or with another length.
    pub(crate) arrivals: usize,
    /// Files of series that were removed: they may go.
    pub(crate) leftovers: Vec<PathBuf>,
    /// Files that are cut: they were never acknowledged, or before the system had written them, and may go.
    pub(crate) cut: Vec<PathBuf>,
    /// Files that are no DICOM: nobody's, left alone.
    pub(crate) foreign: Vec<PathBuf>,
    /// Rows whose file is not there; they are dropped.
    pub(crate) lost: Vec<PathBuf>,
}

/// A file that is no arrival, with its path.
#[derive(Debug)]
pub(crate) enum NoArrival {
    /// No instance.
    Foreign(PathBuf),
    /// Not all of an instance.
    Cut(PathBuf),
}

/// Makes an arrival of the file of a SOP Instance UID.
pub(crate) type ReadFile<'a> = &'a dyn Fn(&Found, &str) -> Result<Arrival, NoArrival>;

impl Ledger {
    /// Goes through all series folders as one transaction.
    pub(crate) fn reconcile(
        &self,
        found: &[Found],
        read: ReadFile<'_>,
        now: Moment,
    ) -> Result<Differences, SpoolError> {
        self.write("be brought in line with the files", |transaction| {
            let mut differences = Differences::default();
            let mut visited = BTreeSet::new();
            for folder in found {
                let cut = differences.cut.len();
                self.record_unknown(transaction, folder, (read, now), &mut differences)?;
                let is_cut = |path: &Path| differences.cut.iter().skip(cut).any(|cut| cut == path);
                let lost = self.drop_lost(transaction, folder, &is_cut)?;
                differences.lost.extend(lost);
                visited.insert((folder.series.as_str(), folder.study.as_str()));
            }
            for (series, study) in recorded_series(transaction)? {
                if !visited.contains(&(series.as_str(), study.as_str())) {
                    let gone = Found { study, series, files: BTreeMap::new() };
                    differences.lost.extend(self.drop_lost(transaction, &gone, &|_| false)?);
                }
            }
            Ok(differences)
        })
    }

    /// Records files that have no row, or another length than their row says.
    fn record_unknown(
        &self,
        transaction: &Transaction<'_>,
        found: &Found,
        (read, now): (ReadFile<'_>, Moment),
        differences: &mut Differences,
    ) -> Result<(), Halt> {
        let recorded = recorded_files(transaction, found)?;
        let is_purged = is_purged(transaction, &found.series)?;
        for (sop_instance, length) in &found.files {
            if recorded.get(sop_instance) == Some(length) {
                continue;
            }
            match read(found, sop_instance) {
                Ok(_) if is_purged => {
                    differences.leftovers.push(self.path_of(found, sop_instance));
                }
                Ok(arrival) => {
                    self.record_one(transaction, &arrival, now)?;
                    differences.arrivals += 1;
                }
                Err(NoArrival::Foreign(path)) => differences.foreign.push(path),
                Err(NoArrival::Cut(path)) => differences.cut.push(path),
            }
        }
        Ok(())
    }

    /// Drops rows without a file, or with one that is cut, and counts the instances of the series again; gives their paths.
    fn drop_lost(
        &self,
        transaction: &Transaction<'_>,
        found: &Found,
        is_cut: &dyn Fn(&Path) -> bool,
    ) -> Result<Vec<PathBuf>, Halt> {
        let recorded = recorded_files(transaction, found)?;
        let is_lost =
            |uid: &&String| !found.files.contains_key(*uid) || is_cut(&self.path_of(found, uid));
        let mut paths = Vec::new();
        let mut delete = transaction.prepare_cached(
            "DELETE FROM instances WHERE series = ?1 AND sop_instance = ?2 AND study = ?3",
        )?;
        let mut count = transaction.prepare_cached(
            "UPDATE series SET instance_count = instance_count - 1 WHERE series = ?1",
        )?;
        for sop_instance in recorded.keys().filter(is_lost) {
            delete.execute((found.series.as_str(), sop_instance, found.study.as_str()))?;
            count.execute([found.series.as_str()])?;
            paths.push(self.path_of(found, sop_instance));
        }
        Ok(paths)
    }

    fn path_of(&self, found: &Found, sop_instance: &str) -> PathBuf {
        series_in(&self.root, &found.study, &found.series).join(format!("{sop_instance}.dcm"))
    }

    /// Jobs whose result files should be there, with the files' paths below the spool's folder.
    pub(crate) fn result_paths(&self) -> Result<BTreeMap<JobId, Vec<String>>, SpoolError> {
        self.read("list results", |connection| {
            let mut select = connection
                .prepare_cached("SELECT job, path FROM results WHERE path IS NOT NULL")?;
            let mut found = select.query([])?;
            let mut paths: BTreeMap<JobId, Vec<String>> = BTreeMap::new();
            while let Some(row) = found.next()? {
                paths.entry(rows::job_id(row, "job")?).or_default().push(row.get("path")?);
            }
            Ok(paths)
        })
    }

    /// Queues a job again whose results are gone before all destinations had them.
    /// Gives whether it was so; results of a job that has ended are not missed.
    pub(crate) fn redo(&self, job: JobId) -> Result<bool, SpoolError> {
        self.write("queue a job again", |transaction| {
            let changed = transaction.execute(
                "UPDATE jobs SET state = 'queued' WHERE id = ?1 AND state = 'delivering'",
                [job.0],
            )?;
            if changed == 1 {
                commitments::forget(transaction, job)?;
                transaction.execute("DELETE FROM deliveries WHERE job = ?1", [job.0])?;
                transaction.execute("DELETE FROM results WHERE job = ?1", [job.0])?;
            }
            Ok(changed == 1)
        })
    }
}

fn recorded_files(
    connection: &Connection,
    found: &Found,
) -> rusqlite::Result<BTreeMap<String, u64>> {
    let mut select = connection.prepare_cached(
        "SELECT sop_instance, file_bytes FROM instances WHERE series = ?1 AND study = ?2",
    )?;
    let key = (found.series.as_str(), found.study.as_str());
    let files = select.query_map(key, |row| Ok((row.get(0)?, rows::number(row, "file_bytes")?)))?;
    files.collect()
}

fn recorded_series(
    connection: &Connection,
) -> rusqlite::Result<Vec<(SeriesInstanceUid, StudyInstanceUid)>> {
    let mut select = connection.prepare_cached("SELECT DISTINCT series, study FROM instances")?;
    let pairs = select.query_map([], |row| Ok((rows::series(row)?, rows::study(row)?)))?;
    pairs.collect()
}

fn is_purged(connection: &Connection, series: &SeriesInstanceUid) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "SELECT 1 FROM series WHERE series = ?1 AND state IN ('purging', 'purged')",
        )?
        .exists([series.as_str()])
}

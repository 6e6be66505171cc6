//! What a start finds, and what it makes of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use domain::{
    AeTitle, InstanceIdentity, JobId, Moment, SeriesInstanceUid, SopInstanceUid, StudyInstanceUid,
};

use crate::SpoolError;
use crate::folder::{Entry, Folder};
use crate::ledger::{Arrival, Found, Ledger, NoArrival};

/// What the spool was like when it was opened, for the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// There was no ledger, or none that could be used; it was made anew from the files.
    pub is_new_ledger: bool,
    /// Where a broken ledger was moved.
    pub ledger_set_aside: Option<PathBuf>,
    /// Files in `incoming/` that were removed. None of them had been acknowledged.
    pub parts_removed: usize,
    /// Instance files that were cut by loss of power, and were removed. None had been acknowledged, unless before the disk had it.
    pub cut_removed: usize,
    /// Instance files that were not in the ledger and are now: their series are open.
    pub arrivals: usize,
    /// Instances in the ledger whose file is not there. They are dropped from it.
    pub lost: Vec<PathBuf>,
    /// Files among the instances that are none. They are left alone.
    pub foreign: Vec<PathBuf>,
    /// Jobs that were with a worker and are queued again.
    pub requeued: usize,
    /// Jobs whose results were not there any more and are made again.
    pub redone: usize,
    /// Bytes of instances and results in the spool.
    pub spool_bytes: u64,
}

/// Brings folder and ledger in line. What was found is on stable storage then, whatever became of its flush: the ledger says that
/// it is kept, and peers may be told so.
pub(crate) fn recover(
    folder: &Folder,
    ledger: &Ledger,
    now: Moment,
) -> Result<Recovery, SpoolError> {
    let mut recovery = Recovery { parts_removed: empty_incoming(folder)?, ..Recovery::default() };
    recover_instances(folder, ledger, now, &mut recovery)?;
    recover_results(folder, ledger, &mut recovery)?;
    recovery.requeued = ledger.requeue_running(now)?;
    ledger.owe_reports_again(now)?;
    folder.sync_everything()?;
    for path in &recovery.lost {
        tracing::error!(path = %path.display(), "an instance is gone from the spool");
    }
    for path in &recovery.foreign {
        tracing::warn!(path = %path.display(), "not an instance of ours; left alone");
    }
    Ok(recovery)
}

fn empty_incoming(folder: &Folder) -> Result<usize, SpoolError> {
    let parts = folder.entries(&folder.incoming())?;
    for part in &parts {
        if part.is_folder {
            folder.remove_folder(&part.path)?;
        } else {
            folder.remove_file(&part.path)?;
        }
    }
    Ok(parts.len())
}

fn recover_instances(
    folder: &Folder,
    ledger: &Ledger,
    now: Moment,
    recovery: &mut Recovery,
) -> Result<(), SpoolError> {
    let mut found = Vec::new();
    for study in folder.entries(&folder.instances())? {
        match study.name().and_then(|name| StudyInstanceUid::parse(name).ok()) {
            Some(uid) if study.is_folder => {
                found.extend(series_of(folder, &study.path, &uid, &mut recovery.foreign)?);
            }
            Some(_) | None => recovery.foreign.push(study.path),
        }
    }
    let read = |found: &Found, sop_instance: &str| read_arrival(folder, found, sop_instance);
    let differences = ledger.reconcile(&found, &read, now)?;
    for path in differences.leftovers.iter().chain(&differences.cut) {
        folder.remove_file(path)?;
    }
    recovery.arrivals = differences.arrivals;
    recovery.cut_removed = differences.cut.len();
    recovery.foreign.extend(differences.foreign);
    recovery.lost = differences.lost;
    Ok(())
}

fn series_of(
    folder: &Folder,
    path: &Path,
    study: &StudyInstanceUid,
    foreign: &mut Vec<PathBuf>,
) -> Result<Vec<Found>, SpoolError> {
    let mut found = Vec::new();
    for entry in folder.entries(path)? {
        match entry.name().and_then(|name| SeriesInstanceUid::parse(name).ok()) {
            Some(series) if entry.is_folder => {
                let files = files_of(folder, &entry.path, foreign)?;
                found.push(Found { study: study.clone(), series, files });
            }
            Some(_) | None => foreign.push(entry.path),
        }
    }
    Ok(found)
}

fn files_of(
    folder: &Folder,
    path: &Path,
    foreign: &mut Vec<PathBuf>,
) -> Result<BTreeMap<String, u64>, SpoolError> {
    let mut files = BTreeMap::new();
    for entry in folder.entries(path)? {
        match sop_instance(&entry) {
            Some(uid) => {
                files.insert(uid.to_string(), entry.length);
            }
            None => foreign.push(entry.path),
        }
    }
    Ok(files)
}

/// The instance that a file of the spool is.
pub(crate) fn sop_instance(entry: &Entry) -> Option<SopInstanceUid> {
    let stem = entry.name()?.strip_suffix(".dcm")?;
    // A UID that the parser changed, by taking padding off, would not name this file.
    let uid = SopInstanceUid::parse(stem).ok().filter(|uid| uid.as_str() == stem);
    uid.filter(|_| !entry.is_folder)
}

/// The arrival that a file stands for.
fn read_arrival(folder: &Folder, found: &Found, sop_instance: &str) -> Result<Arrival, NoArrival> {
    let path = folder.series(&found.study, &found.series).join(format!("{sop_instance}.dcm"));
    let read = dataset::read_file_meta(&path).ok().and_then(|meta| {
        let file_bytes = fs::metadata(&path).ok()?.len();
        (meta.sop_instance.as_str() == sop_instance).then_some((meta, file_bytes))
    });
    if !folder.is_whole(&path) {
        return Err(NoArrival::Cut(path));
    }
    let Some((meta, file_bytes)) = read else { return Err(NoArrival::Foreign(path)) };
    let unknown = || AeTitle::parse("UNKNOWN").map_err(|_| NoArrival::Foreign(path.clone()));
    Ok(Arrival {
        identity: InstanceIdentity {
            study: found.study.clone(),
            series: found.series.clone(),
            sop_instance: meta.sop_instance,
            sop_class: meta.sop_class,
            transfer_syntax: meta.transfer_syntax,
        },
        file_bytes,
        calling: meta.sending_ae.map_or_else(unknown, Ok)?,
        called: meta.receiving_ae.map_or_else(unknown, Ok)?,
        is_same: false,
    })
}

/// Results that no job has are removed; jobs whose results are missing are queued again.
fn recover_results(
    folder: &Folder,
    ledger: &Ledger,
    recovery: &mut Recovery,
) -> Result<(), SpoolError> {
    let recorded = ledger.result_paths()?;
    for entry in folder.entries(&folder.results())? {
        let job = entry.name().and_then(|name| name.parse().ok()).map(JobId);
        if entry.is_folder && !job.is_some_and(|job| recorded.contains_key(&job)) {
            folder.remove_folder(&entry.path)?;
        }
    }
    for (job, paths) in recorded {
        let mut is_whole = true;
        for path in &paths {
            is_whole &= folder.length(&folder.root().join(path))?.is_some();
        }
        if !is_whole && ledger.redo(job)? {
            recovery.redone += 1;
        }
    }
    recovery.spool_bytes = ledger.spool_bytes()?;
    Ok(())
}

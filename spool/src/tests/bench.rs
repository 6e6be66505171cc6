//! What the tests stand on: a folder, a clock that is set by hand, and peers that send.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use domain::{
    AeTitle, Announced, Ask, AssociationId, Durability, InstanceIdentity, InstanceOrigin, Job,
    JobId, Limits, Moment, SeriesInstanceUid, SopClassUid, SopInstanceUid, StudyInstanceUid,
    TransferSyntaxUid,
};
use tempfile::TempDir;

use crate::faults::Faults;
use crate::{Clock, JobRow, NewJob, NewResult, OnStored, Published, Recovery, Spool, SpoolError};

/// A folder for a spool, and the time.
pub(super) struct Bench {
    dir: TempDir,
    millis: Arc<AtomicU64>,
    pub(super) limits: Limits,
    pub(super) durability: Durability,
    pub(super) faults: Faults,
}

impl Bench {
    /// An empty folder, in memory where the machine has such a place, at one second after the epoch.
    pub(super) fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let limits = Limits { disk_free_bytes_min: 0, ..Limits::default() };
        let millis = Arc::new(AtomicU64::new(1000));
        let durability = Durability::Disk;
        Self { dir: dir.unwrap(), millis, limits, durability, faults: Faults::default() }
    }

    /// The spool's folder.
    pub(super) fn root(&self) -> std::path::PathBuf {
        self.dir.path().join("data")
    }

    /// Now.
    pub(super) fn now(&self) -> Moment {
        Moment::from_unix_millis(self.millis.load(Ordering::SeqCst))
    }

    /// Sets the clock, also to [`BROKEN`].
    pub(super) fn set_clock(&self, millis: u64) {
        self.millis.store(millis, Ordering::SeqCst);
    }

    /// Lets time pass; gives what it is then.
    pub(super) fn pass(&self, millis: u64) -> Moment {
        self.millis.fetch_add(millis, Ordering::SeqCst);
        self.now()
    }

    /// Opens the spool.
    pub(super) fn open(&self) -> (Spool, Recovery) {
        self.try_open().unwrap()
    }

    /// Opens the spool if it can be opened.
    pub(super) fn try_open(&self) -> Result<(Spool, Recovery), SpoolError> {
        let millis = Arc::clone(&self.millis);
        let clock: Clock = Arc::new(move || match millis.load(Ordering::SeqCst) {
            BROKEN => panic!("a bug"),
            millis => Moment::from_unix_millis(millis),
        });
        Spool::open_with(&self.root(), &self.limits, self.durability, clock, &self.faults)
    }
}

/// A time at which whoever asks for it meets a bug.
pub(super) const BROKEN: u64 = u64::MAX;

/// The instance `sop` of a series.
pub(super) fn identity(study: &str, series: &str, sop: &str) -> InstanceIdentity {
    InstanceIdentity {
        study: StudyInstanceUid::parse(study).unwrap(),
        series: SeriesInstanceUid::parse(series).unwrap(),
        sop_instance: SopInstanceUid::parse(sop).unwrap(),
        sop_class: SopClassUid::parse("1.2.840.10008.5.1.4.1.1.2").unwrap(),
        transfer_syntax: TransferSyntaxUid::parse("1.2.840.10008.1.2.1").unwrap(),
    }
}

/// What a C-STORE-RQ for an instance announces.
pub(super) fn announced(identity: &InstanceIdentity) -> Announced {
    Announced {
        sop_class: identity.sop_class.clone(),
        sop_instance: identity.sop_instance.clone(),
        transfer_syntax: identity.transfer_syntax.clone(),
    }
}

/// A sender.
pub(super) fn origin(calling: &str) -> InstanceOrigin {
    InstanceOrigin {
        calling: AeTitle::parse(calling).unwrap(),
        called: AeTitle::parse("NODE").unwrap(),
        peer: "192.0.2.1:11112".into(),
        association: AssociationId(1),
    }
}

/// Sends an instance and waits for the outcome.
pub(super) fn send(
    spool: &Spool,
    identity: &InstanceIdentity,
    data_set: &[u8],
) -> Result<Published, SpoolError> {
    send_from(spool, "CT1", identity, data_set)
}

/// Sends an instance as `calling` and waits for the outcome.
pub(super) fn send_from(
    spool: &Spool,
    calling: &str,
    identity: &InstanceIdentity,
    data_set: &[u8],
) -> Result<Published, SpoolError> {
    let mut part = spool.begin(&announced(identity), &origin(calling))?;
    for chunk in data_set.chunks(7) {
        part.write(&[chunk])?;
    }
    let (tell, told) = mpsc::channel();
    spool.publish(part, identity.clone(), told_by(tell));
    told.recv().unwrap()
}

/// Sends the outcome: the instance once it is recorded, or why it is not stored.
pub(super) fn told_by(tell: mpsc::Sender<Result<Published, SpoolError>>) -> OnStored {
    told(move |outcome| drop(tell.send(outcome)))
}

/// Calls `stored` with the instance once it is recorded, or with why it is not stored.
pub(super) fn told(
    stored: impl FnOnce(Result<Published, SpoolError>) + Send + 'static,
) -> OnStored {
    let once = Arc::new(Mutex::new(Some(stored)));
    let other = Arc::clone(&once);
    let take = move |outcome| {
        let stored = other.lock().unwrap().take().unwrap();
        stored(outcome);
    };
    let refused = move |error| {
        let stored = once.lock().unwrap().take().unwrap();
        stored(Err(error));
    };
    OnStored {
        answer: Box::new(|answer: Result<(), SpoolError>| answer.unwrap_or_else(refused)),
        recorded: Box::new(move |published| take(Ok(published))),
    }
}

/// A rule's wish.
pub(super) fn wish(rule: &str, destinations: &[&str]) -> NewJob {
    NewJob {
        rule: rule.into(),
        model: "m".into(),
        ask: Ask { prompts: vec!["liver in \"abdomen\" CT".into()], ..Ask::default() },
        destinations: destinations.iter().map(ToString::to_string).collect(),
    }
}

/// Closes a series as it is.
pub(super) fn close(
    spool: &Spool,
    series: &SeriesInstanceUid,
    jobs: &[NewJob],
    now: Moment,
) -> Result<crate::Closed, SpoolError> {
    let seen = spool.series_instances(series)?;
    spool.close_series(series, &seen, jobs, None, now)
}

/// Ends a running job with a segmentation and a report.
pub(super) fn write_results(spool: &Spool, job: &Job, now: Moment) -> Result<(), SpoolError> {
    let uid = |role: u32| format!("2.25.{}.{}.{role}", job.id.0, job.revision.0);
    let of = |role| identity(job.study.as_str(), "2.25.1", &uid(role));
    let result = |kind, role, file| NewResult { kind, form: "BINARY", identity: of(role), file };
    let results = [result("segmentation", 1, b"seg".as_slice()), result("report", 2, b"report")];
    spool.job_written(job.id, &results, now)
}

/// A job as `status` shows it.
pub(super) fn row(spool: &Spool, job: JobId) -> JobRow {
    spool.snapshot().unwrap().jobs.into_iter().find(|row| row.id == job).unwrap()
}

/// Bytes of all files below a folder.
pub(super) fn bytes_below(folder: &Path) -> u64 {
    let of = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        if path.is_dir() { bytes_below(&path) } else { fs::metadata(&path).unwrap().len() }
    };
    fs::read_dir(folder).map_or(0, |entries| entries.map(of).sum())
}

/// Bytes of instances, results and parts.
pub(super) fn bytes_in(root: &Path) -> u64 {
    ["instances", "results", "incoming"].iter().map(|name| bytes_below(&root.join(name))).sum()
}

//! Verbs 5 to 8 on worker threads: a job from the ledger, its results into the ledger.

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use domain::{
    InstanceIdentity, Job, Limits, Predecessor, SegmentationForm, SpooledInstance, Unsuitable,
    UnsuitableCode, Wishes,
};
use series::{ReadFault, SourceInstance};
use spool::{NewResult, Spool, SpoolError};
use sr_writer::{Companions, Device, LabelMapCoding, ResultSet, WriteContext};
use tokio::sync::Notify;

use crate::ahead::AheadAnswers;
use crate::bell::Bell;
use crate::clock;
use crate::models::Models;
use crate::pipeline::{self, Inquiry};
use crate::wanted::Wanted;

/// How often an idle worker looks by itself.
const NAP: Duration = Duration::from_secs(5);
/// Pause before what cannot be done for the moment is tried again.
pub(crate) const TRY_AGAIN: Duration = Duration::from_secs(5);

/// How often it is tried to read what is there and the system does not let us read; after that it counts as unreadable.
const READ_TRIES_MAX: u32 = 4;

/// What workers share.
#[derive(Debug)]
pub(crate) struct Worker {
    /// Jobs come from it, results go to it.
    pub(crate) spool: Arc<Spool>,
    /// Loaded models.
    pub(crate) models: Arc<Models>,
    /// Who we are, for the results.
    pub(crate) device: Device,
    /// What destinations want of results, by name.
    pub(crate) wishes: Arc<BTreeMap<String, Wishes>>,
    /// Bounds on series and volumes.
    pub(crate) limits: Limits,
    /// Rung when there are jobs.
    pub(crate) jobs: Arc<Bell>,
    /// Answers that were made while series arrived.
    pub(crate) ahead: Arc<AheadAnswers>,
    /// How many jobs run now.
    pub(crate) working: Arc<AtomicUsize>,
    /// Told when there are results to send.
    pub(crate) deliveries: Arc<Notify>,
    /// Set when the node stops: the job in hand is ended, no other is begun.
    pub(crate) stopping: Arc<AtomicBool>,
    /// [`TRY_AGAIN`].
    pub(crate) try_again: Duration,
}

/// How a job ends: the one place that turns its outcome into a disposition.
enum Disposition {
    Written(Vec<(SegmentationForm, ResultSet)>),
    Quarantined { code: &'static str, reason: String },
}

impl Worker {
    /// Runs until the node stops.
    pub(crate) fn run(&self) {
        while !self.stopping.load(Ordering::Acquire) {
            let seen = self.jobs.count();
            match self.spool.claim_job(clock::now()) {
                Ok(Some((job, instances))) => self.work(&job, &instances),
                Ok(None) => self.jobs.wait(seen, NAP),
                Err(error) => {
                    tracing::error!(%error, "no job can be taken from the ledger");
                    self.jobs.wait(seen, NAP);
                }
            }
        }
    }

    fn work(&self, job: &Job, instances: &[SpooledInstance]) {
        let (id, series, rule) = (job.id.0, &job.series, &job.rule);
        let started = clock::now();
        tracing::info!(job = id, %series, rule, model = job.model, revision = job.revision.0, "job started");
        self.working.fetch_add(1, Ordering::AcqRel);
        let disposition = self.disposition(job, instances);
        self.working.fetch_sub(1, Ordering::AcqRel);
        self.ahead.job_ended(series, rule);
        let millis = clock::now().since(started).as_millis();
        match self.end(job, &disposition) {
            Ok(()) => tracing::info!(job = id, millis, "job ended"),
            Err(error) => {
                tracing::error!(job = id, %error, "the end of the job cannot be recorded; it runs again at the next start")
            }
        }
    }

    /// A panic is a bug of ours; it costs this job and nothing else.
    fn disposition(&self, job: &Job, instances: &[SpooledInstance]) -> Disposition {
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| self.process(job, instances)));
        match outcome {
            Ok(Ok(results)) => Disposition::Written(results),
            Ok(Err(unsuitable)) => Disposition::Quarantined {
                code: unsuitable.code.as_str(),
                reason: unsuitable.detail,
            },
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text =
                    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panic");
                Disposition::Quarantined { code: "bug", reason: text.to_owned() }
            }
        }
    }

    fn process(
        &self,
        job: &Job,
        instances: &[SpooledInstance],
    ) -> Result<Vec<(SegmentationForm, ResultSet)>, Unsuitable> {
        let unknown = || Unsuitable::new(UnsuitableCode::UnknownModel, job.model.clone());
        let model = self.models.get(&job.model).ok_or_else(unknown)?;
        let paths: Vec<_> = instances.iter().map(|instance| instance.path.clone()).collect();
        let headers = self.headers(&paths)?;
        let source = series::assemble(&headers, &self.limits)?;
        let created = clock::now();
        let context = |form| WriteContext {
            device: self.device.clone(),
            created,
            form,
            label_maps: LabelMapCoding::Rle,
            companions: Companions::default(),
            backdrops: vec![],
            rejected: self.rejected(job, form),
            predecessor: self.predecessor(job, form),
        };
        let wanted = Wanted::of(&job.destinations, &self.wishes);
        let ahead = self.ahead.of(&job.series);
        let inquiry = Inquiry { model, ask: &job.ask, ahead: ahead.as_deref() };
        let _job = tracing::info_span!("job", id = job.id.0).entered();
        Ok(pipeline::process(&inquiry, &source, &wanted, context)?.results)
    }

    fn headers(&self, paths: &[PathBuf]) -> Result<Vec<Arc<SourceInstance>>, Unsuitable> {
        for _ in 1..READ_TRIES_MAX {
            match series::read_instances(paths, &self.limits) {
                Err(error @ ReadFault::System { .. }) => {
                    tracing::warn!(%error, "the job waits");
                    thread::sleep(self.try_again);
                }
                read => return Ok(read?),
            }
        }
        Ok(series::read_instances(paths, &self.limits)?)
    }

    /// The results of this form that an earlier revision has.
    fn rejected(&self, job: &Job, form: SegmentationForm) -> Vec<InstanceIdentity> {
        let found =
            self.spool.earlier_results(&job.series, &job.rule, job.revision, &form.to_string());
        found.unwrap_or_else(|error| {
            tracing::error!(job = job.id.0, %error, "the earlier results cannot be looked up");
            Vec::new()
        })
    }

    fn predecessor(&self, job: &Job, form: SegmentationForm) -> Option<Predecessor> {
        let form = form.to_string();
        let found = self.spool.predecessor(&job.series, &job.rule, job.revision, &form);
        found.unwrap_or_else(|error| {
            tracing::error!(job = job.id.0, %error, "the earlier result cannot be looked up");
            None
        })
    }

    /// Records the end of a job. What cannot be recorded now, on a full disk for instance, is tried again until the node stops: the
    /// results are in hand, and nobody else would end the job.
    fn end(&self, job: &Job, disposition: &Disposition) -> Result<(), SpoolError> {
        if let Disposition::Quarantined { code, reason } = disposition {
            tracing::warn!(job = job.id.0, series = %job.series, code, reason, "quarantined");
        }
        loop {
            let seen = self.jobs.count();
            match self.record(job, disposition) {
                Err(error) if !self.is_final(&error) => {
                    tracing::error!(job = job.id.0, %error, "the end of the job cannot be recorded yet");
                    self.jobs.wait(seen, self.try_again);
                }
                recorded => return recorded,
            }
        }
    }

    /// Whether another try would be in vain.
    fn is_final(&self, error: &SpoolError) -> bool {
        matches!(error, SpoolError::JobNotRunning { .. }) || self.stopping.load(Ordering::Acquire)
    }

    fn record(&self, job: &Job, disposition: &Disposition) -> Result<(), SpoolError> {
        match disposition {
            Disposition::Written(results) => {
                let forms: Vec<String> = results.iter().map(|(form, _)| form.to_string()).collect();
                let sets = forms.iter().zip(results.iter().map(|(_, set)| set));
                let new: Vec<_> = sets.flat_map(|(form, set)| new_results(form, set)).collect();
                self.spool.job_written(job.id, &new, clock::now())?;
                self.deliveries.notify_one();
                Ok(())
            }
            Disposition::Quarantined { code, reason } => {
                self.spool.job_quarantined(job.id, code, reason, clock::now())
            }
        }
    }
}

fn new_results<'a>(form: &'a str, results: &'a ResultSet) -> Vec<NewResult<'a>> {
    let of = |result| {
        let result: &sr_writer::ResultInstance = result;
        NewResult {
            kind: result.kind.as_str(),
            form,
            identity: result.identity.clone(),
            file: &result.file,
        }
    };
    results.instances().map(of).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use dataset::{DataSet, FileMeta, Vr, tags};
    use domain::{
        Ask, Durability, SeriesInstanceUid, SopClassUid, SopInstanceUid, StudyInstanceUid,
        TransferSyntaxUid,
    };
    use spool::NewJob;
    use sr_writer::{ResultInstance, ResultKind};

    use super::*;
    use crate::settings;

    fn identity() -> InstanceIdentity {
        InstanceIdentity {
            study: StudyInstanceUid::parse("1.1").unwrap(),
            series: SeriesInstanceUid::parse("1.2").unwrap(),
            sop_instance: SopInstanceUid::parse("1.3").unwrap(),
            sop_class: SopClassUid::parse("1.2.840.10008.5.1.4.1.1.2").unwrap(),
            transfer_syntax: TransferSyntaxUid::parse("1.2.840.10008.1.2.1").unwrap(),
        }
    }

    /// An instance where the spool keeps it: the spool finds it there when it is opened.
    fn put_instance(data: &Path) {
        let mut set = DataSet::new();
        set.put_text(tags::MODALITY, Vr::CS, "CT");
        set.put_uid(tags::STUDY_INSTANCE_UID, "1.1");
        set.put_uid(tags::SERIES_INSTANCE_UID, "1.2");
        let folder = data.join("instances/1.1/1.2");
        fs::create_dir_all(&folder).unwrap();
        let file = dataset::encode_file(&FileMeta::of(&identity()), &set);
        fs::write(folder.join("1.3.dcm"), file).unwrap();
    }

    fn worker(data: &Path) -> Worker {
        put_instance(data);
        let (limits, clock) = (Limits::default(), Arc::new(clock::now));
        let (spool, _) = Spool::open(data, &limits, Durability::Cache, clock).unwrap();
        Worker {
            spool: Arc::new(spool),
            models: Arc::default(),
            device: settings::default_device(),
            wishes: Arc::default(),
            limits,
            jobs: Arc::default(),
            ahead: Arc::new(AheadAnswers::new(0)),
            working: Arc::default(),
            deliveries: Arc::default(),
            stopping: Arc::default(),
            try_again: Duration::from_millis(20),
        }
    }

    /// A job that the worker has taken.
    fn taken(worker: &Worker) -> (Job, Vec<SpooledInstance>) {
        let (spool, series) = (&worker.spool, identity().series);
        let seen = spool.series_instances(&series).unwrap();
        let (rule, model) = ("r".into(), "m".into());
        let job = NewJob { rule, model, ask: Ask::default(), destinations: vec![] };
        spool.close_series(&series, &seen, &[job], None, clock::now()).unwrap();
        spool.claim_job(clock::now()).unwrap().unwrap()
    }

    fn results() -> Disposition {
        let (kind, file) = (ResultKind::Report, b"report".to_vec());
        let report = ResultInstance { kind, identity: identity(), file };
        let set = ResultSet { segmentations: vec![], report, companions: vec![] };
        Disposition::Written(vec![(SegmentationForm::default(), set)])
    }

    fn states(worker: &Worker) -> Vec<String> {
        let jobs = worker.spool.snapshot().unwrap().jobs;
        jobs.into_iter().map(|job| job.state).collect()
    }

    #[test]
    fn the_end_of_a_job_is_recorded_when_that_is_possible_again() {
        let dir = tempfile::tempdir().unwrap();
        let worker = worker(dir.path());
        let (job, _) = taken(&worker);
        let folder = dir.path().join("results");
        fs::remove_dir(&folder).unwrap();
        fs::write(&folder, "in the way").unwrap();
        thread::scope(|scope| {
            let ending = scope.spawn(|| worker.end(&job, &results()));
            thread::sleep(Duration::from_millis(100));
            assert_eq!(states(&worker), ["running"]);
            fs::remove_file(&folder).unwrap();
            ending.join().unwrap().unwrap();
        });
        assert_eq!(states(&worker), ["done"]);
    }

    #[test]
    fn the_end_of_a_job_is_not_waited_for_when_the_node_stops_or_nobody_asks_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let worker = worker(dir.path());
        let (job, _) = taken(&worker);
        fs::remove_dir(dir.path().join("results")).unwrap();
        fs::write(dir.path().join("results"), "in the way").unwrap();
        worker.stopping.store(true, Ordering::Release);
        assert!(worker.end(&job, &results()).is_err());
        worker.stopping.store(false, Ordering::Release);
        let gap = Disposition::Quarantined { code: "gap", reason: String::new() };
        worker.end(&job, &gap).unwrap();
        let again = worker.end(&job, &gap);
        assert!(matches!(again, Err(SpoolError::JobNotRunning { .. })));
    }

    #[test]
    fn what_the_system_does_not_let_us_read_is_read_when_it_does() {
        let dir = tempfile::tempdir().unwrap();
        let worker = worker(dir.path());
        let path = dir.path().join("instances/1.1/1.2/1.3.dcm");
        let paths = [path.clone()];
        let file = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let absent = worker.headers(&paths).unwrap_err();
        assert_eq!(absent.code, UnsuitableCode::Unreadable);
        fs::create_dir(&path).unwrap();
        assert_eq!(worker.headers(&paths).unwrap_err().code, UnsuitableCode::Unreadable);
        let worker = Worker { try_again: Duration::from_millis(500), ..worker };
        thread::scope(|scope| {
            let reading = scope.spawn(|| worker.headers(&paths));
            thread::sleep(Duration::from_millis(100));
            fs::remove_dir(&path).unwrap();
            fs::write(&path, &file).unwrap();
            assert_eq!(reading.join().unwrap().unwrap().len(), 1);
        });
    }
}

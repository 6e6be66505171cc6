//! What the spool remembers of series, jobs and deliveries. Each method is one transaction, durable when it returns.

use domain::{
    InstanceIdentity, Job, JobId, Moment, Predecessor, Revision, SeriesInstanceUid,
    SpooledInstance, StudyInstanceUid,
};

use crate::ledger::{Closed, Counts, Delivery, NewJob, OpenRow, Snapshot};
use crate::{Spool, SpoolError};

/// Series and studies.
impl Spool {
    /// Series that still grow, for the assembler after a start.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`].
    pub fn open_series(&self) -> Result<Vec<OpenRow>, SpoolError> {
        self.ledger.open_series()
    }

    /// Studies with a series that closed since [`Spool::add_study_jobs`] was last called for them, and when it closed;
    /// for the assembler after a start.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`].
    pub fn pending_studies(&self) -> Result<Vec<(StudyInstanceUid, Moment)>, SpoolError> {
        self.ledger.pending_studies()
    }

    /// The instances of a series in order of SOP Instance UID; none if the series is unknown or purged.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`].
    pub fn series_instances(
        &self,
        series: &SeriesInstanceUid,
    ) -> Result<Vec<SpooledInstance>, SpoolError> {
        self.ledger.series_instances(series)
    }

    /// The closed series of a study. Open ones are left out: when they close, the study is asked again.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`].
    pub fn study_series(
        &self,
        study: &StudyInstanceUid,
    ) -> Result<Vec<SeriesInstanceUid>, SpoolError> {
        self.ledger.study_series(study)
    }

    /// Closes a series that was seen to hold the instances `seen`: the revision counts up, `jobs` are queued, jobs of
    /// the same rules on earlier revisions that have not begun are superseded, and the study becomes pending.
    /// `note` says why there are no jobs. A series that is closed already stays as it is, and nothing is queued.
    ///
    /// # Errors
    /// [`SpoolError::Changed`] when the series does not hold just `seen` any more: it stays open.
    /// [`SpoolError::UnknownSeries`]; [`SpoolError::Ledger`] or [`SpoolError::DiskFull`].
    #[expect(clippy::too_many_arguments, reason = "what was seen, what comes of it, when")]
    pub fn close_series(
        &self,
        series: &SeriesInstanceUid,
        seen: &[SpooledInstance],
        jobs: &[NewJob],
        note: Option<&str>,
        now: Moment,
    ) -> Result<Closed, SpoolError> {
        self.ledger.close_series(series, seen, (jobs, note), now)
    }

    /// Queues the jobs of rules that wait for the study, each on the current revision of its series; the study is not
    /// pending any more. What is queued or done already on that revision is not queued again; series that opened again
    /// are left out. Gives the jobs that are new.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`] or [`SpoolError::DiskFull`].
    pub fn add_study_jobs(
        &self,
        study: &StudyInstanceUid,
        jobs: &[(SeriesInstanceUid, NewJob)],
        now: Moment,
    ) -> Result<Vec<JobId>, SpoolError> {
        self.ledger.add_study_jobs(study, jobs, now)
    }
}

/// Jobs.
impl Spool {
    /// Takes the oldest queued job for a worker, with the instances that its revision of the series had.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`] or [`SpoolError::DiskFull`].
    pub fn claim_job(
        &self,
        now: Moment,
    ) -> Result<Option<(Job, Vec<SpooledInstance>)>, SpoolError> {
        self.ledger.claim_job(now)
    }

    /// Ends a running job by setting it aside. `code` is one word, `reason` a sentence without patient attributes.
    ///
    /// # Errors
    /// [`SpoolError::JobNotRunning`]; [`SpoolError::Ledger`] or [`SpoolError::DiskFull`].
    pub fn job_quarantined(
        &self,
        job: JobId,
        code: &str,
        reason: &str,
        now: Moment,
    ) -> Result<(), SpoolError> {
        self.ledger.job_quarantined(job, code, reason, now)
    }

    /// All results of a form that the same rule made of the newest earlier revision of a series, in order of delivery.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`].
    pub fn earlier_results(
        &self,
        series: &SeriesInstanceUid,
        rule: &str,
        before: Revision,
        form: &str,
    ) -> Result<Vec<InstanceIdentity>, SpoolError> {
        self.ledger.earlier_results(series, rule, before, form)
    }

    /// The report of a form that the same rule made of the newest earlier revision of a series.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`].
    pub fn predecessor(
        &self,
        series: &SeriesInstanceUid,
        rule: &str,
        before: Revision,
        form: &str,
    ) -> Result<Option<Predecessor>, SpoolError> {
        self.ledger.predecessor(series, rule, before, form)
    }
}

/// Deliveries.
impl Spool {
    /// Deliveries whose time has come, of each destination that is not `busy` the few that wait longest.
    /// A delivery is given again until its outcome is recorded.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`].
    pub fn due_deliveries(&self, now: Moment, busy: &[&str]) -> Result<Vec<Delivery>, SpoolError> {
        self.ledger.due_deliveries(now, busy)
    }

    /// When the next delivery to a destination that is not `busy` is due; in the past when one is due already.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`].
    pub fn next_delivery_at(&self, busy: &[&str]) -> Result<Option<Moment>, SpoolError> {
        self.ledger.next_delivery_at(busy)
    }

    /// A destination has all results of one form. With the last delivery of a job the job ends: done, or quarantined as
    /// `undeliverable` if a destination refused.
    ///
    /// # Errors
    /// [`SpoolError::UnknownDelivery`]; [`SpoolError::Ledger`] or [`SpoolError::DiskFull`].
    pub fn delivery_done(&self, delivery: i64, form: &str, now: Moment) -> Result<(), SpoolError> {
        self.ledger.delivery_done(delivery, form, now)
    }

    /// A destination does not have the results: they are tried again at `next_at`, or, with `None`, given up.
    ///
    /// # Errors
    /// [`SpoolError::UnknownDelivery`]; [`SpoolError::Ledger`] or [`SpoolError::DiskFull`].
    pub fn delivery_failed(
        &self,
        delivery: i64,
        reason: &str,
        next_at: Option<Moment>,
        now: Moment,
    ) -> Result<(), SpoolError> {
        self.ledger.delivery_failed(delivery, reason, next_at, now)
    }
}

/// For those who watch.
impl Spool {
    /// Series, jobs and deliveries as they are now.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`].
    pub fn snapshot(&self) -> Result<Snapshot, SpoolError> {
        self.ledger.snapshot()
    }

    /// How many series, jobs and deliveries are in which state. Every state is named, also with 0.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`].
    pub fn counts(&self) -> Result<Counts, SpoolError> {
        self.ledger.counts(self.spool_bytes())
    }
}

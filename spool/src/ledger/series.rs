//! Series and studies: what is open, what a series holds, closing, and the jobs that come of it.

use std::collections::BTreeSet;

use domain::{Ask, JobId, Moment, Revision, SeriesInstanceUid, SpooledInstance, StudyInstanceUid};
use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::rows::{self, integer};
use super::{Halt, Ledger, ask};
use crate::SpoolError;

/// A series that still grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRow {
    /// Its study.
    pub study: StudyInstanceUid,
    /// The series.
    pub series: SeriesInstanceUid,
    /// When its last instance became durable.
    pub last_received: Moment,
}

/// What a rule asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Name of the rule.
    pub rule: String,
    /// Name of the model.
    pub model: String,
    /// What a promptable model is asked; the default for any other.
    pub ask: Ask,
    /// Names of the destinations; one named twice gets the results once.
    pub destinations: Vec<String>,
}

/// What closing a series came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The study that is pending now: that of the first instance of the series, whatever later ones say.
    pub study: StudyInstanceUid,
    /// How often the series has closed now.
    pub revision: Revision,
    /// The jobs that were queued.
    pub jobs: Vec<JobId>,
}

/// A series as closing finds it.
#[derive(Debug)]
pub(super) struct SeriesState {
    study: StudyInstanceUid,
    revision: Revision,
    is_open: bool,
    is_closed: bool,
}

impl Ledger {
    /// Series that still grow.
    pub(crate) fn open_series(&self) -> Result<Vec<OpenRow>, SpoolError> {
        self.read("list open series", |connection| {
            let mut open = connection.prepare_cached(
                "SELECT study, series, last_received FROM series WHERE state = 'open' ORDER BY series",
            )?;
            let rows = open.query_map([], |row| {
                let last_received = rows::moment(row, "last_received")?;
                Ok(OpenRow { study: rows::study(row)?, series: rows::series(row)?, last_received })
            })?;
            rows.collect()
        })
    }

    /// Studies with a series that closed since the rules that wait for the study were asked, and when it did.
    pub(crate) fn pending_studies(&self) -> Result<Vec<(StudyInstanceUid, Moment)>, SpoolError> {
        self.read("list pending studies", |connection| {
            let mut pending = connection.prepare_cached(
                "SELECT study, last_closed FROM studies WHERE pending = 1 ORDER BY study",
            )?;
            let rows = pending
                .query_map([], |row| Ok((rows::study(row)?, rows::moment(row, "last_closed")?)))?;
            rows.collect()
        })
    }

    /// The instances of a series, in order of SOP Instance UID.
    pub(crate) fn series_instances(
        &self,
        series: &SeriesInstanceUid,
    ) -> Result<Vec<SpooledInstance>, SpoolError> {
        self.read("list the instances of a series", |connection| {
            self.instances_of(connection, series, Revision(u32::MAX))
        })
    }

    /// The closed series of a study.
    pub(crate) fn study_series(
        &self,
        study: &StudyInstanceUid,
    ) -> Result<Vec<SeriesInstanceUid>, SpoolError> {
        self.read("list the series of a study", |connection| {
            let mut closed = connection.prepare_cached(
                "SELECT series FROM series WHERE study = ?1 AND state = 'closed' ORDER BY series",
            )?;
            let rows = closed.query_map([study.as_str()], rows::series)?;
            rows.collect()
        })
    }

    /// Closes a series and queues its jobs; see [`crate::Spool::close_series`].
    pub(crate) fn close_series(
        &self,
        series: &SeriesInstanceUid,
        seen: &[SpooledInstance],
        (jobs, note): (&[NewJob], Option<&str>),
        now: Moment,
    ) -> Result<Closed, SpoolError> {
        self.write("close a series", |transaction| {
            let state = series_state(transaction, series)?
                .ok_or_else(|| SpoolError::UnknownSeries { series: series.clone() })?;
            let current = self.instances_of(transaction, series, Revision(u32::MAX))?;
            if fingerprints(seen) != fingerprints(&current) {
                return Err(SpoolError::Changed { series: series.clone() }.into());
            }
            if !state.is_open {
                let SeriesState { study, revision, .. } = state;
                return Ok(Closed { study, revision, jobs: Vec::new() });
            }
            let revision = Revision(state.revision.0 + 1);
            mark_closed(transaction, series, revision, note, now)?;
            mark_pending(transaction, &state.study, now)?;
            let state = SeriesState { revision, ..state };
            let jobs = queue_all(transaction, series, &state, jobs, now)?;
            Ok(Closed { study: state.study, revision, jobs })
        })
    }

    /// Queues the jobs of rules that wait for the study; see [`crate::Spool::add_study_jobs`].
    pub(crate) fn add_study_jobs(
        &self,
        study: &StudyInstanceUid,
        jobs: &[(SeriesInstanceUid, NewJob)],
        now: Moment,
    ) -> Result<Vec<JobId>, SpoolError> {
        self.write("queue the jobs of a study", |transaction| {
            let mut done =
                transaction.prepare_cached("UPDATE studies SET pending = 0 WHERE study = ?1")?;
            done.execute([study.as_str()])?;
            let mut queued = Vec::new();
            for (series, job) in jobs {
                let state = series_state(transaction, series)?.filter(|state| state.is_closed);
                let job = state.map(|state| queue(transaction, series, &state, job, now));
                queued.extend(job.transpose()?.flatten());
            }
            Ok(queued)
        })
    }

    /// The instances that closing number `revision` of a series had.
    pub(super) fn instances_of(
        &self,
        connection: &Connection,
        series: &SeriesInstanceUid,
        revision: Revision,
    ) -> rusqlite::Result<Vec<SpooledInstance>> {
        let mut select = connection.prepare_cached(
            "SELECT * FROM instances WHERE series = ?1 AND revision <= ?2 ORDER BY sop_instance, study",
        )?;
        let rows = select
            .query_map((series.as_str(), revision.0), |row| rows::instance(row, &self.root))?;
        rows.collect()
    }
}

/// What tells one state of a series from another.
fn fingerprints(instances: &[SpooledInstance]) -> BTreeSet<(&str, &str, Moment, u64)> {
    let mut all = BTreeSet::new();
    for SpooledInstance { identity, received_at, file_bytes, .. } in instances {
        all.insert((
            identity.sop_instance.as_str(),
            identity.study.as_str(),
            *received_at,
            *file_bytes,
        ));
    }
    all
}

fn series_state(
    transaction: &Transaction<'_>,
    series: &SeriesInstanceUid,
) -> rusqlite::Result<Option<SeriesState>> {
    let mut select = transaction
        .prepare_cached("SELECT study, revision, state FROM series WHERE series = ?1")?;
    let state = select.query_row([series.as_str()], |row| {
        let state: String = row.get("state")?;
        Ok(SeriesState {
            study: rows::study(row)?,
            revision: rows::revision(row)?,
            is_open: state == "open",
            is_closed: state == "closed",
        })
    });
    state.optional()
}

fn mark_closed(
    transaction: &Transaction<'_>,
    series: &SeriesInstanceUid,
    revision: Revision,
    note: Option<&str>,
    now: Moment,
) -> rusqlite::Result<()> {
    let mut close = transaction.prepare_cached(
        "UPDATE series SET state = 'closed', revision = :revision, closed_at = :now, note = :note
         WHERE series = :series",
    )?;
    close.execute(named_params! {
        ":series": series.as_str(),
        ":revision": revision.0,
        ":now": integer(now.unix_millis()),
        ":note": note,
    })?;
    Ok(())
}

fn mark_pending(
    transaction: &Transaction<'_>,
    study: &StudyInstanceUid,
    now: Moment,
) -> rusqlite::Result<()> {
    let mut pending = transaction
        .prepare_cached("UPDATE studies SET pending = 1, last_closed = ?2 WHERE study = ?1")?;
    pending.execute((study.as_str(), integer(now.unix_millis())))?;
    Ok(())
}

fn queue_all(
    transaction: &Transaction<'_>,
    series: &SeriesInstanceUid,
    state: &SeriesState,
    jobs: &[NewJob],
    now: Moment,
) -> Result<Vec<JobId>, Halt> {
    let mut queued = Vec::new();
    for job in jobs {
        queued.extend(queue(transaction, series, state, job, now)?);
    }
    Ok(queued)
}

/// Queues one job, and supersedes the jobs of the same rule on earlier revisions that have not begun.
/// `None` when the rule has its job on this revision already.
fn queue(
    transaction: &Transaction<'_>,
    series: &SeriesInstanceUid,
    state: &SeriesState,
    job: &NewJob,
    now: Moment,
) -> Result<Option<JobId>, Halt> {
    let mut supersede = transaction.prepare_cached(
        "UPDATE jobs SET state = 'superseded', ended_at = :now
         WHERE series = :series AND rule = :rule AND revision < :revision AND state = 'queued'",
    )?;
    let now = integer(now.unix_millis());
    supersede.execute(named_params! {
        ":series": series.as_str(), ":rule": job.rule, ":revision": state.revision.0, ":now": now,
    })?;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO jobs (study, series, revision, rule, model, ask, destinations, state, created_at)
         VALUES (:study, :series, :revision, :rule, :model, :ask, :destinations, 'queued', :now)
         ON CONFLICT (series, revision, rule) DO NOTHING RETURNING id",
    )?;
    let destinations: BTreeSet<_> = job.destinations.iter().cloned().collect();
    let row = named_params! {
        ":study": state.study.as_str(),
        ":series": series.as_str(),
        ":revision": state.revision.0,
        ":rule": job.rule,
        ":model": job.model,
        ":ask": ask::to_json(&job.ask)?,
        ":destinations": rows::to_json(transaction, &Vec::from_iter(destinations))?,
        ":now": now,
    };
    Ok(insert.query_row(row, |row| rows::job_id(row, "id")).optional()?)
}

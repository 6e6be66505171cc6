//! Results of jobs, and the deliveries that they make.

use domain::{InstanceIdentity, JobId, Moment};
use rusqlite::{Transaction, named_params};

use super::jobs::one_running;
use super::rows::{self, integer};
use super::{Halt, Ledger};
use crate::SpoolError;

/// A result whose file is in its place.
#[derive(Debug)]
pub(crate) struct WrittenResult<'a> {
    /// `segmentation` or `report`.
    pub(crate) kind: &'a str,
    /// The form of its set.
    pub(crate) form: &'a str,
    /// What it is.
    pub(crate) identity: &'a InstanceIdentity,
    /// Length of its file.
    pub(crate) file_bytes: u64,
    /// Where it lies below the spool's folder.
    pub(crate) path: String,
}

impl Ledger {
    /// Records the results of a running job, in order of delivery, and one delivery for each of its destinations.
    pub(crate) fn job_written(
        &self,
        job: JobId,
        results: &[WrittenResult<'_>],
        now: Moment,
    ) -> Result<(), SpoolError> {
        self.write("record results", |transaction| {
            let destinations = destinations(transaction, job)?;
            for (ordinal, result) in (0_i64..).zip(results) {
                insert_result(transaction, job, ordinal, result)?;
            }
            for destination in &destinations {
                insert_delivery(transaction, job, destination, now)?;
            }
            let now = integer(now.unix_millis());
            let mut end = transaction.prepare_cached(
                "UPDATE jobs SET state = :state, ended_at = :ended WHERE id = :job AND state = 'running'",
            )?;
            let (state, ended) =
                if destinations.is_empty() { ("done", Some(now)) } else { ("delivering", None) };
            let changed = end
                .execute(named_params! { ":job": job.0, ":state": state, ":ended": ended })?;
            one_running(job, changed)
        })
    }

    /// Whether a job is with a worker.
    pub(crate) fn is_running(&self, job: JobId) -> Result<bool, SpoolError> {
        self.read("look up a job", |connection| {
            connection
                .prepare_cached("SELECT 1 FROM jobs WHERE id = ?1 AND state = 'running'")?
                .exists([job.0])
        })
    }
}

/// The destinations of a running job.
fn destinations(transaction: &Transaction<'_>, job: JobId) -> Result<Vec<String>, Halt> {
    let mut select = transaction
        .prepare_cached("SELECT destinations FROM jobs WHERE id = ?1 AND state = 'running'")?;
    let mut found = select.query([job.0])?;
    let Some(row) = found.next()? else {
        return Err(SpoolError::JobNotRunning { job: job.0 }.into());
    };
    Ok(rows::from_json(transaction, &row.get::<_, String>("destinations")?)?)
}

fn insert_result(
    transaction: &Transaction<'_>,
    job: JobId,
    ordinal: i64,
    result: &WrittenResult<'_>,
) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO results (job, ordinal, kind, study, series, sop_instance, sop_class,
           transfer_syntax, file_bytes, path, form)
         VALUES (:job, :ordinal, :kind, :study, :series, :sop_instance, :sop_class,
           :transfer_syntax, :file_bytes, :path, :form)",
    )?;
    insert.execute(named_params! {
        ":job": job.0,
        ":ordinal": ordinal,
        ":kind": result.kind,
        ":study": result.identity.study.as_str(),
        ":series": result.identity.series.as_str(),
        ":sop_instance": result.identity.sop_instance.as_str(),
        ":sop_class": result.identity.sop_class.as_str(),
        ":transfer_syntax": result.identity.transfer_syntax.as_str(),
        ":file_bytes": integer(result.file_bytes),
        ":path": result.path,
        ":form": result.form,
    })?;
    Ok(())
}

/// A destination that has the results already, from before they were lost and made again, gets them once more.
fn insert_delivery(
    transaction: &Transaction<'_>,
    job: JobId,
    destination: &str,
    now: Moment,
) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO deliveries (job, destination, state, next_at) VALUES (?1, ?2, 'waiting', ?3)",
    )?;
    insert.execute((job.0, destination, integer(now.unix_millis())))?;
    Ok(())
}

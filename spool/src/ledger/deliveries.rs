//! Deliveries: one for each job and destination, tried until it is through or refused.

use std::path::{Path, PathBuf};

use domain::{InstanceIdentity, JobId, Moment, SopInstanceUid};
use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::due::Waiting;
use super::rows::{self, integer};
use super::{Halt, Ledger, commitments};
use crate::SpoolError;

/// How many due deliveries of one destination are given at a time.
const PER_DESTINATION: i64 = 4;

/// Of results of one rule and series those of an earlier revision go first to a destination, whenever they are due: the later ones
/// say that they take their place.
macro_rules! in_turn {
    () => {
        "NOT EXISTS (SELECT 1 FROM jobs AS own
           JOIN jobs AS earlier ON earlier.series = own.series AND earlier.rule = own.rule
             AND earlier.revision < own.revision
           JOIN deliveries AS first ON first.job = earlier.id
             AND first.destination = deliveries.destination
           WHERE own.id = deliveries.job AND first.state = 'waiting')"
    };
}

const WAITING: Waiting = Waiting {
    next_destination: "SELECT destination FROM deliveries INDEXED BY deliveries_waiting
      WHERE state = 'waiting' AND destination > ?1 ORDER BY destination LIMIT 1",
    next_at: concat!(
        "SELECT next_at FROM deliveries INDEXED BY deliveries_waiting
         WHERE state = 'waiting' AND destination = ?1 AND ",
        in_turn!(),
        " ORDER BY next_at LIMIT 1"
    ),
};

/// Results that are to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The ledger's number.
    pub id: i64,
    /// Whose results.
    pub job: JobId,
    /// Name of the destination.
    pub destination: String,
    /// Failed tries until now.
    pub attempts: u32,
    /// The results of all forms, each form in order of delivery: SEG before SR.
    pub results: Vec<ResultFile>,
}

/// A result on stable storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultFile {
    /// `segmentation` or `report`.
    pub kind: String,
    /// The form of the set that it belongs to.
    pub form: String,
    /// What it is.
    pub identity: InstanceIdentity,
    /// The DICOM file (PS3.10) that holds it.
    pub path: PathBuf,
}

/// What became of a try.
#[derive(Debug, Clone, Copy)]
enum Tried<'a> {
    Done {
        form: &'a str,
    },
    /// Done, and the destination is to commit to these.
    ToCommit {
        form: &'a str,
        instances: &'a [SopInstanceUid],
    },
    Failed {
        reason: &'a str,
        next_at: Option<Moment>,
    },
}

impl Ledger {
    /// Deliveries whose time and turn have come, of each destination that is not busy the few that wait longest.
    pub(crate) fn due_deliveries(
        &self,
        now: Moment,
        busy: &[&str],
    ) -> Result<Vec<Delivery>, SpoolError> {
        self.read("list due deliveries", |connection| {
            let mut due = Vec::new();
            for destination in WAITING.destinations(connection, busy)? {
                due.extend(due_of(connection, &destination, now, &self.root)?);
            }
            Ok(due)
        })
    }

    /// When the next delivery to a destination that is not busy is due; in the past when one is due already.
    pub(crate) fn next_delivery_at(&self, busy: &[&str]) -> Result<Option<Moment>, SpoolError> {
        self.read("look for the next delivery", |connection| WAITING.next_at(connection, busy))
    }

    /// A destination has all results of a job in one form.
    pub(crate) fn delivery_done(
        &self,
        delivery: i64,
        form: &str,
        now: Moment,
    ) -> Result<(), SpoolError> {
        self.tried(delivery, Tried::Done { form }, now)
    }

    /// A destination has all results of a job in one form, and is to commit to these instances.
    pub(crate) fn delivery_to_commit(
        &self,
        delivery: i64,
        form: &str,
        instances: &[SopInstanceUid],
        now: Moment,
    ) -> Result<(), SpoolError> {
        self.tried(delivery, Tried::ToCommit { form, instances }, now)
    }

    /// A destination does not have the results: it is tried again at `next_at`, or given up.
    pub(crate) fn delivery_failed(
        &self,
        delivery: i64,
        reason: &str,
        next_at: Option<Moment>,
        now: Moment,
    ) -> Result<(), SpoolError> {
        self.tried(delivery, Tried::Failed { reason, next_at }, now)
    }

    fn tried(&self, delivery: i64, tried: Tried<'_>, now: Moment) -> Result<(), SpoolError> {
        self.write("record a delivery", |transaction| {
            let mut find =
                transaction.prepare_cached("SELECT job, state FROM deliveries WHERE id = ?1")?;
            let found = find.query_row([delivery], |row| {
                Ok((rows::job_id(row, "job")?, row.get::<_, String>("state")?))
            });
            let Some((job, state)) = found.optional()? else {
                return Err(SpoolError::UnknownDelivery { delivery }.into());
            };
            // What has ended stays as it ended.
            if state == "waiting" {
                record(transaction, delivery, tried, now)?;
                follow_up(transaction, delivery, tried, now)?;
                end_job(transaction, job, now)?;
            }
            Ok(())
        })
    }
}

fn due_of(
    connection: &Connection,
    destination: &str,
    now: Moment,
    root: &Path,
) -> rusqlite::Result<Vec<Delivery>> {
    let mut due = connection.prepare_cached(concat!(
        "SELECT id, job, attempts FROM deliveries INDEXED BY deliveries_waiting
         WHERE state = 'waiting' AND destination = ?1 AND next_at <= ?2 AND ",
        in_turn!(),
        " ORDER BY next_at, id LIMIT ?3"
    ))?;
    let now = integer(now.unix_millis());
    let rows = due.query_map((destination, now, PER_DESTINATION), |row| {
        let job = rows::job_id(row, "job")?;
        Ok(Delivery {
            id: row.get("id")?,
            job,
            destination: destination.to_owned(),
            attempts: row.get("attempts")?,
            results: result_files(connection, job, root)?,
        })
    })?;
    rows.collect()
}

/// What a try means for the commitment that is asked of the destination, or was before it was tried again.
fn follow_up(
    transaction: &Transaction<'_>,
    delivery: i64,
    tried: Tried<'_>,
    now: Moment,
) -> Result<(), Halt> {
    match tried {
        Tried::ToCommit { instances, .. } => {
            commitments::begin(transaction, delivery, instances, now)
        }
        Tried::Done { .. } => commitments::end(transaction, delivery, ("waived", None), now),
        Tried::Failed { reason, next_at: None } => {
            commitments::end(transaction, delivery, ("refused", Some(reason)), now)
        }
        Tried::Failed { next_at: Some(_), .. } => Ok(()),
    }
}

fn result_files(
    connection: &Connection,
    job: JobId,
    root: &Path,
) -> rusqlite::Result<Vec<ResultFile>> {
    let mut select = connection.prepare_cached(
        "SELECT * FROM results WHERE job = ?1 AND path IS NOT NULL ORDER BY ordinal",
    )?;
    let rows = select.query_map([job.0], |row| {
        Ok(ResultFile {
            kind: row.get("kind")?,
            form: row.get("form")?,
            identity: rows::identity(row)?,
            path: root.join(row.get::<_, String>("path")?),
        })
    })?;
    rows.collect()
}

fn record(
    transaction: &Transaction<'_>,
    delivery: i64,
    tried: Tried<'_>,
    now: Moment,
) -> Result<(), Halt> {
    let now = integer(now.unix_millis());
    let form = match tried {
        Tried::Done { form } | Tried::ToCommit { form, .. } => Some(form),
        Tried::Failed { .. } => None,
    };
    let (state, reason, next_at, ended) = match tried {
        Tried::Done { .. } | Tried::ToCommit { .. } => ("done", None, now, Some(now)),
        Tried::Failed { reason, next_at: Some(at) } => {
            ("waiting", Some(reason), integer(at.unix_millis()), None)
        }
        Tried::Failed { reason, next_at: None } => ("refused", Some(reason), now, Some(now)),
    };
    let failures = i64::from(reason.is_some());
    let mut update = transaction.prepare_cached(
        "UPDATE deliveries SET state = :state, attempts = attempts + :failures, next_at = :next_at,
           reason = :reason, ended_at = :ended, form = :form WHERE id = :id",
    )?;
    update.execute(named_params! {
        ":id": delivery, ":state": state, ":failures": failures, ":next_at": next_at,
        ":reason": reason, ":ended": ended, ":form": form,
    })?;
    Ok(())
}

/// Ends a job whose deliveries and commitments have all ended: done, or set aside if one was refused.
pub(super) fn end_job(transaction: &Transaction<'_>, job: JobId, now: Moment) -> Result<(), Halt> {
    let mut end = transaction.prepare_cached(
        "UPDATE jobs SET ended_at = :now,
           state = iif(coalesce(refused, uncommitted) IS NULL, 'done', 'quarantined'),
           reason_code = CASE WHEN refused IS NOT NULL THEN 'undeliverable'
             WHEN uncommitted IS NOT NULL THEN 'uncommitted' END,
           reason = coalesce(refused, uncommitted)
         FROM (SELECT
             sum(deliveries.state = 'waiting' OR coalesce(commitments.state, '') = 'open') AS waiting,
             group_concat(destination || ': ' || deliveries.reason, '; ')
               FILTER (WHERE deliveries.state = 'refused') AS refused,
             group_concat(destination || ': ' || commitments.reason, '; ')
               FILTER (WHERE commitments.state = 'refused') AS uncommitted
           FROM deliveries LEFT JOIN commitments ON commitments.delivery = deliveries.id
           WHERE job = :job)
         WHERE jobs.id = :job AND jobs.state = 'delivering' AND waiting = 0",
    )?;
    end.execute(named_params! { ":job": job.0, ":now": integer(now.unix_millis()) })?;
    Ok(())
}

//! What destinations are to commit to: asked until they say so, delivered again where that helps, given up at an end.

use std::collections::BTreeMap;

use domain::{
    CommitmentReport, CommitmentRequest, FailureReason, InstanceReference, JobId, Moment, Remedy,
    SopClassUid, SopInstanceUid, TransactionUid, derive_uid,
};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::deliveries::end_job;
use super::due::Waiting;
use super::rows::{self, integer};
use super::{Halt, Ledger};
use crate::SpoolError;

/// How many due commitments of one destination are given at a time.
const PER_DESTINATION: i64 = 4;

const WAITING: Waiting = Waiting {
    next_destination: "SELECT archive FROM commitments INDEXED BY commitments_open
      WHERE state = 'open' AND archive > ?1 ORDER BY archive LIMIT 1",
    next_at: "SELECT next_at FROM commitments INDEXED BY commitments_open
      WHERE state = 'open' AND archive = ?1 ORDER BY next_at LIMIT 1",
};

/// A destination that is to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueCommitment {
    /// The delivery that it is about.
    pub delivery: i64,
    /// Whose results.
    pub job: JobId,
    /// Name of the destination.
    pub destination: String,
    /// How often it was asked until now.
    pub asked: u32,
}

/// A report, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// Whose results.
    pub job: JobId,
    /// Name of the destination.
    pub destination: String,
    /// What came of it.
    pub outcome: ReportOutcome,
}

/// What came of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportOutcome {
    /// Everything that was delivered is committed to.
    Committed,
    /// It says nothing of so many instances: they are asked for again.
    Incomplete(usize),
    /// Failures that pass: asked again later.
    AskAgain(String),
    /// The archive does not have all of them: they are delivered again.
    DeliverAgain(String),
    /// It will not commit, in its words.
    Refused(String),
    /// It was ended or reported before, so nothing changed.
    Again,
}

/// What a report is about, as the ledger has it.
struct About {
    delivery: i64,
    job: JobId,
    destination: String,
    state: String,
    redelivered: u32,
    /// It answers the last request, and is the first to do so.
    is_awaited: bool,
}

impl Ledger {
    /// What destinations that are not busy are to be asked now, of each the few that wait longest.
    pub(crate) fn due_commitments(
        &self,
        now: Moment,
        busy: &[&str],
    ) -> Result<Vec<DueCommitment>, SpoolError> {
        self.read("list due commitments", |connection| {
            let mut due = Vec::new();
            for destination in WAITING.destinations(connection, busy)? {
                due.extend(due_of(connection, &destination, now)?);
            }
            Ok(due)
        })
    }

    /// When the next destination that is not busy is to be asked.
    pub(crate) fn next_commitment_at(&self, busy: &[&str]) -> Result<Option<Moment>, SpoolError> {
        self.read("look for the next commitment", |connection| WAITING.next_at(connection, busy))
    }

    /// Begins a request for what is not yet committed to: its Transaction UID is known before anybody hears of it. Without
    /// a report it is due again at `next_at`.
    pub(crate) fn ask_commitment(
        &self,
        delivery: i64,
        now: Moment,
        next_at: Moment,
    ) -> Result<Option<CommitmentRequest>, SpoolError> {
        self.write("begin a commitment request", |transaction| {
            let mut count = transaction.prepare_cached(
                "UPDATE commitments SET asked = asked + 1, next_at = ?2
                 WHERE delivery = ?1 AND state = 'open' RETURNING asked",
            )?;
            let key = (delivery, integer(next_at.unix_millis()));
            let asked = count.query_row(key, |row| row.get::<_, u32>(0)).optional()?;
            let Some(asked) = asked else { return Ok(None) };
            let references = open_references(transaction, delivery)?;
            let uid = transaction_uid(delivery, asked, now, &references)?;
            transaction
                .prepare_cached(
                    "INSERT INTO transactions (transaction_uid, delivery, asked_at) VALUES (?1, ?2, ?3)",
                )?
                .execute((uid.as_str(), delivery, integer(now.unix_millis())))?;
            Ok(Some(CommitmentRequest { transaction: uid, references }))
        })
    }

    /// The destination that was asked under a Transaction UID.
    pub(crate) fn transaction_destination(
        &self,
        transaction: &TransactionUid,
    ) -> Result<Option<String>, SpoolError> {
        self.read("look up a transaction", |connection| {
            let mut find = connection.prepare_cached(
                "SELECT destination FROM transactions
                 JOIN deliveries ON deliveries.id = transactions.delivery WHERE transaction_uid = ?1",
            )?;
            find.query_row([transaction.as_str()], |row| row.get(0)).optional()
        })
    }

    /// Takes a report; `None` when nothing was asked under its Transaction UID.
    pub(crate) fn commitment_reported(
        &self,
        report: &CommitmentReport,
        redeliveries_max: u32,
        now: Moment,
    ) -> Result<Option<Reported>, SpoolError> {
        self.write("record a commitment report", |transaction| {
            let Some(about) = about(transaction, &report.transaction)? else { return Ok(None) };
            let outcome = take_report(transaction, &about, report, redeliveries_max, now)?;
            end_job(transaction, about.job, now)?;
            let About { job, destination, .. } = about;
            Ok(Some(Reported { job, destination, outcome }))
        })
    }

    /// A request was not taken this time: it is due again when it was said to be.
    pub(crate) fn commitment_failed(&self, delivery: i64, reason: &str) -> Result<(), SpoolError> {
        self.write("record a failed commitment request", |transaction| {
            let mut note = transaction.prepare_cached(
                "UPDATE commitments SET reason = ?2 WHERE delivery = ?1 AND state = 'open'",
            )?;
            note.execute((delivery, reason))?;
            Ok(())
        })
    }

    /// A destination will not commit, or nobody waits for it any more: `reason` says why; with `None` that is no fault.
    pub(crate) fn commitment_ended(
        &self,
        delivery: i64,
        reason: Option<&str>,
        now: Moment,
    ) -> Result<(), SpoolError> {
        let state = if reason.is_some() { "refused" } else { "waived" };
        self.write("end a commitment", |transaction| {
            end(transaction, delivery, (state, reason), now)?;
            end_job(transaction, job_of(transaction, delivery)?, now)
        })
    }
}

fn due_of(
    connection: &Connection,
    destination: &str,
    now: Moment,
) -> rusqlite::Result<Vec<DueCommitment>> {
    let mut due = connection.prepare_cached(
        "SELECT commitments.delivery, commitments.asked, job
         FROM commitments INDEXED BY commitments_open
         JOIN deliveries ON deliveries.id = commitments.delivery
         WHERE commitments.state = 'open' AND archive = ?1 AND commitments.next_at <= ?2
         ORDER BY commitments.next_at, commitments.delivery LIMIT ?3",
    )?;
    let now = integer(now.unix_millis());
    let rows = due.query_map((destination, now, PER_DESTINATION), |row| {
        Ok(DueCommitment {
            delivery: row.get("delivery")?,
            job: rows::job_id(row, "job")?,
            destination: destination.to_owned(),
            asked: row.get("asked")?,
        })
    })?;
    rows.collect()
}

/// The request's UID: derived, with the time in it, so that a ledger that was made anew does not use one twice.
fn transaction_uid(
    delivery: i64,
    asked: u32,
    now: Moment,
    references: &[InstanceReference],
) -> Result<TransactionUid, Halt> {
    let numbers = [delivery.to_string(), asked.to_string(), now.unix_millis().to_string()];
    let mut parts = vec!["transaction"];
    parts.extend(numbers.iter().map(String::as_str));
    parts.extend(references.iter().map(|reference| reference.sop_instance.as_str()));
    let wrong = |error| rusqlite::Error::ToSqlConversionFailure(Box::new(error));
    Ok(TransactionUid::parse(&derive_uid(&parts)).map_err(wrong)?)
}

/// A delivery's instances are to be committed to; what was committed to in an earlier delivery of them stays so.
pub(super) fn begin(
    transaction: &Transaction<'_>,
    delivery: i64,
    instances: &[SopInstanceUid],
    now: Moment,
) -> Result<(), Halt> {
    let names: Vec<String> = instances.iter().map(ToString::to_string).collect();
    let names = rows::to_json(transaction, &names)?;
    transaction
        .prepare_cached(
            "INSERT INTO commitments (delivery, state, next_at, archive)
               SELECT id, 'open', ?2, destination FROM deliveries WHERE id = ?1
             ON CONFLICT (delivery) DO UPDATE SET state = 'open', next_at = ?2",
        )?
        .execute((delivery, integer(now.unix_millis())))?;
    let delivered = "SELECT results.ordinal FROM results
      JOIN deliveries ON deliveries.job = results.job AND deliveries.id = ?1
      WHERE results.form = deliveries.form
        AND results.sop_instance IN (SELECT value FROM json_each(?2))";
    let delete = format!(
        "DELETE FROM commitment_items WHERE delivery = ?1 AND ordinal NOT IN ({delivered})"
    );
    let insert = format!(
        "INSERT OR IGNORE INTO commitment_items (delivery, ordinal) SELECT ?1, ordinal FROM ({delivered})"
    );
    for statement in [delete, insert] {
        transaction.prepare_cached(&statement)?.execute((delivery, &names))?;
    }
    // Word of the last ones may have come while they were delivered again.
    if open_references(transaction, delivery)?.is_empty() {
        return end(transaction, delivery, ("committed", None), now);
    }
    Ok(())
}

/// Drops everything about the commitments of a job.
pub(super) fn forget(transaction: &Transaction<'_>, job: JobId) -> Result<(), Halt> {
    for table in ["transactions", "commitment_items", "commitments"] {
        let delete = format!(
            "DELETE FROM {table} WHERE delivery IN (SELECT id FROM deliveries WHERE job = ?1)"
        );
        transaction.execute(&delete, [job.0])?;
    }
    Ok(())
}

fn open_references(
    connection: &Connection,
    delivery: i64,
) -> rusqlite::Result<Vec<InstanceReference>> {
    let mut select = connection.prepare_cached(
        "SELECT sop_class, sop_instance FROM commitment_items
         JOIN deliveries ON deliveries.id = commitment_items.delivery
         JOIN results ON results.job = deliveries.job AND results.ordinal = commitment_items.ordinal
         WHERE commitment_items.delivery = ?1 AND committed = 0 ORDER BY results.ordinal",
    )?;
    let rows = select.query_map([delivery], reference)?;
    rows.collect()
}

/// The reference in a row.
pub(super) fn reference(row: &Row<'_>) -> rusqlite::Result<InstanceReference> {
    Ok(InstanceReference {
        sop_class: rows::parsed(row, "sop_class", SopClassUid::parse)?,
        sop_instance: rows::parsed(row, "sop_instance", SopInstanceUid::parse)?,
    })
}

fn about(transaction: &Transaction<'_>, uid: &TransactionUid) -> Result<Option<About>, Halt> {
    let mut find = transaction.prepare_cached(
        "SELECT commitments.*, job, destination,
           reported_at IS NULL AND asked_at =
             (SELECT max(asked_at) FROM transactions AS others
              WHERE others.delivery = transactions.delivery) AS is_awaited
         FROM transactions
         JOIN commitments ON commitments.delivery = transactions.delivery
         JOIN deliveries ON deliveries.id = transactions.delivery
         WHERE transaction_uid = ?1",
    )?;
    let found = find.query_row([uid.as_str()], |row| {
        Ok(About {
            delivery: row.get("delivery")?,
            job: rows::job_id(row, "job")?,
            destination: row.get("destination")?,
            state: row.get("state")?,
            redelivered: row.get("redelivered")?,
            is_awaited: row.get("is_awaited")?,
        })
    });
    Ok(found.optional()?)
}

/// Successes count whenever they come; failures only in the first report on the last request, because what they say of an
/// earlier one may be true no more.
fn take_report(
    transaction: &Transaction<'_>,
    about: &About,
    report: &CommitmentReport,
    redeliveries_max: u32,
    now: Moment,
) -> Result<ReportOutcome, Halt> {
    transaction
        .prepare_cached(
            "UPDATE transactions SET reported_at = ?2
             WHERE transaction_uid = ?1 AND reported_at IS NULL",
        )?
        .execute((report.transaction.as_str(), integer(now.unix_millis())))?;
    if !["open", "redelivering"].contains(&about.state.as_str()) {
        return Ok(ReportOutcome::Again);
    }
    commit_items(transaction, about.delivery, &report.committed)?;
    let open = open_references(transaction, about.delivery)?;
    if open.is_empty() && about.state == "open" {
        end(transaction, about.delivery, ("committed", None), now)?;
        return Ok(ReportOutcome::Committed);
    }
    if !about.is_awaited || about.state != "open" {
        return Ok(ReportOutcome::Again);
    }
    let failures = failures(&open, report);
    match failures.keys().map(|reason| reason.remedy()).max() {
        None => Ok(ReportOutcome::Incomplete(open.len())),
        Some(remedy) => {
            let words = words(&failures);
            fail(transaction, about, (remedy, words), redeliveries_max, now)
        }
    }
}

fn commit_items(
    transaction: &Transaction<'_>,
    delivery: i64,
    committed: &[InstanceReference],
) -> Result<(), Halt> {
    let mut commit = transaction.prepare_cached(
        "UPDATE commitment_items SET committed = 1 WHERE delivery = ?1 AND ordinal =
           (SELECT ordinal FROM results
            JOIN deliveries ON deliveries.job = results.job AND deliveries.id = ?1
            WHERE results.sop_instance = ?2 AND results.sop_class = ?3
              AND results.form = deliveries.form)",
    )?;
    for InstanceReference { sop_class, sop_instance } in committed {
        commit.execute((delivery, sop_instance.as_str(), sop_class.as_str()))?;
    }
    Ok(())
}

/// How many of the open instances failed, by reason.
fn failures(
    open: &[InstanceReference],
    report: &CommitmentReport,
) -> BTreeMap<FailureReason, usize> {
    let mut failures = BTreeMap::new();
    let is_ours = |reference: &InstanceReference| {
        open.iter().any(|open| open.sop_instance == reference.sop_instance)
    };
    for (_, reason) in report.failed.iter().filter(|(reference, _)| is_ours(reference)) {
        *failures.entry(*reason).or_default() += 1;
    }
    failures
}

fn words(failures: &BTreeMap<FailureReason, usize>) -> String {
    let said =
        |(reason, count): (&FailureReason, &usize)| format!("{reason} for {count} instances");
    failures.iter().map(said).collect::<Vec<_>>().join(", ")
}

fn fail(
    transaction: &Transaction<'_>,
    about: &About,
    (remedy, words): (Remedy, String),
    redeliveries_max: u32,
    now: Moment,
) -> Result<ReportOutcome, Halt> {
    let delivery = about.delivery;
    match remedy {
        Remedy::AskAgain => {
            transaction
                .prepare_cached("UPDATE commitments SET reason = ?2 WHERE delivery = ?1")?
                .execute((delivery, &words))?;
            Ok(ReportOutcome::AskAgain(words))
        }
        Remedy::DeliverAgain if about.redelivered < redeliveries_max => {
            deliver_again(transaction, delivery, &words, now)?;
            Ok(ReportOutcome::DeliverAgain(words))
        }
        Remedy::DeliverAgain | Remedy::Nothing => {
            end(transaction, delivery, ("refused", Some(&words)), now)?;
            Ok(ReportOutcome::Refused(words))
        }
    }
}

fn deliver_again(
    transaction: &Transaction<'_>,
    delivery: i64,
    words: &str,
    now: Moment,
) -> Result<(), Halt> {
    transaction
        .prepare_cached(
            "UPDATE commitments SET state = 'redelivering', redelivered = redelivered + 1, reason = ?2
             WHERE delivery = ?1",
        )?
        .execute((delivery, words))?;
    transaction
        .prepare_cached(
            "UPDATE deliveries SET state = 'waiting', attempts = 0, next_at = ?2, ended_at = NULL
             WHERE id = ?1",
        )?
        .execute((delivery, integer(now.unix_millis())))?;
    Ok(())
}

/// Ends a commitment, if there is one that has not ended. Its job may then be over, too.
pub(super) fn end(
    transaction: &Transaction<'_>,
    delivery: i64,
    (state, reason): (&str, Option<&str>),
    now: Moment,
) -> Result<(), Halt> {
    let mut end = transaction.prepare_cached(
        "UPDATE commitments SET state = :state, reason = :reason, ended_at = :now
         WHERE delivery = :delivery AND state IN ('open', 'redelivering')",
    )?;
    let now_millis = integer(now.unix_millis());
    end.execute(named_params! {
        ":delivery": delivery, ":state": state, ":reason": reason, ":now": now_millis,
    })?;
    Ok(())
}

fn job_of(transaction: &Transaction<'_>, delivery: i64) -> Result<JobId, Halt> {
    let mut find = transaction.prepare_cached("SELECT job FROM deliveries WHERE id = ?1")?;
    let found = find.query_row([delivery], |row| rows::job_id(row, "job")).optional()?;
    found.ok_or_else(|| SpoolError::UnknownDelivery { delivery }.into())
}

//! What peers ask us to commit to: kept until the report on it was taken.

use domain::{
    AeTitle, CommitmentReport, CommitmentRequest, FailureReason, InstanceReference, Moment,
    RequestId, TransactionUid, derive_uid,
};
use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::commitments::reference;
use super::rows::{self, integer};
use super::{Halt, Ledger};
use crate::SpoolError;

/// Ended requests that are remembered, so that a Transaction UID that is used twice is noticed. Beyond it the oldest are
/// forgotten.
const ENDED_MAX: i64 = 10_000;

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// It is recorded, or was already: a report on it is owed.
    Owed(RequestId),
    /// As many requests are open as may be.
    TooMany,
}

/// How much may be open at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenMax {
    /// Requests.
    pub requests: usize,
    /// References in all of them together.
    pub references: usize,
}

/// A report that is owed to a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedReport {
    /// The request.
    pub request: RequestId,
    /// Title of who asked.
    pub calling: AeTitle,
    /// The title that it called.
    pub called: AeTitle,
    /// Reports that were not taken until now.
    pub attempts: u32,
    /// What is to be said.
    pub report: CommitmentReport,
}

/// Who asks, and whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) calling: &'a AeTitle,
    pub(crate) called: &'a AeTitle,
}

impl Ledger {
    /// Records a request of a peer; its report is due at `next_at`, or earlier when the peer lets go of its association. A
    /// request that came before, with the same references from the same peer, is owed its report once more.
    pub(crate) fn request_asked(
        &self,
        asker: Asker<'_>,
        request: &CommitmentRequest,
        open_max: OpenMax,
        (now, next_at): (Moment, Moment),
    ) -> Result<Asked, SpoolError> {
        self.write("record a commitment request", |transaction| {
            let digest = digest(&request.references);
            let is_full = is_full(transaction, request.references.len(), open_max)?;
            let uid = request.transaction.as_str();
            let mut again = transaction.prepare_cached(
                "UPDATE requests SET state = 'open', next_at = :next_at, attempts = 0, ended_at = NULL
                 WHERE transaction_uid = :uid AND calling = :calling AND digest = :digest
                   AND (state = 'open' OR NOT :is_full) RETURNING id",
            )?;
            let key = named_params! {
                ":uid": uid, ":calling": asker.calling.as_str(), ":digest": &digest,
                ":next_at": integer(next_at.unix_millis()), ":is_full": is_full,
            };
            let found = again.query_row(key, |row| row.get(0).map(RequestId)).optional()?;
            let id = match found {
                Some(id) => id,
                None if is_full => return Ok(Asked::TooMany),
                None => insert(transaction, asker, (request, &digest), (now, next_at))?,
            };
            if !has_items(transaction, id)? {
                insert_items(transaction, id, request, is_in_use(transaction, uid, id)?)?;
            }
            forget_oldest(transaction)?;
            Ok(Asked::Owed(id))
        })
    }

    /// The report on a request that is owed to a peer; it is not given to anybody else before `next_at`.
    pub(crate) fn claim_report(
        &self,
        request: RequestId,
        next_at: Moment,
    ) -> Result<Option<CommitmentReport>, SpoolError> {
        self.write("take a commitment report", |transaction| {
            let mut claim = transaction.prepare_cached(
                "UPDATE requests SET next_at = ?2 WHERE id = ?1 AND state = 'open'
                 RETURNING transaction_uid",
            )?;
            let key = (request.0, integer(next_at.unix_millis()));
            let uid = claim
                .query_row(key, |row| rows::parsed(row, "transaction_uid", TransactionUid::parse))
                .optional()?;
            Ok(uid.map(|uid| report(transaction, request, uid)).transpose()?)
        })
    }

    /// Takes the report that has been due longest, if one is; it is not due again before `next_at`.
    pub(crate) fn claim_due_report(
        &self,
        now: Moment,
        next_at: Moment,
    ) -> Result<Option<OwedReport>, SpoolError> {
        self.write("take a commitment report", |transaction| {
            let mut claim = transaction.prepare_cached(
                "UPDATE requests SET next_at = ?2 WHERE id =
                   (SELECT id FROM requests WHERE state = 'open' AND next_at <= ?1
                    ORDER BY next_at, id LIMIT 1)
                 RETURNING *",
            )?;
            let key = (integer(now.unix_millis()), integer(next_at.unix_millis()));
            let owed = claim.query_row(key, |row| {
                let request = RequestId(row.get("id")?);
                let uid = rows::parsed(row, "transaction_uid", TransactionUid::parse)?;
                Ok(OwedReport {
                    request,
                    calling: rows::parsed(row, "calling", AeTitle::parse)?,
                    called: rows::parsed(row, "called", AeTitle::parse)?,
                    attempts: row.get("attempts")?,
                    report: report(transaction, request, uid)?,
                })
            });
            Ok(owed.optional()?)
        })
    }

    /// All reports are due: no association is left that they could go over.
    pub(crate) fn owe_reports_again(&self, now: Moment) -> Result<(), SpoolError> {
        self.write("owe commitment reports again", |transaction| {
            let mut again = transaction.prepare_cached(
                "UPDATE requests SET next_at = ?1 WHERE state = 'open' AND next_at > ?1",
            )?;
            again.execute([integer(now.unix_millis())])?;
            Ok(())
        })
    }

    /// No report is owed to anybody any more; gives how many were.
    pub(crate) fn give_up_reports(&self, reason: &str, now: Moment) -> Result<usize, SpoolError> {
        self.write("give up commitment reports", |transaction| {
            let mut give_up = transaction.prepare_cached(
                "UPDATE requests SET state = 'given-up', reason = ?1, ended_at = ?2
                 WHERE state = 'open' RETURNING id",
            )?;
            let given_up = give_up
                .query_map((reason, integer(now.unix_millis())), |row| row.get(0).map(RequestId))?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            given_up.iter().try_for_each(|request| drop_items(transaction, *request))?;
            Ok(given_up.len())
        })
    }

    /// When the next report is due.
    pub(crate) fn next_report_at(&self) -> Result<Option<Moment>, SpoolError> {
        self.read("look for the next commitment report", |connection| {
            let mut next = connection.prepare_cached(
                "SELECT next_at FROM requests WHERE state = 'open' ORDER BY next_at LIMIT 1",
            )?;
            next.query_row([], |row| rows::moment(row, "next_at")).optional()
        })
    }

    /// A report is due at `at`; nothing was tried.
    pub(crate) fn report_due(&self, request: RequestId, at: Moment) -> Result<(), SpoolError> {
        self.write("put off a commitment report", |transaction| {
            let mut put_off = transaction.prepare_cached(
                "UPDATE requests SET next_at = ?2 WHERE id = ?1 AND state = 'open'",
            )?;
            put_off.execute((request.0, integer(at.unix_millis())))?;
            Ok(())
        })
    }

    /// The peer took its report.
    pub(crate) fn report_taken(
        &self,
        request: RequestId,
        report: &CommitmentReport,
        now: Moment,
    ) -> Result<(), SpoolError> {
        self.write("record a commitment report", |transaction| {
            let mut taken = transaction.prepare_cached(
                "UPDATE requests SET state = 'reported', reason = NULL, ended_at = :now,
                   committed = :committed, failed = :failed
                 WHERE id = :id AND state = 'open'",
            )?;
            taken.execute(named_params! {
                ":id": request.0, ":now": integer(now.unix_millis()),
                ":committed": integer_of(report.committed.len()),
                ":failed": integer_of(report.failed.len()),
            })?;
            drop_items(transaction, request)
        })
    }

    /// The peer did not take its report: it is tried again at `next_at`, or, with `None`, given up.
    pub(crate) fn report_failed(
        &self,
        request: RequestId,
        reason: &str,
        next_at: Option<Moment>,
        now: Moment,
    ) -> Result<(), SpoolError> {
        self.write("record a commitment report", |transaction| {
            let now = integer(now.unix_millis());
            let (state, next, ended) = match next_at {
                Some(at) => ("open", integer(at.unix_millis()), None),
                None => ("given-up", now, Some(now)),
            };
            let mut failed = transaction.prepare_cached(
                "UPDATE requests SET state = :state, attempts = attempts + 1, next_at = :next,
                   reason = :reason, ended_at = :ended
                 WHERE id = :id AND state = 'open'",
            )?;
            failed.execute(named_params! {
                ":id": request.0, ":state": state, ":next": next, ":reason": reason, ":ended": ended,
            })?;
            if ended.is_some() { drop_items(transaction, request) } else { Ok(()) }
        })
    }
}

fn integer_of(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A text that is another for another list of references.
fn digest(references: &[InstanceReference]) -> String {
    let pair = |reference: &InstanceReference| {
        [reference.sop_class.to_string(), reference.sop_instance.to_string()]
    };
    let parts: Vec<String> = references.iter().flat_map(pair).collect();
    derive_uid(&parts.iter().map(String::as_str).collect::<Vec<_>>())
}

fn is_full(connection: &Connection, more: usize, open_max: OpenMax) -> rusqlite::Result<bool> {
    let query = "SELECT count(*), coalesce(sum(instances), 0) FROM requests WHERE state = 'open'";
    let mut count = connection.prepare_cached(query)?;
    let (requests, references): (i64, i64) =
        count.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(requests >= integer_of(open_max.requests)
        || references.saturating_add(integer_of(more)) > integer_of(open_max.references))
}

fn insert(
    transaction: &Transaction<'_>,
    asker: Asker<'_>,
    (request, digest): (&CommitmentRequest, &str),
    (now, next_at): (Moment, Moment),
) -> Result<RequestId, Halt> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO requests (transaction_uid, calling, called, digest, instances, state, received_at,
           next_at)
         VALUES (:uid, :calling, :called, :digest, :instances, 'open', :now, :next_at)",
    )?;
    insert.execute(named_params! {
        ":uid": request.transaction.as_str(),
        ":calling": asker.calling.as_str(),
        ":called": asker.called.as_str(),
        ":digest": digest,
        ":instances": integer_of(request.references.len()),
        ":now": integer(now.unix_millis()),
        ":next_at": integer(next_at.unix_millis()),
    })?;
    Ok(RequestId(transaction.last_insert_rowid()))
}

/// Whether it is written down what a request is about: it is while it is open.
fn has_items(transaction: &Transaction<'_>, request: RequestId) -> rusqlite::Result<bool> {
    transaction
        .prepare_cached("SELECT 1 FROM request_items WHERE request = ?1 LIMIT 1")?
        .exists([request.0])
}

/// Whether an earlier request used this Transaction UID for something else.
fn is_in_use(
    transaction: &Transaction<'_>,
    uid: &str,
    request: RequestId,
) -> rusqlite::Result<bool> {
    transaction
        .prepare_cached("SELECT 1 FROM requests WHERE transaction_uid = ?1 AND id < ?2")?
        .exists((uid, request.0))
}

fn insert_items(
    transaction: &Transaction<'_>,
    request: RequestId,
    asked: &CommitmentRequest,
    is_in_use: bool,
) -> Result<(), Halt> {
    let reason = is_in_use.then_some(FailureReason::DUPLICATE_TRANSACTION_UID.0);
    let mut insert = transaction.prepare_cached(
        "INSERT INTO request_items (request, ordinal, sop_class, sop_instance, reason)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (ordinal, item) in (0_i64..).zip(&asked.references) {
        let (class, instance) = (item.sop_class.as_str(), item.sop_instance.as_str());
        insert.execute((request.0, ordinal, class, instance, reason))?;
    }
    Ok(())
}

fn drop_items(transaction: &Transaction<'_>, request: RequestId) -> Result<(), Halt> {
    // What is open again has items that are still needed.
    transaction
        .prepare_cached(
            "DELETE FROM request_items WHERE request =
               (SELECT id FROM requests WHERE id = ?1 AND state <> 'open')",
        )?
        .execute([request.0])?;
    Ok(())
}

fn forget_oldest(transaction: &Transaction<'_>) -> Result<(), Halt> {
    transaction
        .prepare_cached(
            "DELETE FROM requests WHERE state <> 'open'
               AND id <= (SELECT max(id) FROM requests) - ?1",
        )?
        .execute([ENDED_MAX])?;
    Ok(())
}

/// Forgets requests that ended before `before`.
pub(super) fn forget_ended(transaction: &Transaction<'_>, before: Moment) -> Result<(), Halt> {
    transaction
        .prepare_cached("DELETE FROM requests WHERE ended_at < ?1")?
        .execute([integer(before.unix_millis())])?;
    Ok(())
}

/// What is in the spool now, and what is not.
fn report(
    connection: &Connection,
    request: RequestId,
    transaction: TransactionUid,
) -> rusqlite::Result<CommitmentReport> {
    let mut select = connection.prepare_cached(
        "SELECT sop_class, sop_instance, reason,
           EXISTS (SELECT 1 FROM instances WHERE instances.sop_instance = request_items.sop_instance
             AND instances.sop_class = request_items.sop_class) AS is_there,
           EXISTS (SELECT 1 FROM instances
             WHERE instances.sop_instance = request_items.sop_instance) AS is_other
         FROM request_items WHERE request = ?1 ORDER BY ordinal",
    )?;
    let mut found = select.query([request.0])?;
    let mut report = CommitmentReport { transaction, committed: vec![], failed: vec![] };
    while let Some(row) = found.next()? {
        let reference = reference(row)?;
        let known: Option<u16> = row.get("reason")?;
        let (is_there, is_other): (bool, bool) = (row.get("is_there")?, row.get("is_other")?);
        match known.map(FailureReason) {
            Some(reason) => report.failed.push((reference, reason)),
            None if is_there => report.committed.push(reference),
            None if is_other => {
                report.failed.push((reference, FailureReason::CLASS_INSTANCE_CONFLICT));
            }
            None => report.failed.push((reference, FailureReason::NO_SUCH_OBJECT_INSTANCE)),
        }
    }
    Ok(report)
}

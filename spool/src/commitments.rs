//! Storage commitment in the ledger, both ways. Each method is one transaction, durable when it returns.

use domain::{
    AeTitle, CommitmentReport, CommitmentRequest, Durability, Moment, RequestId, SopInstanceUid,
    TransactionUid,
};

use crate::ledger::{Asked, Asker, DueCommitment, OpenMax, OwedReport, Reported};
use crate::{Spool, SpoolError};

/// What we ask of destinations.
impl Spool {
    /// A destination has all results of one form, and is to commit to `instances` of them: the job ends when it has.
    ///
    /// # Errors
    /// [`SpoolError::UnknownDelivery`]; [`SpoolError::Ledger`] or [`SpoolError::DiskFull`].
    pub fn delivery_to_commit(
        &self,
        delivery: i64,
        form: &str,
        instances: &[SopInstanceUid],
        now: Moment,
    ) -> Result<(), SpoolError> {
        self.ledger.delivery_to_commit(delivery, form, instances, now)
    }

    /// What destinations that are not `busy` are to be asked now, of each the few that wait longest.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`].
    pub fn due_commitments(
        &self,
        now: Moment,
        busy: &[&str],
    ) -> Result<Vec<DueCommitment>, SpoolError> {
        self.ledger.due_commitments(now, busy)
    }

    /// When the next destination that is not `busy` is to be asked.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`].
    pub fn next_commitment_at(&self, busy: &[&str]) -> Result<Option<Moment>, SpoolError> {
        self.ledger.next_commitment_at(busy)
    }

    /// Begins a request for what is not yet committed to of a delivery, under a Transaction UID of its own; `None` when the
    /// commitment has ended meanwhile. Without a report it is due again at `next_at`.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`] or [`SpoolError::DiskFull`].
    pub fn ask_commitment(
        &self,
        delivery: i64,
        now: Moment,
        next_at: Moment,
    ) -> Result<Option<CommitmentRequest>, SpoolError> {
        self.ledger.ask_commitment(delivery, now, next_at)
    }

    /// Name of the destination that was asked under a Transaction UID.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`].
    pub fn transaction_destination(
        &self,
        transaction: &TransactionUid,
    ) -> Result<Option<String>, SpoolError> {
        self.ledger.transaction_destination(transaction)
    }

    /// Takes a report: what it commits to is committed to; failures lead to another request, to another delivery (at most
    /// `redeliveries_max`), or end the commitment. `None`: nothing was asked under its Transaction UID.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`] or [`SpoolError::DiskFull`].
    pub fn commitment_reported(
        &self,
        report: &CommitmentReport,
        redeliveries_max: u32,
        now: Moment,
    ) -> Result<Option<Reported>, SpoolError> {
        self.ledger.commitment_reported(report, redeliveries_max, now)
    }

    /// A request did not come through; it is due again when [`Spool::ask_commitment`] was told.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`] or [`SpoolError::DiskFull`].
    pub fn commitment_failed(&self, delivery: i64, reason: &str) -> Result<(), SpoolError> {
        self.ledger.commitment_failed(delivery, reason)
    }

    /// Nobody waits any more for a destination to commit. With a reason the job ends in quarantine as `uncommitted`; with
    /// `None`, because nobody wants the commitment any more, it does not.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`] or [`SpoolError::DiskFull`].
    pub fn commitment_ended(
        &self,
        delivery: i64,
        reason: Option<&str>,
        now: Moment,
    ) -> Result<(), SpoolError> {
        self.ledger.commitment_ended(delivery, reason, now)
    }
}

/// What peers ask of us.
impl Spool {
    /// Records a request of the peer `calling`, which called us `called`; no more than `open_max` are open at a time. Its report is
    /// due at `next_at`. The same request once more is owed one more report; another one under a Transaction UID that was
    /// used is owed a report that says so.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`] or [`SpoolError::DiskFull`].
    pub fn request_asked(
        &self,
        (calling, called): (&AeTitle, &AeTitle),
        request: &CommitmentRequest,
        open_max: OpenMax,
        (now, next_at): (Moment, Moment),
    ) -> Result<Asked, SpoolError> {
        let asker = Asker { calling, called };
        self.ledger.request_asked(asker, request, open_max, (now, next_at))
    }

    /// The report on a request as the spool is now: committed to is what is in the ledger. `None` when none is owed. Nobody
    /// else gets it before `next_at`.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`] or [`SpoolError::DiskFull`].
    pub fn claim_report(
        &self,
        request: RequestId,
        next_at: Moment,
    ) -> Result<Option<CommitmentReport>, SpoolError> {
        self.committer.record_late()?;
        let report = self.ledger.claim_report(request, next_at)?;
        if report.is_some() {
            self.keep_what_is_said()?;
        }
        Ok(report)
    }

    /// The report that is due longest, if one is. It is not due again before `next_at`.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`] or [`SpoolError::DiskFull`].
    pub fn claim_due_report(
        &self,
        now: Moment,
        next_at: Moment,
    ) -> Result<Option<OwedReport>, SpoolError> {
        self.committer.record_late()?;
        let owed = self.ledger.claim_due_report(now, next_at)?;
        if owed.is_some() {
            self.keep_what_is_said()?;
        }
        Ok(owed)
    }

    /// Who is told that something is committed to may remove it, so it has to be on stable storage, whatever was promised
    /// when it came.
    fn keep_what_is_said(&self) -> Result<(), SpoolError> {
        match self.committer.durability {
            Durability::Cache => self.folder.sync_everything(),
            Durability::Disk => Ok(()),
        }
    }

    /// Gives up every report that is owed, because peers are not answered any more; gives how many.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`] or [`SpoolError::DiskFull`].
    pub fn give_up_reports(&self, reason: &str, now: Moment) -> Result<usize, SpoolError> {
        self.ledger.give_up_reports(reason, now)
    }

    /// When the next report is due.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`].
    pub fn next_report_at(&self) -> Result<Option<Moment>, SpoolError> {
        self.ledger.next_report_at()
    }

    /// A report is due at `at`, whatever was said before.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`] or [`SpoolError::DiskFull`].
    pub fn report_due(&self, request: RequestId, at: Moment) -> Result<(), SpoolError> {
        self.ledger.report_due(request, at)
    }

    /// The peer took its report.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`] or [`SpoolError::DiskFull`].
    pub fn report_taken(
        &self,
        request: RequestId,
        report: &CommitmentReport,
        now: Moment,
    ) -> Result<(), SpoolError> {
        self.ledger.report_taken(request, report, now)
    }

    /// The peer did not take its report: it is tried again at `next_at`, or, with `None`, given up.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`] or [`SpoolError::DiskFull`].
    pub fn report_failed(
        &self,
        request: RequestId,
        reason: &str,
        next_at: Option<Moment>,
        now: Moment,
    ) -> Result<(), SpoolError> {
        self.ledger.report_failed(request, reason, next_at, now)
    }
}

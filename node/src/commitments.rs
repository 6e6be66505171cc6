//! Storage commitment between the network and the ledger: what peers ask, what those report whom we asked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use config::CommitmentWish;
use domain::{
    AeTitle, CommitmentRefusal, CommitmentReport, CommitmentRequest, CommitmentRoles, Commitments,
    InstanceOrigin, Limits, RequestId,
};
use spool::{Asked, OpenMax, ReportOutcome, Reported, Spool, SpoolError};
use tokio::sync::Notify;

use crate::clock;

/// For this long a report is the association's over which it was asked. It says when it has let go of it, and a start finds
/// what nobody has any more; so this is for what was never owed, because the peer was gone before its answer.
const HELD_FOR: Duration = Duration::from_secs(3600);

/// The node's side of storage commitment.
#[derive(Debug)]
pub(crate) struct LedgerCommitments {
    /// Requests and what came of them.
    pub(crate) spool: Arc<Spool>,
    /// Who is to commit to results, by name of the destination.
    pub(crate) wanted: Arc<BTreeMap<String, CommitmentWish>>,
    /// Whether peers may ask us.
    pub(crate) is_answered: bool,
    /// Bounds on requests.
    pub(crate) limits: Limits,
    /// Told when results are to be delivered again.
    pub(crate) deliveries: Arc<Notify>,
    /// Told when a report is due.
    pub(crate) reports: Arc<Notify>,
}

impl Commitments for LedgerCommitments {
    fn roles(&self) -> CommitmentRoles {
        CommitmentRoles { may_ask: self.is_answered, may_report: !self.wanted.is_empty() }
    }

    fn ask(
        &self,
        origin: &InstanceOrigin,
        request: &CommitmentRequest,
    ) -> Result<RequestId, CommitmentRefusal> {
        let now = clock::now();
        let times = (now, now.plus(HELD_FOR));
        let open_max = OpenMax {
            requests: self.limits.commitment_requests_max,
            references: self.limits.commitment_open_references_max,
        };
        let titles = (&origin.calling, &origin.called);
        let asked = self.spool.request_asked(titles, request, open_max, times);
        match asked.map_err(|error| refusal(&error))? {
            Asked::Owed(id) => {
                let (calling, count) = (&origin.calling, request.references.len());
                tracing::info!(%calling, transaction = %request.transaction, count, "commitment asked of us");
                Ok(id)
            }
            Asked::TooMany => {
                Err(CommitmentRefusal::ResourceLimitation("too many requests are open".into()))
            }
        }
    }

    fn report(&self, request: RequestId) -> Option<CommitmentReport> {
        let until = clock::now().plus(HELD_FOR);
        self.spool.claim_report(request, until).unwrap_or_else(|error| {
            tracing::error!(%error, "a commitment report cannot be made");
            None
        })
    }

    fn told(&self, request: RequestId, report: &CommitmentReport) {
        log_told(report, "over the same association");
        note(self.spool.report_taken(request, report, clock::now()));
    }

    fn left(&self, request: RequestId) {
        note(self.spool.report_due(request, clock::now()));
        self.reports.notify_one();
    }

    fn reported(
        &self,
        origin: &InstanceOrigin,
        report: &CommitmentReport,
    ) -> Result<(), CommitmentRefusal> {
        self.take(&origin.calling, report)
    }
}

impl LedgerCommitments {
    /// Takes a report of the peer `from`, whatever it came over.
    pub(crate) fn take(
        &self,
        from: &AeTitle,
        report: &CommitmentReport,
    ) -> Result<(), CommitmentRefusal> {
        let asked = self.spool.transaction_destination(&report.transaction);
        let asked = asked.map_err(|error| refusal(&error))?;
        let wish = asked.and_then(|destination| self.wanted.get(&destination));
        let wish = wish.ok_or(CommitmentRefusal::UnknownTransaction)?;
        if !wish.from.contains(from) {
            return Err(CommitmentRefusal::NotAsked(from.to_string()));
        }
        let redeliveries_max = self.limits.commitment_redeliveries_max;
        let reported = self.spool.commitment_reported(report, redeliveries_max, clock::now());
        let reported = reported.map_err(|error| refusal(&error))?;
        log_reported(&reported.ok_or(CommitmentRefusal::UnknownTransaction)?);
        self.deliveries.notify_one();
        Ok(())
    }
}

fn refusal(error: &SpoolError) -> CommitmentRefusal {
    tracing::error!(%error, "storage commitment cannot be recorded");
    CommitmentRefusal::ProcessingFailure(error.to_string())
}

fn note(recorded: Result<(), SpoolError>) {
    if let Err(error) = recorded {
        tracing::error!(%error, "a commitment report cannot be recorded; it is given again");
    }
}

/// One line for a report that a peer took.
pub(crate) fn log_told(report: &CommitmentReport, way: &str) {
    let (committed, failed) = (report.committed.len(), report.failed.len());
    tracing::info!(transaction = %report.transaction, committed, failed, way, "commitment reported");
}

fn log_reported(reported: &Reported) {
    let Reported { job, destination, outcome } = reported;
    let job = job.0;
    match outcome {
        ReportOutcome::Committed => tracing::info!(job, destination, "committed"),
        ReportOutcome::Incomplete(open) => {
            tracing::warn!(job, destination, open, "the report says nothing of some, asked again");
        }
        ReportOutcome::AskAgain(reason) => {
            tracing::warn!(job, destination, reason, "not committed yet, asked again");
        }
        ReportOutcome::DeliverAgain(reason) => {
            tracing::warn!(job, destination, reason, "not committed, delivered again");
        }
        ReportOutcome::Refused(reason) => {
            tracing::error!(job, destination, reason, "not committed");
        }
        ReportOutcome::Again => {
            tracing::info!(job, destination, "a commitment report that changes nothing");
        }
    }
}

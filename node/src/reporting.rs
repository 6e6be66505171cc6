//! Reports to peers that asked us for storage commitment and have let go of their association.

use std::sync::Arc;
use std::time::Duration;

use domain::{Backoff, Destination};
use scu::{Route, ScuError, Security, Timeouts};
use spool::{OwedReport, Spool, SpoolError};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::blocking::blocking;
use crate::clock;
use crate::commitments::log_told;

/// How often the task looks by itself.
const NAP: Duration = Duration::from_secs(5);
/// Reports at a time.
const REPORTS_MAX: usize = 4;
/// A report that was begun and whose outcome nobody recorded, because the node died, is due again after this.
const BEGUN_FOR: Duration = Duration::from_secs(600);

/// What the task works with.
#[derive(Debug, Clone)]
pub(crate) struct Reporting {
    /// Reports come from it.
    pub(crate) spool: Arc<Spool>,
    /// Who can be reported to, by called AE title, and how it is reached; of several the first.
    pub(crate) peers: Arc<Vec<(Destination, Option<Security>)>>,
    /// When to try again.
    pub(crate) backoff: Backoff,
    /// How long a peer may take.
    pub(crate) timeouts: Timeouts,
    /// Told when a report is due.
    pub(crate) wake: Arc<Notify>,
}

impl Reporting {
    /// Runs until `stop` is set; reports in hand are ended first.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut reports: JoinSet<()> = JoinSet::new();
        loop {
            while reports.len() < REPORTS_MAX {
                let this = self.clone();
                let Some(owed) = blocking(move || this.next()).await else { break };
                reports.spawn(self.clone().attend(owed));
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                Some(ended) = reports.join_next() => if let Err(error) = ended {
                    tracing::error!(%error, "a commitment report failed by a bug");
                },
                () = self.wake.notified() => {}
                () = tokio::time::sleep(self.nap()) => {}
            }
        }
        while reports.join_next().await.is_some() {}
    }

    fn nap(&self) -> Duration {
        let next = self.spool.next_report_at().ok().flatten();
        next.map_or(NAP, |at| at.since(clock::now()).clamp(Duration::from_millis(50), NAP))
    }

    fn next(&self) -> Option<OwedReport> {
        let now = clock::now();
        self.spool.claim_due_report(now, now.plus(BEGUN_FOR)).unwrap_or_else(|error| {
            tracing::error!(%error, "commitment reports cannot be read from the ledger");
            None
        })
    }

    async fn attend(self, owed: OwedReport) {
        let told = match self.peer(&owed) {
            Some((to, security)) => {
                let route = Route { to: &to, security };
                Some(scu::report_commitment(route, &owed.report, &self.timeouts).await)
            }
            None => None,
        };
        blocking(move || {
            if let Err(error) = self.record(&owed, told) {
                tracing::error!(request = owed.request.0, %error, "a commitment report cannot be recorded");
            }
        })
        .await;
    }

    /// Where the peer is, called under the title that it called us.
    fn peer(&self, owed: &OwedReport) -> Option<(Destination, Option<&Security>)> {
        let (to, security) = self.peers.iter().find(|(to, _)| to.called == owed.calling)?;
        let to = Destination { calling: owed.called.clone(), ..to.clone() };
        Some((to, security.as_ref()))
    }

    /// What the peer said; `None` when nobody knows where it is.
    fn record(
        &self,
        owed: &OwedReport,
        told: Option<Result<(), ScuError>>,
    ) -> Result<(), SpoolError> {
        match told {
            None => {
                let reason = format!("no address is configured for {}", owed.calling);
                self.failed(owed, &reason, None)
            }
            Some(Ok(())) => {
                log_told(&owed.report, "over an association of its own");
                self.spool.report_taken(owed.request, &owed.report, clock::now())
            }
            Some(Err(error)) => {
                let pause = self.backoff.pause_after(owed.attempts + 1);
                self.failed(owed, &error.to_string(), pause)
            }
        }
    }

    fn failed(
        &self,
        owed: &OwedReport,
        reason: &str,
        pause: Option<Duration>,
    ) -> Result<(), SpoolError> {
        let (calling, transaction) = (&owed.calling, &owed.report.transaction);
        let now = clock::now();
        match pause {
            Some(_) => {
                tracing::warn!(%calling, %transaction, reason, "commitment not reported yet")
            }
            None => tracing::error!(%calling, %transaction, reason, "commitment report given up"),
        }
        let next_at = pause.map(|pause| now.plus(pause));
        self.spool.report_failed(owed.request, reason, next_at, now)
    }
}

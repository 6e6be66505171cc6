//! Asking destinations to commit to what they have got, until they have or will not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{Backoff, CommitmentReport, CommitmentRequest};
use scu::{Requested, Route, ScuError, Security, Timeouts};
use spool::{DueCommitment, SpoolError};
use tokio::sync::{Notify, watch};

use crate::blocking::blocking;
use crate::clock;
use crate::commitments::LedgerCommitments;
use crate::in_hand::InHand;

/// How often the task looks by itself, and its pause after what cannot be recorded.
const NAP: Duration = Duration::from_secs(5);

/// What the task works with.
#[derive(Debug, Clone)]
pub(crate) struct Committing {
    /// The ledger, and whom to ask.
    pub(crate) commitments: Arc<LedgerCommitments>,
    /// How those are reached whom we ask, by name of the destination; those that are not in it are reached plainly.
    pub(crate) security: Arc<BTreeMap<String, Security>>,
    /// When to ask again.
    pub(crate) ask_again: Backoff,
    /// How long an association is kept for the report.
    pub(crate) wait: Duration,
    /// How long a peer may take.
    pub(crate) timeouts: Timeouts,
    /// Told when results were delivered.
    pub(crate) wake: Arc<Notify>,
}

/// What came of one request.
enum Outcome {
    /// A report is to come, or has come.
    Asked,
    /// Asked again when it was said.
    Later(String),
    /// The destination will not commit.
    Refused(String),
}

impl Committing {
    /// Runs until `stop` is set; requests in hand are ended first. One association a destination at a time.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut in_hand = InHand::new("commitment request", NAP);
        loop {
            self.begin_due(&mut in_hand);
            let nap = self.nap(&in_hand);
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = in_hand.changed() => {}
                () = self.wake.notified() => {}
                () = tokio::time::sleep(nap) => {}
            }
        }
        in_hand.end().await;
    }

    /// Who has something in hand is looked at when that is over.
    fn nap(&self, in_hand: &InHand) -> Duration {
        let next =
            self.commitments.spool.next_commitment_at(&in_hand.destinations()).ok().flatten();
        next.map_or(NAP, |at| at.since(clock::now()).clamp(Duration::from_millis(50), NAP))
    }

    fn begin_due(&self, in_hand: &mut InHand) {
        let busy = in_hand.destinations();
        let due =
            self.commitments.spool.due_commitments(clock::now(), &busy).unwrap_or_else(|error| {
                tracing::error!(%error, "commitments cannot be read from the ledger");
                Vec::new()
            });
        for due in due {
            let (this, destination) = (self.clone(), due.destination.clone());
            in_hand.begin(&destination, this.attend(due));
        }
    }

    async fn attend(self, due: DueCommitment) -> Result<(), SpoolError> {
        let (this, about) = (self.clone(), due.clone());
        let Some(request) = blocking(move || this.begin(&about)).await? else { return Ok(()) };
        let Some(wish) = self.commitments.wanted.get(&due.destination) else { return Ok(()) };
        let route = Route { to: &wish.to, security: self.security.get(&due.destination) };
        let outcome = self.ask(route, &request).await;
        blocking(move || self.record(&due, &request, outcome)).await
    }

    /// The request that is to be made; `None` when there is none any more.
    fn begin(&self, due: &DueCommitment) -> Result<Option<CommitmentRequest>, SpoolError> {
        let (job, destination, asked) = (due.job.0, &due.destination, due.asked);
        let (spool, now) = (&self.commitments.spool, clock::now());
        if !self.commitments.wanted.contains_key(destination) {
            tracing::warn!(job, destination, "no commitment is wanted any more");
            return spool.commitment_ended(due.delivery, None, now).map(|()| None);
        }
        if asked >= self.ask_again.attempts_max {
            let reason = format!("asked {asked} times for storage commitment, no report");
            tracing::error!(job, destination, reason, "not committed");
            return spool.commitment_ended(due.delivery, Some(&reason), now).map(|()| None);
        }
        spool.ask_commitment(due.delivery, now, now.plus(self.pause(asked + 1)))
    }

    /// The pause after so many requests; the last one has its time, too.
    fn pause(&self, asked: u32) -> Duration {
        let endless = Backoff { attempts_max: u32::MAX, ..self.ask_again };
        endless.pause_after(asked).unwrap_or(self.ask_again.longest)
    }

    async fn ask(&self, route: Route<'_>, request: &CommitmentRequest) -> Outcome {
        let called = &route.to.called;
        let mut take = |report: &CommitmentReport| self.commitments.take(called, report);
        let times = (self.wait, &self.timeouts);
        let limits = &self.commitments.limits;
        judge(scu::request_commitment(route, request, times, limits, &mut take).await)
    }

    fn record(
        &self,
        due: &DueCommitment,
        request: &CommitmentRequest,
        outcome: Outcome,
    ) -> Result<(), SpoolError> {
        let (job, destination, transaction) = (due.job.0, &due.destination, &request.transaction);
        let spool = &self.commitments.spool;
        match outcome {
            Outcome::Asked => {
                let count = request.references.len();
                tracing::info!(job, destination, %transaction, count, "commitment asked");
                Ok(())
            }
            Outcome::Later(reason) => {
                tracing::warn!(job, destination, %transaction, reason, "commitment not asked yet");
                spool.commitment_failed(due.delivery, &reason)
            }
            Outcome::Refused(reason) => {
                tracing::error!(job, destination, %transaction, reason, "not committed");
                spool.commitment_ended(due.delivery, Some(&reason), clock::now())
            }
        }
    }
}

/// Connection failures, processing failures and resource limitation pass; other refusals stay.
fn judge(requested: Result<Requested, ScuError>) -> Outcome {
    match requested {
        Ok(Requested::Taken) => Outcome::Asked,
        Ok(Requested::Refused { status, comment }) => {
            let text = format!("request answered with status {status:04X} {comment}");
            let passes = [0x0110, 0x0213].contains(&status) || status & 0xFF00 == 0xA700;
            if passes { Outcome::Later(text) } else { Outcome::Refused(text) }
        }
        Err(error @ ScuError::CommitmentNotAccepted) => Outcome::Refused(error.to_string()),
        Err(error) => Outcome::Later(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_that_pass_and_statuses_that_stay() {
        let table = [
            (0x0110, true),
            (0x0213, true),
            (0xA700, true),
            (0x0112, false),
            (0x0118, false),
            (0x0122, false),
            (0x0123, false),
            (0x0124, false),
            (0x0211, false),
        ];
        for (status, passes) in table {
            let outcome = judge(Ok(Requested::Refused { status, comment: "why".into() }));
            assert_eq!(matches!(outcome, Outcome::Later(_)), passes, "{status:04X}");
            assert_eq!(matches!(outcome, Outcome::Refused(_)), !passes, "{status:04X}");
        }
        assert!(matches!(judge(Ok(Requested::Taken)), Outcome::Asked));
        assert!(matches!(judge(Err(ScuError::CommitmentNotAccepted)), Outcome::Refused(_)));
    }
}

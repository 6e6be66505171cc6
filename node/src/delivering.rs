//! Verb 9 as a task: deliveries that are due, each over one association, tried again until they are through.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use config::CommitmentWish;
use domain::{Backoff, Destination, SopInstanceUid, Wishes};
use scu::{Chosen, Outcome, Route, ScuError, Security, Timeouts};
use spool::{Delivery, Spool, SpoolError};
use tokio::sync::{Notify, watch};

use crate::blocking::blocking;
use crate::choices::Choices;
use crate::clock;
use crate::in_hand::InHand;
use crate::pipeline;

/// How often the task looks by itself, and its pause after what cannot be recorded.
const NAP: Duration = Duration::from_secs(5);

/// Why nothing is never delivered: nobody would have it, and the job would be done.
const NOTHING: &str = "none of the forms that it may get was written";

/// What the task works with.
#[derive(Debug, Clone)]
pub(crate) struct Delivering {
    /// Deliveries come from it.
    pub(crate) spool: Arc<Spool>,
    /// Destinations by name.
    pub(crate) destinations: Arc<BTreeMap<String, Destination>>,
    /// How destinations are reached, by name; those that are not in it are reached plainly.
    pub(crate) security: Arc<BTreeMap<String, Security>>,
    /// What destinations want of results, by name.
    pub(crate) wishes: Arc<BTreeMap<String, Wishes>>,
    /// When to try again.
    pub(crate) backoff: Backoff,
    /// How long a peer may take.
    pub(crate) timeouts: Timeouts,
    /// Told when there are results to send.
    pub(crate) wake: Arc<Notify>,
    /// Who is to commit to what it got, by name of the destination.
    pub(crate) to_commit: Arc<BTreeMap<String, CommitmentWish>>,
    /// Told when somebody is to be asked to commit.
    pub(crate) commitments: Arc<Notify>,
}

/// What came of one try.
enum Tried {
    /// In this form; these instances.
    Done(String, Vec<SopInstanceUid>),
    /// The destination may take it later.
    Later(String),
    /// The destination will not take it.
    Refused(String),
}

impl Delivering {
    /// Runs until `stop` is set; tries in hand are ended first. One association a destination at a time.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut in_hand = InHand::new("delivery", NAP);
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
        let next = self.spool.next_delivery_at(&in_hand.destinations()).ok().flatten();
        next.map_or(NAP, |at| at.since(clock::now()).clamp(Duration::from_millis(50), NAP))
    }

    fn begin_due(&self, in_hand: &mut InHand) {
        let busy = in_hand.destinations();
        let due = self.spool.due_deliveries(clock::now(), &busy).unwrap_or_else(|error| {
            tracing::error!(%error, "deliveries cannot be read from the ledger");
            Vec::new()
        });
        for delivery in due {
            let (this, to) = (self.clone(), delivery.destination.clone());
            in_hand.begin(&to, this.deliver(delivery));
        }
    }

    async fn deliver(self, delivery: Delivery) -> Result<(), SpoolError> {
        let tried = self.attempt(&delivery).await;
        let (job, to) = (delivery.job.0, &delivery.destination);
        match &tried {
            Tried::Done(form, _) => tracing::info!(job, destination = to, form, "delivered"),
            Tried::Later(reason) => {
                tracing::warn!(job, destination = to, reason, "not delivered yet")
            }
            Tried::Refused(reason) => tracing::error!(job, destination = to, reason, "refused"),
        }
        blocking(move || self.record(&delivery, tried)).await
    }

    async fn attempt(&self, delivery: &Delivery) -> Tried {
        let Some(to) = self.destinations.get(&delivery.destination) else {
            return Tried::Refused("the configuration has no such destination any more".into());
        };
        let wishes = self.wishes.get(&delivery.destination).cloned().unwrap_or_default();
        let choices = Choices::of(&wishes, &delivery.results);
        if choices.is_empty() {
            return Tried::Refused(NOTHING.into());
        }
        let route = Route { to, security: self.security.get(&delivery.destination) };
        let chosen = pipeline::deliver(route, &choices.sets, &self.timeouts).await;
        judge(chosen, &choices)
    }

    fn is_to_commit(&self, delivery: &Delivery) -> bool {
        self.to_commit.contains_key(&delivery.destination)
    }

    fn record(&self, delivery: &Delivery, tried: Tried) -> Result<(), SpoolError> {
        let now = clock::now();
        match tried {
            Tried::Done(form, instances) if self.is_to_commit(delivery) => {
                self.spool.delivery_to_commit(delivery.id, &form, &instances, now)?;
                self.commitments.notify_one();
                Ok(())
            }
            Tried::Done(form, _) => self.spool.delivery_done(delivery.id, &form, now),
            Tried::Refused(reason) => self.spool.delivery_failed(delivery.id, &reason, None, now),
            Tried::Later(reason) => {
                let pause = self.backoff.pause_after(delivery.attempts + 1);
                let next = pause.map(|pause| now.plus(pause));
                self.spool.delivery_failed(delivery.id, &reason, next, now)
            }
        }
    }
}

/// Connection failures and statuses that pass are tried again; other refusals stay.
fn judge(chosen: Result<Chosen, ScuError>, choices: &Choices) -> Tried {
    let chosen = match chosen {
        Ok(chosen) => chosen,
        Err(error) => return Tried::Later(error.to_string()),
    };
    if chosen.outcomes.is_empty() {
        return Tried::Refused(NOTHING.into());
    }
    let mut later = None;
    for outcome in chosen.outcomes {
        match outcome {
            Outcome::Stored => {}
            // Kept, though perhaps not as it was sent (PS3.4 Table B.2-1): nothing to be done again, but to know.
            Outcome::StoredWithWarning(status) => {
                tracing::warn!("a result was stored with warning {status:04X}");
            }
            Outcome::NotAccepted => {
                return Tried::Refused("no presentation context accepted for a result".into());
            }
            Outcome::Refused { status, comment } => {
                let text = format!("status {status:04X} {comment}");
                if !passes(status) {
                    return Tried::Refused(text);
                }
                later = Some(text);
            }
        }
    }
    let form = choices.forms.get(chosen.choice).cloned().unwrap_or_default();
    let sent = choices.sets.get(chosen.choice).map(Vec::as_slice).unwrap_or_default();
    let sent = sent.iter().map(|offered| offered.stored.identity.sop_instance.clone()).collect();
    later.map_or(Tried::Done(form, sent), Tried::Later)
}

/// Out of resources; and a processing failure (PS3.7 Annex C), which `scp` answers, too, when it cannot store now.
fn passes(status: u16) -> bool {
    status == 0x0110 || status & 0xFF00 == 0xA700
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(outcomes: &[Outcome]) -> Tried {
        let choices = Choices { forms: vec!["BINARY".into()], sets: vec![vec![]] };
        let chosen = Chosen { choice: 0, transfer_syntaxes: vec![], outcomes: outcomes.to_vec() };
        judge(Ok(chosen), &choices)
    }

    fn refused(status: u16) -> Outcome {
        Outcome::Refused { status, comment: "why".into() }
    }

    #[test]
    fn each_answer_of_an_archive_has_its_rule() {
        for status in [0xB000, 0xB006, 0xB007] {
            let tried = judged(&[Outcome::Stored, Outcome::StoredWithWarning(status)]);
            assert!(matches!(tried, Tried::Done(form, _) if form == "BINARY"), "{status:04X}");
        }
        for status in [0x0110, 0xA700, 0xA7FF] {
            let tried = judged(&[refused(status), Outcome::Stored]);
            assert!(matches!(tried, Tried::Later(_)), "{status:04X}");
        }
        for status in [0xA900, 0xC000, 0xC123, 0x0122, 0x0124, 0x4711] {
            let tried = judged(&[refused(0xA700), refused(status)]);
            assert!(matches!(tried, Tried::Refused(_)), "{status:04X}");
        }
        assert!(matches!(judged(&[Outcome::NotAccepted]), Tried::Refused(_)));
        assert!(matches!(judged(&[]), Tried::Refused(_)), "nothing was sent");
    }
}

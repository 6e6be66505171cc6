//! What a task has in hand: one try a destination at a time, and a pause after one whose outcome is not in the ledger.

use std::collections::BTreeMap;
use std::future::{self, Future};
use std::time::Duration;

use spool::SpoolError;
use tokio::task::{Id, JoinError, JoinSet};

/// Destinations that nothing else is begun with: tries, and pauses after those that the ledger knows nothing of. Without the
/// pause the same would be due at once, and be sent for ever.
#[derive(Debug)]
pub(crate) struct InHand {
    /// What is tried, for the log.
    what: &'static str,
    pause: Duration,
    tries: JoinSet<Result<(), SpoolError>>,
    pauses: JoinSet<()>,
    /// Of tries and pauses.
    destinations: BTreeMap<Id, String>,
}

impl InHand {
    /// Nothing yet.
    pub(crate) fn new(what: &'static str, pause: Duration) -> Self {
        let (tries, pauses) = (JoinSet::new(), JoinSet::new());
        Self { what, pause, tries, pauses, destinations: BTreeMap::new() }
    }

    /// Whom nothing else is begun with.
    pub(crate) fn destinations(&self) -> Vec<&str> {
        self.destinations.values().map(String::as_str).collect()
    }

    /// Begins a try, unless there is one for the destination; it ends well when its outcome is recorded.
    pub(crate) fn begin(
        &mut self,
        destination: &str,
        one_try: impl Future<Output = Result<(), SpoolError>> + Send + 'static,
    ) {
        if self.destinations.values().all(|busy| busy != destination) {
            let id = self.tries.spawn(one_try).id();
            self.destinations.insert(id, destination.to_owned());
        }
    }

    /// Waits until a try or a pause is over; for ever when there is none.
    pub(crate) async fn changed(&mut self) {
        tokio::select! {
            Some(ended) = self.tries.join_next_with_id() => self.ended(ended),
            Some(over) = self.pauses.join_next_with_id() => {
                let id = over.map_or_else(|error| error.id(), |(id, ())| id);
                self.destinations.remove(&id);
            }
            else => future::pending().await,
        }
    }

    fn ended(&mut self, ended: Result<(Id, Result<(), SpoolError>), JoinError>) {
        let (id, fault) = match ended {
            Ok((id, recorded)) => (id, recorded.err().map(|error| error.to_string())),
            Err(error) => (error.id(), Some(format!("it failed by a bug: {error}"))),
        };
        let destination = self.destinations.remove(&id);
        if let (Some(destination), Some(reason)) = (destination, fault) {
            let what = self.what;
            tracing::error!(destination, reason, "the outcome of a {what} cannot be recorded");
            let id = self.pauses.spawn(tokio::time::sleep(self.pause)).id();
            self.destinations.insert(id, destination);
        }
    }

    /// Waits for the tries, not for the pauses.
    pub(crate) async fn end(mut self) {
        while self.tries.join_next().await.is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_millis(100);

    fn recorded() -> impl Future<Output = Result<(), SpoolError>> + Send + 'static {
        future::ready(Ok(()))
    }

    async fn unrecorded() -> Result<(), SpoolError> {
        Err(SpoolError::DiskFull { path: "ledger".into() })
    }

    async fn panics() -> Result<(), SpoolError> {
        panic!("on purpose")
    }

    #[tokio::test]
    async fn who_was_served_is_free_at_once() {
        let mut in_hand = InHand::new("try", PAUSE);
        in_hand.begin("pacs", recorded());
        in_hand.begin("pacs", panics());
        assert_eq!(in_hand.destinations(), ["pacs"], "one try at a time");
        in_hand.changed().await;
        assert!(in_hand.destinations().is_empty());
    }

    #[tokio::test]
    async fn what_is_not_recorded_is_not_tried_again_before_a_pause() {
        let mut in_hand = InHand::new("try", PAUSE);
        in_hand.begin("slow", future::pending());
        for is_panic in [false, true] {
            let began = tokio::time::Instant::now();
            if is_panic {
                in_hand.begin("pacs", panics());
            } else {
                in_hand.begin("pacs", unrecorded());
            }
            in_hand.changed().await;
            in_hand.begin("pacs", recorded());
            assert_eq!(in_hand.tries.len(), 1, "only the slow one");
            in_hand.changed().await;
            assert_eq!(in_hand.destinations(), ["slow"]);
            assert!(began.elapsed() >= PAUSE);
        }
    }

    #[tokio::test]
    async fn the_end_waits_for_no_pause() {
        let mut in_hand = InHand::new("try", Duration::from_secs(3_600));
        in_hand.begin("pacs", unrecorded());
        in_hand.changed().await;
        in_hand.end().await;
    }
}

//! A moment that passes before an offender is answered. Who offends as often as it can, and waits for each answer, takes that much
//! less of the node's time from everybody else.
//!
//! Pauses know no peers and no addresses: many honest peers may stand behind one address.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep};

/// How long an offender waits for its answer.
pub(crate) const PAUSE: Duration = Duration::from_millis(200);
/// Offenders that wait at a time, over all peers. One more is answered at once.
pub(crate) const PAUSED_MAX: usize = 128;
/// A message that nobody could store is answered at once when there was no other for this long, over all peers.
const RARE: Duration = Duration::from_secs(1);

/// The pauses of all connections.
#[derive(Debug)]
pub(crate) struct Pauses {
    /// A permit for each offender that may wait.
    room: Semaphore,
    /// When the last message came that nobody could store.
    faulty: Mutex<Option<Instant>>,
    stopping: watch::Receiver<bool>,
}

impl Pauses {
    /// Nobody waits; when `stopping` becomes true, nobody will any more.
    pub(crate) fn new(stopping: watch::Receiver<bool>) -> Self {
        Self { room: Semaphore::new(PAUSED_MAX), faulty: Mutex::default(), stopping }
    }

    /// Passes before the answer to a peer that broke the protocol: [`PAUSE`]; nothing, when [`PAUSED_MAX`] wait or the node stops.
    pub(crate) async fn after_offence(&self) {
        let Ok(_permit) = self.room.try_acquire() else { return };
        let mut stopping = self.stopping.clone();
        tokio::select! {
            () = sleep(PAUSE) => {}
            // An error means that whoever could tell us to stop is gone: also a reason to.
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }

    /// Passes before the answer to a message that nobody could store, as its data set cannot be read or is not that of its command:
    /// nothing for one alone, which any sender may have; a pause
    /// as after an offence where one follows the other, over one association or over many.
    pub(crate) async fn after_faulty(&self) {
        if !self.is_rare() {
            self.after_offence().await;
        }
    }

    fn is_rare(&self) -> bool {
        let now = Instant::now();
        let mut faulty = self.faulty.lock().unwrap_or_else(PoisonError::into_inner);
        let last = faulty.replace(now);
        last.is_none_or(|last| now.duration_since(last) >= RARE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn pauses() -> (watch::Sender<bool>, Arc<Pauses>) {
        let (stop, stopping) = watch::channel(false);
        (stop, Arc::new(Pauses::new(stopping)))
    }

    async fn took(work: impl Future<Output = ()>) -> Duration {
        let before = Instant::now();
        work.await;
        before.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn one_faulty_message_is_answered_at_once_and_the_next_ones_are_not() {
        let (_stop, pauses) = pauses();
        assert_eq!(took(pauses.after_faulty()).await, Duration::ZERO);
        for _ in 0..10 {
            assert!(took(pauses.after_faulty()).await >= PAUSE);
        }
        sleep(RARE).await;
        assert_eq!(took(pauses.after_faulty()).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_wait_and_one_more_does_not() {
        let (_stop, pauses) = pauses();
        let wait = |_| {
            let pauses = Arc::clone(&pauses);
            tokio::spawn(async move { pauses.after_offence().await })
        };
        let waiting: Vec<_> = (0..PAUSED_MAX).map(wait).collect();
        sleep(PAUSE / 4).await;
        assert_eq!(took(pauses.after_offence()).await, Duration::ZERO);
        for task in waiting {
            task.await.unwrap();
        }
        assert!(took(pauses.after_offence()).await >= PAUSE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_stops_waits_for_no_pause() {
        let (stop, pauses) = pauses();
        let offence = tokio::spawn({
            let pauses = Arc::clone(&pauses);
            async move { took(pauses.after_offence()).await }
        });
        sleep(PAUSE / 4).await;
        stop.send_replace(true);
        assert!(offence.await.unwrap() < PAUSE / 2);
        assert_eq!(took(pauses.after_offence()).await, Duration::ZERO);
    }
}

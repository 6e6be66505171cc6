//! What is known of each peer of the table while the node runs: its associations, and what is left of its minute.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{Allowance, PeerTable};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::time::Instant;

use crate::budget::Budget;

/// The peers, in the order of the table.
pub(crate) struct Peers(Vec<Arc<PeerState>>);

/// One peer, over all its associations.
pub(crate) struct PeerState {
    places: Option<Arc<Semaphore>>,
    budget: Mutex<Budget>,
    started: Instant,
}

impl Peers {
    pub(crate) fn new(table: &PeerTable) -> Self {
        Self(table.0.iter().map(|peer| Arc::new(PeerState::new(&peer.allowance))).collect())
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Arc<PeerState>> {
        self.0.get(index)
    }
}

impl PeerState {
    fn new(allowance: &Allowance) -> Self {
        Self {
            places: allowance.associations_max.map(|count| Arc::new(Semaphore::new(count))),
            budget: Mutex::new(Budget::new(allowance, Duration::ZERO)),
            started: Instant::now(),
        }
    }

    /// A place for one more association; none where they are not counted.
    pub(crate) fn place(&self) -> Result<Option<OwnedSemaphorePermit>, TryAcquireError> {
        self.places.as_ref().map(|places| Arc::clone(places).try_acquire_owned()).transpose()
    }

    /// Whether one more instance may come now.
    pub(crate) fn may_send(&self) -> bool {
        let now = self.started.elapsed();
        self.budget.lock().unwrap_or_else(PoisonError::into_inner).begin_instance(now)
    }

    /// Counts bytes of a data set.
    pub(crate) fn sent(&self, bytes: u64) {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner).spend_bytes(bytes);
    }
}

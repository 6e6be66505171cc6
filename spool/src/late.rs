//! Instances that were answered before they are recorded, in the order in which they came.
//!
//! Where an instance counts as stored once the system has its file, the sender need not wait for the ledger, too: files are the
//! truth, and the next start records what the ledger does not know. That holds for series that are open; so only theirs may
//! be late. What has to come after their recording waits in the same line.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::{SeriesInstanceUid, SpooledInstance};

use crate::SpoolError;
use crate::ledger::{Arrival, Change};
use crate::request::{Published, call};

/// Most instances that may be late; then senders wait for the ledger again.
const LATE_MAX: usize = 4096;
/// Most that are recorded as one transaction.
const BATCH_MAX: usize = 256;
/// Most series that are remembered as open; more are forgotten, all at once.
const OPEN_MAX: usize = 4096;

/// Told of an instance once it is recorded.
pub(crate) type OnRecorded = Box<dyn FnOnce(Published) + Send>;
/// Something that comes after what was there before it.
pub(crate) type Then = Box<dyn FnOnce() + Send>;

enum Waiting {
    Arrival(Arrival, OnRecorded),
    Then(Then),
}

/// Records arrivals, in their order.
pub(crate) type Record<'a> =
    &'a dyn Fn(&[Arrival]) -> Result<Vec<(SpooledInstance, Change)>, SpoolError>;

/// The line.
#[derive(Default)]
pub(crate) struct Late {
    line: Mutex<Line>,
    /// Held by whoever records, so that the order stays.
    recording: Mutex<()>,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Waiting>,
    /// Some are taken off and not told yet.
    in_hand: bool,
    /// Series that the ledger has as open, or as closed: not as purged.
    open: BTreeSet<SeriesInstanceUid>,
}

impl fmt::Debug for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Late").field("waiting", &self.line().waiting.len()).finish_non_exhaustive()
    }
}

impl Late {
    /// Whether an instance of this series may be late.
    pub(crate) fn may_take(&self, series: &SeriesInstanceUid) -> bool {
        let line = self.line();
        line.waiting.len() < LATE_MAX && line.open.contains(series)
    }

    /// Remembers that the ledger knows a series.
    pub(crate) fn note_open(&self, series: &SeriesInstanceUid) {
        let mut line = self.line();
        if line.open.len() >= OPEN_MAX {
            line.open.clear();
        }
        line.open.insert(series.clone());
    }

    /// Forgets what it knew of series.
    pub(crate) fn forget_open(&self) {
        self.line().open.clear();
    }

    /// Takes an instance whose file is in its place; whether it is the first in the line.
    pub(crate) fn take(&self, arrival: Arrival, recorded: OnRecorded) -> bool {
        let mut line = self.line();
        line.waiting.push_back(Waiting::Arrival(arrival, recorded));
        line.waiting.len() == 1
    }

    /// Calls `then` after everything that is in the line now; at once when nothing is.
    pub(crate) fn then(&self, then: Then) {
        let mut line = self.line();
        if line.in_hand || !line.waiting.is_empty() {
            line.waiting.push_back(Waiting::Then(then));
            return;
        }
        drop(line);
        then();
    }

    /// Whether nothing waits, nor is in the hands of somebody who may put it back.
    pub(crate) fn is_empty(&self) -> bool {
        let line = self.line();
        line.waiting.is_empty() && !line.in_hand
    }

    /// Records what waits, and tells of it, in order. When it returns `Ok`, nothing waits that was there before.
    ///
    /// # Errors
    /// Of `record`; what was not recorded waits again, before all that came since.
    pub(crate) fn record(&self, record: Record<'_>) -> Result<(), SpoolError> {
        let _recording = self.recording.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let batch = self.line().begin();
            if batch.is_empty() {
                return Ok(());
            }
            let recorded = record(&arrivals(&batch));
            match recorded {
                Ok(recorded) => tell(batch, recorded),
                Err(error) => {
                    self.line().put_back(batch);
                    return Err(error);
                }
            }
            self.line().in_hand = false;
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn begin(&mut self) -> Vec<Waiting> {
        let count = self.waiting.len().min(BATCH_MAX);
        self.in_hand = count > 0;
        self.waiting.drain(..count).collect()
    }

    fn put_back(&mut self, batch: Vec<Waiting>) {
        self.in_hand = false;
        batch.into_iter().rev().for_each(|waiting| self.waiting.push_front(waiting));
    }
}

fn arrivals(batch: &[Waiting]) -> Vec<Arrival> {
    let arrival = |waiting: &Waiting| match waiting {
        Waiting::Arrival(arrival, _) => Some(arrival.clone()),
        Waiting::Then(_) => None,
    };
    batch.iter().filter_map(arrival).collect()
}

fn tell(batch: Vec<Waiting>, recorded: Vec<(SpooledInstance, Change)>) {
    let mut recorded = recorded.into_iter();
    for waiting in batch {
        call(|| match waiting {
            Waiting::Then(then) => then(),
            Waiting::Arrival(_, on_recorded) => {
                if let Some((instance, change)) = recorded.next() {
                    on_recorded(Published { instance, change });
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_somebodys_hands_is_not_gone() {
        let late = Late::default();
        late.line().waiting.push_back(Waiting::Then(Box::new(|| {})));
        let refused = late.record(&|_| {
            assert!(!late.is_empty(), "it may be put back");
            Err(SpoolError::Stopped)
        });
        assert!(refused.is_err() && !late.is_empty());
        late.record(&|_| Ok(Vec::new())).unwrap();
        assert!(late.is_empty());
    }
}

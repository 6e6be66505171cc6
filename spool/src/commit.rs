//! The committer: one thread that makes instances durable, many at a time.
//!
//! Whatever waits is one batch: contents are synced, files moved to their places, folders synced, one transaction
//! recorded, then everybody is told, in order. One sync of a folder and of the ledger then serves the whole batch.

use std::collections::BTreeSet;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use domain::{InstanceIdentity, SpooledInstance};

use crate::compare::{There, compare};
use crate::durable::parent;
use crate::folder::Folder;
use crate::ledger::{Arrival, Change, Ledger};
use crate::part::PartFile;
use crate::room::Room;
use crate::{Clock, SpoolError};

/// Most instances in a batch: what an early one waits for a late one.
const BATCH_MAX: usize = 64;
/// Contents are synced by as many threads: file systems join syncs that come at the same time.
const SYNC_THREADS: usize = 4;

/// An instance on stable storage, and what it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The instance.
    pub instance: SpooledInstance,
    /// What it changed in its series.
    pub change: Change,
}

/// Told what became of an instance; called once, on the committer's thread, so it must be quick.
pub type OnStored = Box<dyn FnOnce(Result<Published, SpoolError>) + Send>;

/// An instance that is to become durable.
pub(crate) struct Request {
    pub(crate) part: PartFile,
    pub(crate) identity: InstanceIdentity,
    pub(crate) stored: OnStored,
}

/// What the thread works with.
pub(crate) struct Committer {
    pub(crate) folder: Arc<Folder>,
    pub(crate) room: Arc<Room>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) clock: Clock,
    /// Held by whoever moves or removes instance files.
    pub(crate) moving: Arc<Mutex<()>>,
}

/// An instance on its way through a batch.
struct Item {
    part: PartFile,
    identity: InstanceIdentity,
    target: PathBuf,
    there: There,
    failed: Option<SpoolError>,
}

impl Committer {
    /// Runs until nobody can send any more.
    pub(crate) fn run(&self, requests: &Receiver<Request>) {
        while let Ok(first) = requests.recv() {
            let more = requests.try_iter().take(BATCH_MAX - 1);
            self.commit(std::iter::once(first).chain(more).collect());
        }
    }

    fn commit(&self, requests: Vec<Request>) {
        let (mut items, mut tell) = (Vec::new(), Vec::new());
        for Request { part, identity, stored } in requests {
            let failed = part.check(&identity).err();
            let target = self.folder.instance(&identity);
            items.push(Item { part, identity, target, there: There::Nothing, failed });
            tell.push(stored);
        }
        let mut published = self.publish(&mut items);
        let outcomes: Vec<_> = items
            .into_iter()
            .map(|item| match item.failed {
                Some(error) => Err(error),
                None => published.next().unwrap_or(Err(SpoolError::Stopped)),
            })
            .collect();
        for (stored, outcome) in tell.into_iter().zip(outcomes) {
            // A panic in a callback is its own; the others must hear of their instances all the same.
            if panic::catch_unwind(AssertUnwindSafe(|| stored(outcome))).is_err() {
                tracing::error!("the receiver of an instance's outcome failed by a bug");
            }
        }
    }

    /// Outcomes for the items that have not failed by themselves.
    fn publish(&self, items: &mut [Item]) -> std::vec::IntoIter<Result<Published, SpoolError>> {
        sync_contents(items);
        let _moving = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
        self.move_all(items);
        let arrivals: Vec<_> =
            items.iter().filter(|item| item.failed.is_none()).map(Item::arrival).collect();
        let recorded = self.sync_folders(items).and_then(|()| self.record(&arrivals));
        let outcomes: Vec<_> = match recorded {
            Ok(published) => published.into_iter().map(Ok).collect(),
            Err(error) => arrivals.iter().map(|_| Err(error.clone())).collect(),
        };
        outcomes.into_iter()
    }

    fn move_all(&self, items: &mut [Item]) {
        for item in items.iter_mut().filter(|item| item.failed.is_none()) {
            let moved = self.move_one(item);
            item.failed = moved.err();
        }
    }

    fn move_one(&self, item: &mut Item) -> Result<(), SpoolError> {
        item.there = compare(&item.part, &item.identity.transfer_syntax, &item.target)?;
        match item.there {
            // It may be from a batch that failed halfway, so its folders are synced again like those of the others.
            There::Same => Ok(()),
            There::Nothing => {
                self.folder.create_folder(parent(&item.target))?;
                item.part.move_to(&item.target)
            }
            There::Other { file_bytes } => {
                self.ledger.reopen(&item.identity, (self.clock)())?;
                item.part.move_to(&item.target)?;
                self.room.give_back(file_bytes);
                Ok(())
            }
        }
    }

    /// Syncs the folders of series and those above, each once.
    fn sync_folders(&self, items: &[Item]) -> Result<(), SpoolError> {
        let mut folders = BTreeSet::new();
        for item in items.iter().filter(|item| item.failed.is_none()) {
            folders.extend(item.target.ancestors().skip(1).take(3));
        }
        folders.into_iter().rev().try_for_each(|folder| self.folder.sync_folder(folder))
    }

    fn record(&self, arrivals: &[Arrival]) -> Result<Vec<Published>, SpoolError> {
        if arrivals.is_empty() {
            return Ok(Vec::new());
        }
        let recorded = self.ledger.record(arrivals, (self.clock)())?;
        let published = |(instance, change)| Published { instance, change };
        Ok(recorded.into_iter().map(published).collect())
    }
}

impl Item {
    fn arrival(&self) -> Arrival {
        let origin = self.part.origin();
        Arrival {
            identity: self.identity.clone(),
            file_bytes: self.part.file_bytes(),
            calling: origin.calling.clone(),
            called: origin.called.clone(),
            is_same: self.there == There::Same,
        }
    }
}

fn sync_contents(items: &mut [Item]) {
    let sync = |item: &mut Item| {
        if item.failed.is_none() {
            item.failed = item.part.sync().err();
        }
    };
    let share = items.len().div_ceil(SYNC_THREADS).max(1);
    if share == 1 && items.len() == 1 {
        items.iter_mut().for_each(sync);
        return;
    }
    thread::scope(|scope| {
        for share in items.chunks_mut(share) {
            scope.spawn(move || share.iter_mut().for_each(sync));
        }
    });
}

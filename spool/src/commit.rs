//! The committer: one thread that makes instances durable, many at a time.
//!
//! Whatever waits is one batch: files are moved to their places and synced there, with their names; one transaction is
//! recorded; then everybody is told, in order. The files of a batch share their flush. Where a file may be cut after loss of
//! power, its seal tells.
//!
//! The transaction is not synced while series only grow: files are the truth, and a start finds those whose rows were
//! lost with the power. Everything else is recorded with a sync, which takes these rows with it.

use std::collections::BTreeSet;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use domain::{Durability, InstanceIdentity};

use crate::compare::{There, compare};
use crate::durable::parent;
use crate::folder::Folder;
use crate::late::Late;
use crate::ledger::{Arrival, Ledger};
use crate::names::Names;
use crate::part::PartFile;
use crate::request::{Here, OnStored, Published, Request, Work, call};
use crate::room::Room;
use crate::{Clock, SpoolError};

/// Most instances in a batch: what an early one waits for a late one.
const BATCH_MAX: usize = 64;
/// How long late ones are gathered before they are recorded together. A transaction writes whole pages, however few rows it has:
/// with 2 ms the ledger wrote 26 MB for 3,000 instances on four associations, with 20 ms it writes 9.
const GATHERING: Duration = Duration::from_millis(20);
/// How long the committer waits after the ledger refused to record.
const PAUSE: Duration = Duration::from_secs(1);
/// Contents and folders are synced by as many threads.
const SYNC_THREADS: usize = 4;

/// What the thread works with.
pub(crate) struct Committer {
    pub(crate) folder: Arc<Folder>,
    pub(crate) room: Arc<Room>,
    pub(crate) ledger: Arc<Ledger>,
    /// Instances that are answered and not recorded yet.
    pub(crate) late: Late,
    /// What is promised of an instance.
    pub(crate) durability: Durability,
    pub(crate) clock: Clock,
    /// Held by whoever moves or removes instance files; together by those that only give names which nothing has.
    pub(crate) moving: Arc<RwLock<()>>,
}

impl fmt::Debug for Committer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Committer").field("durability", &self.durability).finish_non_exhaustive()
    }
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
    pub(crate) fn run(&self, work: &Receiver<Work>) {
        // How long it waits for more before it records those that are late.
        let mut wait = None;
        loop {
            let records = match next(work, wait) {
                Ok(first) => whatever_happens(|| self.work_off(first, work)),
                Err(RecvTimeoutError::Timeout) => whatever_happens(|| {
                    self.try_to_record();
                    false
                }),
                Err(RecvTimeoutError::Disconnected) => return self.try_to_record(),
            };
            // What is committed is preceded by those that are late; so some are left only where that failed.
            let is_left = !self.late.is_empty();
            wait = if records { Some(GATHERING) } else { is_left.then_some(PAUSE) };
        }
    }

    /// Commits what waits, in batches; whether those that are late are to be recorded, too.
    fn work_off(&self, first: Work, work: &Receiver<Work>) -> bool {
        let more = work.try_iter().take(BATCH_MAX - 1);
        let (mut waiting, mut records) = (Vec::new(), false);
        for work in std::iter::once(first).chain(more) {
            match work {
                Work::Commit(request) => waiting.push(*request),
                Work::Record => records = true,
            }
        }
        while !waiting.is_empty() {
            let (now, later) = without_doubles(waiting);
            self.commit(now);
            waiting = later;
        }
        records
    }

    fn try_to_record(&self) {
        if let Err(error) = self.record_late() {
            tracing::error!(%error, "instances that are stored are not in the ledger yet; it is tried again");
        }
    }

    /// Records what is late. When it returns `Ok`, everything is in the ledger that was answered before.
    pub(crate) fn record_late(&self) -> Result<(), SpoolError> {
        self.late.record(&|arrivals| match arrivals {
            [] => Ok(Vec::new()),
            arrivals => self.ledger.record(arrivals, (self.clock)()),
        })
    }

    /// Publishes an instance on the thread of its sender, where that waits for no disk.
    ///
    /// Handing it to the committer costs two changes of thread, which is more than the work itself.
    pub(crate) fn commit_here(&self, request: Request) -> Here {
        if self.durability == Durability::Disk {
            return Here::Elsewhere(Box::new(request));
        }
        if self.late.may_take(&request.identity.series) {
            return self.commit_before_recording(request);
        }
        if self.folder.instance(&request.identity).exists() {
            return Here::Elsewhere(Box::new(request));
        }
        self.commit(vec![request]);
        Here::Done
    }

    /// An instance of a series that the ledger knows, where nothing is: it is answered once its file is in its place.
    fn commit_before_recording(&self, mut request: Request) -> Here {
        let Request { part, identity, .. } = &mut request;
        if part.check(identity).is_err() || part.seal().is_err() {
            return Here::Elsewhere(Box::new(request));
        }
        let target = self.folder.instance(identity);
        let moving = self.moving.read().unwrap_or_else(PoisonError::into_inner);
        // A series may have been purged since it was looked at.
        let may = self.late.may_take(&identity.series);
        if !may || !matches!(part.move_to_free(&target), Ok(true)) {
            return Here::Elsewhere(Box::new(request));
        }
        let arrival = arrival(part, identity, There::Nothing);
        let OnStored { answer, recorded } = request.stored;
        let is_first = self.late.take(arrival, recorded);
        drop(moving);
        // The file stays; what is left of the part is closed after the answer.
        call(|| answer(Ok(())));
        if is_first { Here::Late } else { Here::Done }
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
            call(|| stored.tell(outcome));
        }
    }

    /// Outcomes for the items that have not failed by themselves.
    fn publish(&self, items: &mut [Item]) -> std::vec::IntoIter<Result<Published, SpoolError>> {
        let _moving = self.moving.write().unwrap_or_else(PoisonError::into_inner);
        // One of these may be late itself, in what it was before.
        if let Err(error) = self.record_late() {
            items.iter_mut().for_each(|item| item.failed = Some(error.clone()));
        }
        self.move_all(items);
        if self.durability == Durability::Disk {
            self.sync_files(items);
        }
        let arrivals: Vec<_> =
            items.iter().filter(|item| item.failed.is_none()).map(Item::arrival).collect();
        let recorded = self.sync_folders(items).and_then(|()| self.record(&arrivals));
        if recorded.is_ok() && self.durability == Durability::Cache {
            arrivals.iter().for_each(|arrival| self.late.note_open(&arrival.identity.series));
        }
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
        item.part.seal()?;
        if item.part.move_to_free(&item.target)? {
            item.there = There::Nothing;
            return Ok(());
        }
        item.there = compare(&item.part, &item.identity.transfer_syntax, &item.target)?;
        match item.there {
            // It may be from a batch that failed halfway, so it is synced like the others.
            There::Same { .. } => Ok(()),
            There::Nothing => item.part.move_to(&item.target),
            There::Other { file_bytes } => {
                // What is there was acknowledged: it goes only when the other is safe.
                if self.durability == Durability::Disk {
                    item.part.sync()?;
                }
                self.ledger.reopen(&item.identity, (self.clock)())?;
                item.part.move_to(&item.target)?;
                self.room.give_back(file_bytes);
                Ok(())
            }
        }
    }

    /// Syncs the files where they lie now. What cannot be synced is taken away again: the system may take it for written.
    fn sync_files(&self, items: &mut [Item]) {
        let sync = |item: &mut Item| {
            let synced = match item.there {
                _ if item.failed.is_some() => return Ok(()),
                There::Same { .. } => self.folder.sync_path(&item.target),
                There::Nothing | There::Other { .. } => item.part.sync(),
            };
            item.failed = synced.err();
            Ok(())
        };
        // A fault stays with its item.
        drop(for_each_at_once(items, sync));
        for item in items.iter_mut().filter(|item| item.failed.is_some()) {
            // What took the place of something that was acknowledged stays: it was synced before.
            if item.there == There::Nothing {
                item.part.withdraw(&item.target);
            }
        }
    }

    /// Syncs the folders of series and those above, each once, where the files did not take them along.
    fn sync_folders(&self, items: &[Item]) -> Result<(), SpoolError> {
        if self.durability == Durability::Cache || self.folder.names() == Names::WithFile {
            return Ok(());
        }
        let series: BTreeSet<&Path> = items
            .iter()
            .filter(|item| item.failed.is_none())
            .map(|item| parent(&item.target))
            .collect();
        let new = series.iter().copied().filter(|folder| !self.folder.is_durable(folder));
        let new: Vec<&Path> = new.collect();
        // Those above a new one are synced once; the entries of the series change with each instance.
        let above = new.iter().flat_map(|folder| folder.ancestors().skip(1).take(2));
        let folders = series.iter().copied().chain(above).collect::<BTreeSet<_>>();
        for_each_at_once(&mut Vec::from_iter(folders), |folder| self.folder.sync_folder(folder))?;
        new.into_iter().for_each(|folder| self.folder.note_durable(folder));
        Ok(())
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
        arrival(&self.part, &self.identity, self.there)
    }
}

fn arrival(part: &PartFile, identity: &InstanceIdentity, there: There) -> Arrival {
    let origin = part.origin();
    let (file_bytes, is_same) = match there {
        There::Same { file_bytes } => (file_bytes, true),
        There::Nothing | There::Other { .. } => (part.file_bytes(), false),
    };
    Arrival {
        identity: identity.clone(),
        file_bytes,
        calling: origin.calling.clone(),
        called: origin.called.clone(),
        is_same,
    }
}

/// Whether those that are late are to be recorded after `work`. A bug costs the instances of its batch their answer, and not all others
/// after them.
fn whatever_happens(work: impl FnOnce() -> bool) -> bool {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        tracing::error!("instances could not be stored or recorded because of a bug");
        true
    })
}

/// What is asked for next, if it comes in time.
fn next(work: &Receiver<Work>, wait: Option<Duration>) -> Result<Work, RecvTimeoutError> {
    match wait {
        None => work.recv().map_err(|_| RecvTimeoutError::Disconnected),
        Some(wait) => work.recv_timeout(wait),
    }
}

/// The first request for each instance, and the others: they are compared with what then is there.
fn without_doubles(requests: Vec<Request>) -> (Vec<Request>, Vec<Request>) {
    let mut seen = BTreeSet::new();
    let (mut first, mut others) = (Vec::new(), Vec::new());
    for request in requests {
        let identity = &request.identity;
        let key = (identity.study.clone(), identity.series.clone(), identity.sop_instance.clone());
        if seen.insert(key) { first.push(request) } else { others.push(request) }
    }
    (first, others)
}

/// Works on all items at the same time, as far as there are threads; gives one of the errors. File systems join syncs
/// that come together.
fn for_each_at_once<T: Send>(
    items: &mut [T],
    work: impl Fn(&mut T) -> Result<(), SpoolError> + Sync,
) -> Result<(), SpoolError> {
    let helpers = items.len().min(SYNC_THREADS).saturating_sub(1);
    let left = Mutex::new(items.iter_mut());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work_off = || std::iter::from_fn(next).map(&work).fold(Ok(()), Result::and);
    thread::scope(|scope| {
        // Where the system gives no thread, those that are there do it all.
        let start = |_| thread::Builder::new().spawn_scoped(scope, work_off).ok();
        let threads: Vec<_> = (0..helpers).map_while(start).collect();
        let own = work_off();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|bug| panic::resume_unwind(bug)))
            .fold(own, Result::and)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_worked_on_also_after_one_failed() {
        for count in [0, 1, 2, SYNC_THREADS, 50] {
            let mut items = vec![false; count];
            let done = for_each_at_once(&mut items, |item| {
                *item = true;
                Err(SpoolError::Stopped)
            });
            assert_eq!(done.is_err(), count > 0);
            assert!(items.into_iter().all(|item| item));
        }
    }
}

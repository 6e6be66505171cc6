//! The spool: files and ledger together.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, RwLock};
use std::thread::{self, JoinHandle};

use domain::{Announced, Durability, InstanceIdentity, InstanceOrigin, Limits, Moment};

use crate::SpoolError;
use crate::commit::Committer;
use crate::faults::{self, Faults};
use crate::folder::Folder;
use crate::late::Late;
use crate::ledger::{Ledger, LedgerView};
use crate::part::PartFile;
use crate::recover::{Recovery, recover};
use crate::request::{Here, OnStored, Request, Work};
use crate::room::Room;

/// Tells the time. The spool reads no clock itself.
pub type Clock = Arc<dyn Fn() -> Moment + Send + Sync>;

/// What must not be lost: instances and results as files, series, jobs and deliveries in the ledger.
///
/// All methods may be called from any thread. They wait for the disk: give them a thread that may wait.
#[derive(Debug)]
pub struct Spool {
    pub(crate) folder: Arc<Folder>,
    pub(crate) room: Arc<Room>,
    pub(crate) ledger: Arc<Ledger>,
    /// Held by whoever moves or removes instance files.
    pub(crate) moving: Arc<RwLock<()>>,
    parts: AtomicU64,
    pub(crate) committer: Arc<Committer>,
    requests: Option<Sender<Work>>,
    thread: Option<JoinHandle<()>>,
    /// Dropped last: no second node before the committer has ended.
    _lock: File,
}

impl Spool {
    /// Opens the spool at `root`, makes it if need be, and brings files and ledger in line. `durability` is what
    /// [`Spool::publish`] promises; everything else is always on stable storage.
    ///
    /// # Errors
    /// [`SpoolError::Locked`] while another node holds it, [`SpoolError::LedgerTooNew`], or what the disk or SQLite says.
    pub fn open(
        root: &Path,
        limits: &Limits,
        durability: Durability,
        clock: Clock,
    ) -> Result<(Self, Recovery), SpoolError> {
        Self::open_with(root, limits, durability, clock, &faults::none())
    }

    /// Opens the ledger of the spool at `root` for reading, whether a node runs or not.
    ///
    /// # Errors
    /// [`SpoolError::Io`] when there is none, [`SpoolError::LedgerTooNew`], or what SQLite says.
    pub fn open_read_only(root: &Path) -> Result<LedgerView, SpoolError> {
        LedgerView::open(root)
    }

    /// Opens the spool with planned faults.
    pub(crate) fn open_with(
        root: &Path,
        limits: &Limits,
        durability: Durability,
        clock: Clock,
        faults: &Faults,
    ) -> Result<(Self, Recovery), SpoolError> {
        let folder = Arc::new(Folder::new(root, faults.clone()));
        folder.create()?;
        let lock = folder.lock()?;
        let now = clock();
        let opened = Ledger::open(root, faults, now)?;
        let ledger = Arc::new(opened.ledger);
        let mut recovery = recover(&folder, &ledger, now)?;
        // `incoming/` is empty by now: no name there is in the way.
        folder.learn_naming();
        recovery.is_new_ledger = opened.is_new;
        recovery.ledger_set_aside = opened.set_aside;
        let room = Arc::new(Room::new(Arc::clone(&folder), limits, recovery.spool_bytes));
        let moving = Arc::new(RwLock::new(()));
        let committer = Arc::new(Committer {
            folder: Arc::clone(&folder),
            room: Arc::clone(&room),
            ledger: Arc::clone(&ledger),
            late: Late::default(),
            durability,
            clock,
            moving: Arc::clone(&moving),
        });
        let (requests, receiver) = mpsc::channel();
        let running = Arc::clone(&committer);
        let thread = thread::Builder::new()
            .name("parsenode-spool".into())
            .spawn(move || running.run(&receiver))
            .map_err(|error| SpoolError::io("start the committer of", root, error))?;
        let spool = Self {
            folder,
            room,
            ledger,
            moving,
            parts: AtomicU64::new(0),
            committer,
            requests: Some(requests),
            thread: Some(thread),
            _lock: lock,
        };
        Ok((spool, recovery))
    }

    /// Whether there is room for an instance.
    ///
    /// # Errors
    /// [`SpoolError::SpoolFull`], [`SpoolError::DiskLow`] or [`SpoolError::Io`].
    pub fn room(&self) -> Result<(), SpoolError> {
        self.room.check()
    }

    /// Opens a part for an instance, with its File Meta Information written.
    ///
    /// # Errors
    /// [`SpoolError::SpoolFull`], [`SpoolError::DiskLow`], [`SpoolError::DiskFull`] or [`SpoolError::Io`].
    pub fn begin(
        &self,
        announced: &Announced,
        origin: &InstanceOrigin,
    ) -> Result<PartFile, SpoolError> {
        PartFile::begin(&self.folder, &self.room, self.next_part(), announced, origin)
    }

    /// Makes an instance durable and tells `stored`, on another thread; does not wait. With [`Durability::Cache`] this thread
    /// may do it and give the answer itself, before the instance is recorded: there is no disk to wait for.
    ///
    /// `Ok` means: the instance survives what [`Durability`] says. An instance that is there already with the same data set is
    /// [`Change::Identical`](crate::Change::Identical); with another one, the newer takes its place.
    pub fn publish(&self, part: PartFile, identity: InstanceIdentity, stored: OnStored) {
        let work = match self.committer.commit_here(Request { part, identity, stored }) {
            Here::Done => return,
            Here::Late => Work::Record,
            Here::Elsewhere(request) => Work::Commit(request),
        };
        let refused = match &self.requests {
            Some(requests) => requests.send(work).err().map(|error| error.0),
            None => Some(work),
        };
        if let Some(Work::Commit(request)) = refused {
            (request.stored.answer)(Err(SpoolError::Stopped));
        }
    }

    /// Calls `then` when every instance is recorded that was answered before; at once when they are.
    pub fn when_recorded(&self, then: impl FnOnce() + Send + 'static) {
        self.committer.late.then(Box::new(then));
    }

    /// Bytes in the spool: instances, results, and parts on their way in.
    #[must_use]
    pub fn spool_bytes(&self) -> u64 {
        self.room.used_bytes()
    }

    /// A path in `incoming/` that nobody else uses.
    pub(crate) fn next_part(&self) -> PathBuf {
        let number = self.parts.fetch_add(1, Ordering::Relaxed);
        self.folder.incoming().join(format!("{number}.part"))
    }
}

impl Drop for Spool {
    /// Waits for instances that were handed over already.
    fn drop(&mut self) {
        self.requests = None;
        let Some(thread) = self.thread.take() else { return };
        // A callback may hold the last reference; the committer cannot wait for itself.
        if thread.thread().id() != thread::current().id() && thread.join().is_err() {
            tracing::error!("the committer of the spool failed by a bug");
        }
    }
}

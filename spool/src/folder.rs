//! The spool's folder: what lies where, and the operations on it, each with the path in its error.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, IoSlice, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use domain::{InstanceIdentity, JobId, SeriesInstanceUid, StudyInstanceUid};

use crate::SpoolError;
use crate::durable;
use crate::faults::Faults;
use crate::names::Names;
use crate::seal;

/// Access to a folder that we create: its owner everything, its group reading, others nothing. Patients' images lie in it.
const FOLDER_MODE: u32 = 0o750;

/// Folders that are remembered as durable; more are forgotten, all at once, and synced again.
const DURABLE_MAX: usize = 4096;

/// `incoming/`, `instances/<study>/<series>/<sop>.dcm`, `results/<job>/`, `ledger.sqlite`, `spool.lock`.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    names: Names,
    /// Parts have no name until they have their place; known since [`Folder::learn_naming`].
    names_later: OnceLock<bool>,
    /// Folders whose entries in the folders above them were synced by us, and not removed since.
    durable: Mutex<BTreeSet<PathBuf>>,
    /// Lets operations fail in tests.
    pub(crate) faults: Faults,
}

impl Folder {
    /// The folder at `root`.
    pub(crate) fn new(root: &Path, faults: Faults) -> Self {
        let existing = root.ancestors().find(|folder| folder.exists());
        let names = Names::at(existing.unwrap_or(root));
        let (names_later, durable) = (OnceLock::new(), Mutex::default());
        Self { root: root.to_owned(), names, names_later, durable, faults }
    }

    /// The folder itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where files lie until they are whole.
    pub(crate) fn incoming(&self) -> PathBuf {
        self.root.join("incoming")
    }

    /// Where instances lie.
    pub(crate) fn instances(&self) -> PathBuf {
        self.root.join("instances")
    }

    /// Where the results of all jobs lie.
    pub(crate) fn results(&self) -> PathBuf {
        self.root.join("results")
    }

    /// Where the results of one job lie.
    pub(crate) fn results_of(&self, job: JobId) -> PathBuf {
        self.results().join(job.0.to_string())
    }

    /// The folder of a series.
    pub(crate) fn series(&self, study: &StudyInstanceUid, series: &SeriesInstanceUid) -> PathBuf {
        series_in(&self.root, study, series)
    }

    /// The file of an instance.
    pub(crate) fn instance(&self, identity: &InstanceIdentity) -> PathBuf {
        instance_in(&self.root, identity)
    }

    /// What makes the name of a new or moved file durable here.
    pub(crate) fn names(&self) -> Names {
        self.faults.names().unwrap_or(self.names)
    }

    /// Creates the folders that are not there, durably.
    pub(crate) fn create(&self) -> Result<(), SpoolError> {
        for folder in [self.root.clone(), self.incoming(), self.instances(), self.results()] {
            self.create_folder(&folder)?;
        }
        self.sync_folder(&self.root)?;
        self.sync_folder(durable::parent(&self.root))
    }

    /// Looks whether parts can do without names here. Nobody else may use the spool.
    pub(crate) fn learn_naming(&self) {
        let incoming = self.incoming();
        let can = || durable::can_name_later(&incoming, &incoming.join("name.part"));
        self.names_later.get_or_init(can);
    }

    /// Takes the lock that keeps a second node away; it is held until the file is dropped.
    pub(crate) fn lock(&self) -> Result<File, SpoolError> {
        let path = self.root.join("spool.lock");
        let file = File::options().create(true).append(true).open(&path);
        let file = file.map_err(|e| SpoolError::io("open", &path, e))?;
        match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(SpoolError::Locked { path }),
            Err(errno) => Err(SpoolError::io("lock", &path, errno.into())),
        }
    }

    /// Bytes that are free for us on the file system.
    pub(crate) fn free_bytes(&self) -> Result<u64, SpoolError> {
        let info = self.on("look at the free space of", &self.root, || {
            rustix::fs::statvfs(&self.root).map_err(io::Error::from)
        })?;
        Ok(info.f_bavail.saturating_mul(info.f_frsize))
    }

    /// Creates a folder and those above it; syncs nothing.
    pub(crate) fn create_folder(&self, path: &Path) -> Result<(), SpoolError> {
        let create = || fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path);
        self.on("create", path, create)
    }

    /// Creates a file that must not be there yet.
    pub(crate) fn create_file(&self, path: &Path) -> Result<File, SpoolError> {
        self.on("create", path, || File::create_new(path))
    }

    /// Creates a part's file: without a name where that can be, else at `path`. Says whether it has one.
    pub(crate) fn create_part(&self, path: &Path) -> Result<(File, bool), SpoolError> {
        let names_later = self.names_later.get().is_some_and(|can| *can);
        if !names_later || self.faults.has_parts_with_names() {
            return Ok((self.create_file(path)?, true));
        }
        let file = self.on("create", path, || durable::create_unnamed(durable::parent(path)))?;
        Ok((file, false))
    }

    /// Appends to a file, all pieces at once: the system then takes larger pages for them.
    pub(crate) fn write(
        &self,
        file: &mut File,
        path: &Path,
        pieces: &[&[u8]],
    ) -> Result<(), SpoolError> {
        self.on("write", path, || write_all(file, pieces))
    }

    /// Writes over the beginning of a file.
    pub(crate) fn overwrite(
        &self,
        file: &File,
        path: &Path,
        bytes: &[u8],
    ) -> Result<(), SpoolError> {
        self.on("write", path, || file.write_all_at(bytes, 0))
    }

    /// Makes content and attributes of a file durable; its name, too, where [`Folder::names`] says so.
    pub(crate) fn sync_file(&self, file: &File, path: &Path) -> Result<(), SpoolError> {
        self.on("sync", path, || file.sync_all())
    }

    /// Makes a file durable that nobody has open.
    pub(crate) fn sync_path(&self, path: &Path) -> Result<(), SpoolError> {
        self.on("sync", path, || File::open(path)?.sync_all())
    }

    /// Makes the entries of a folder durable.
    pub(crate) fn sync_folder(&self, path: &Path) -> Result<(), SpoolError> {
        self.on("sync", path, || durable::sync_folder(path))
    }

    /// Makes everything durable that lies in the spool, and whatever else is on its file system.
    pub(crate) fn sync_everything(&self) -> Result<(), SpoolError> {
        self.on("sync all of", &self.root, || {
            #[cfg(target_os = "linux")]
            rustix::fs::syncfs(File::open(&self.root)?)?;
            #[cfg(not(target_os = "linux"))]
            rustix::fs::sync();
            Ok(())
        })
    }

    /// Whether the folder itself survives loss of power, as far as we know. A sync that is not needed costs a flush of the disk.
    pub(crate) fn is_durable(&self, path: &Path) -> bool {
        self.durable().contains(path)
    }

    /// Remembers that the entries of a folder in those above it were synced.
    pub(crate) fn note_durable(&self, path: &Path) {
        let mut durable = self.durable();
        if durable.len() >= DURABLE_MAX {
            durable.clear();
        }
        durable.insert(path.to_owned());
    }

    /// A panic elsewhere leaves a set that is right: entries are only ever added or all removed.
    fn durable(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves a file; syncs nothing.
    pub(crate) fn rename(&self, from: &Path, to: &Path) -> Result<(), SpoolError> {
        self.on("move to its place", to, || durable::rename(from, to))
    }

    /// Moves a file where nothing is, into a folder that is created where it is missing; `false` when something is there.
    /// Syncs nothing.
    pub(crate) fn rename_if_free(&self, from: &Path, to: &Path) -> Result<bool, SpoolError> {
        self.place(to, || durable::rename_if_free(from, to))
    }

    /// The same for a file without a name.
    pub(crate) fn name_if_free(&self, file: &File, to: &Path) -> Result<bool, SpoolError> {
        self.place(to, || durable::name_if_free(file, to))
    }

    fn place(&self, to: &Path, put: impl Fn() -> io::Result<bool>) -> Result<bool, SpoolError> {
        let placed = self.on("move to its place", to, || match put() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            placed => placed.map(Some),
        })?;
        if let Some(placed) = placed {
            return Ok(placed);
        }
        self.create_folder(durable::parent(to))?;
        self.on("move to its place", to, put)
    }

    /// Removes a file; one that is gone already is fine.
    pub(crate) fn remove_file(&self, path: &Path) -> Result<(), SpoolError> {
        self.on("remove", path, || gone_is_fine(fs::remove_file(path)))
    }

    /// Removes a folder with what is in it; one that is gone already is fine.
    pub(crate) fn remove_folder(&self, path: &Path) -> Result<(), SpoolError> {
        self.durable().clear();
        self.on("remove", path, || gone_is_fine(fs::remove_dir_all(path)))
    }

    /// Removes a folder if nothing is in it.
    pub(crate) fn remove_if_empty(&self, path: &Path) {
        self.durable().clear();
        // What is not empty stays, and that is all this promises.
        drop(self.on("remove", path, || fs::remove_dir(path)));
    }

    /// What is in a folder, in order of name; nothing if the folder is not there.
    pub(crate) fn entries(&self, path: &Path) -> Result<Vec<Entry>, SpoolError> {
        self.on("list", path, || match fs::read_dir(path) {
            Ok(entries) => {
                let mut all = entries.map(Entry::of).collect::<io::Result<Vec<_>>>()?;
                all.sort_by(|a, b| a.path.cmp(&b.path));
                Ok(all)
            }
            Err(error) => gone_is_fine(Err(error)).map(|()| Vec::new()),
        })
    }

    /// Whether an instance's file is as long as its seal says. Where nobody can tell, it counts as whole, and whoever
    /// reads it will see.
    pub(crate) fn is_whole(&self, path: &Path) -> bool {
        let read = File::open(path).and_then(|mut file| {
            let mut preamble = Vec::new();
            let wanted = u64::try_from(seal::SEAL_BYTES).unwrap_or(u64::MAX);
            Read::by_ref(&mut file).take(wanted).read_to_end(&mut preamble)?;
            Ok((preamble, file.metadata()?.len()))
        });
        read.map_or(true, |(preamble, length)| seal::is_whole(&preamble, length))
    }

    /// Length of a file; `None` when it is not there.
    pub(crate) fn length(&self, path: &Path) -> Result<Option<u64>, SpoolError> {
        self.on("look at", path, || match fs::symlink_metadata(path) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) => gone_is_fine(Err(error)).map(|()| None),
        })
    }

    fn on<T>(
        &self,
        action: &'static str,
        path: &Path,
        operation: impl FnOnce() -> io::Result<T>,
    ) -> Result<T, SpoolError> {
        let done = self.faults.step().and_then(|()| operation());
        done.map_err(|error| SpoolError::io(action, path, error))
    }
}

/// The folder of a series in a spool at `root`.
pub(crate) fn series_in(
    root: &Path,
    study: &StudyInstanceUid,
    series: &SeriesInstanceUid,
) -> PathBuf {
    root.join("instances").join(study.as_str()).join(series.as_str())
}

/// The file of an instance in a spool at `root`.
pub(crate) fn instance_in(root: &Path, identity: &InstanceIdentity) -> PathBuf {
    let folder = series_in(root, &identity.study, &identity.series);
    folder.join(format!("{}.dcm", identity.sop_instance))
}

/// The ledger of a spool at `root`.
pub(crate) fn ledger_in(root: &Path) -> PathBuf {
    root.join("ledger.sqlite")
}

fn write_all(file: &mut File, pieces: &[&[u8]]) -> io::Result<()> {
    let mut slices: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    let mut left = slices.as_mut_slice();
    // Empty ones would read as a file that takes nothing.
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        match file.write_vectored(left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut left, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn gone_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(()) | Err(_) => result,
    }
}

/// One entry of a folder.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Whether it is a folder.
    pub(crate) is_folder: bool,
    /// Length of a file.
    pub(crate) length: u64,
}

impl Entry {
    fn of(entry: io::Result<fs::DirEntry>) -> io::Result<Self> {
        let entry = entry?;
        let metadata = entry.metadata()?;
        Ok(Self { path: entry.path(), is_folder: metadata.is_dir(), length: metadata.len() })
    }

    /// Its name, if it is text.
    pub(crate) fn name(&self) -> Option<&str> {
        self.path.file_name().and_then(OsStr::to_str)
    }
}

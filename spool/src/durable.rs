//! Operations on files that survive loss of power once they return. The one place that renames.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::SpoolError;

/// Moves a finished file to its place: syncs it, creates the folders of `to`, renames, syncs the folders.
///
/// When it returns `Ok`, the file is at `to`, whole, also after loss of power; what was at `to` before is replaced.
/// Both paths must lie on one file system.
///
/// # Errors
/// [`SpoolError::Io`] or [`SpoolError::DiskFull`] with the path; the file is then at `from` or at `to`.
pub fn publish_file(from: &Path, to: &Path) -> Result<(), SpoolError> {
    let file = File::open(from).map_err(|e| SpoolError::io("open", from, e))?;
    file.sync_data().map_err(|e| SpoolError::io("sync", from, e))?;
    let folder = parent(to);
    let created = create_folders(folder).map_err(|e| SpoolError::io("create", folder, e))?;
    rename(from, to).map_err(|e| SpoolError::io("move to its place", to, e))?;
    for folder in [folder.to_owned()].iter().chain(&created) {
        sync_folder(folder).map_err(|e| SpoolError::io("sync", folder, e))?;
    }
    Ok(())
}

/// The folder that a path lies in.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) | None => Path::new("."),
    }
}

/// Renames, and no more: the caller syncs file and folder.
#[expect(clippy::disallowed_methods, reason = "this room is the one that may rename")]
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// Renames where nothing is; `false` when something is. The caller syncs file and folder.
pub(crate) fn rename_if_free(from: &Path, to: &Path) -> io::Result<bool> {
    match rename_without_replacing(from, to) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        // Not every file system can; whoever moves holds the lock on all moves.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            if to.try_exists()? {
                return Ok(false);
            }
            rename(from, to).map(|()| true)
        }
        Err(error) => Err(error),
    }
}

#[cfg(target_os = "linux")]
fn rename_without_replacing(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE).map_err(io::Error::from)
}

#[cfg(not(target_os = "linux"))]
fn rename_without_replacing(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::InvalidInput.into())
}

/// Creates a file that has no name and goes when it is closed, on the file system of `folder`. Not every one can.
#[cfg(target_os = "linux")]
pub(crate) fn create_unnamed(folder: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    Ok(open(folder, flags, Mode::from_raw_mode(0o666))?.into())
}

/// Gives a name to a file that has none, where nothing is; `false` when something is.
#[cfg(target_os = "linux")]
pub(crate) fn name_if_free(file: &File, to: &Path) -> io::Result<bool> {
    use rustix::fs::{AtFlags, CWD, linkat};
    use std::os::fd::AsRawFd;
    let from = format!("/proc/self/fd/{}", file.as_raw_fd());
    match linkat(CWD, from, CWD, to, AtFlags::SYMLINK_FOLLOW) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::EXIST) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn create_unnamed(_: &Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn name_if_free(_: &File, _: &Path) -> io::Result<bool> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether files can be made in `folder` without a name and be named later; `probe` is a name that is free.
pub(crate) fn can_name_later(folder: &Path, probe: &Path) -> bool {
    let named = create_unnamed(folder).and_then(|file| name_if_free(&file, probe));
    named.is_ok_and(|named| named) && fs::remove_file(probe).is_ok()
}

/// Makes the entries of a folder durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Creates a folder and those above it; gives the folders whose entries changed by that.
fn create_folders(path: &Path) -> io::Result<Vec<PathBuf>> {
    let missing = path.ancestors().take_while(|folder| !folder.exists());
    let changed = missing.map(|folder| parent(folder).to_owned()).collect();
    fs::create_dir_all(path)?;
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_published_into_new_folders_and_over_an_older_one() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("part"), dir.path().join("a/b/c.dcm"));
        for text in ["one", "two"] {
            fs::write(&from, text).unwrap();
            publish_file(&from, &to).unwrap();
            assert_eq!(fs::read_to_string(&to).unwrap(), text);
            assert!(!from.exists());
        }
    }

    #[test]
    fn what_is_not_there_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = publish_file(&dir.path().join("none"), &dir.path().join("to")).unwrap_err();
        assert!(error.to_string().contains("none"), "{error}");
    }
}

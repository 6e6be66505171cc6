//! What makes the name of a file durable, by the file system that it lies on.

use std::path::Path;

/// What makes the name of a new or moved file durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// A sync of the file, which writes the journal up to its last change: ext4 and ext3 with a journal, XFS and btrfs do so.
    WithFile,
    /// Only a sync of its folder, which is all that POSIX promises.
    ByFolder,
}

impl Names {
    /// What holds for the file system of a folder that exists; the careful answer where nobody can tell.
    #[cfg(target_os = "linux")]
    pub(crate) fn at(folder: &Path) -> Self {
        /// ext2 to ext4, which differ by their journal only.
        const EXT: i64 = 0xEF53;
        /// XFS, btrfs; and tmpfs, where there is nothing to be durable.
        const KNOWN: [i64; 3] = [0x5846_5342, 0x9123_683E, 0x0102_1994];
        match rustix::fs::statfs(folder).map(|info| info.f_type) {
            Ok(magic) if KNOWN.contains(&magic) => Self::WithFile,
            Ok(EXT) if has_journal(folder) => Self::WithFile,
            Ok(_) | Err(_) => Self::ByFolder,
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn at(_: &Path) -> Self {
        Self::ByFolder
    }
}

/// Whether the kernel keeps a journal in the file system of a folder. One on another device is not found.
#[cfg(target_os = "linux")]
fn has_journal(folder: &Path) -> bool {
    let Some(device) = device_of(folder) else { return false };
    let Ok(journals) = std::fs::read_dir("/proc/fs/jbd2") else { return false };
    let mut names = journals.flatten().map(|journal| journal.file_name());
    names.any(|name| name.to_str().is_some_and(|name| is_journal_of(name, &device)))
}

/// The kernel's name of the block device that a folder lies on: `sda1`.
#[cfg(target_os = "linux")]
fn device_of(folder: &Path) -> Option<String> {
    let device = rustix::fs::stat(folder).ok()?.st_dev;
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let link = std::fs::read_link(format!("/sys/dev/block/{major}:{minor}")).ok()?;
    Some(link.file_name()?.to_str()?.to_owned())
}

/// Whether a journal, named by its device and its inode, is that of a device.
#[cfg(target_os = "linux")]
fn is_journal_of(journal: &str, device: &str) -> bool {
    journal.rsplit_once('-').is_some_and(|(of, _)| of == device)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_journal_belongs_to_one_device() {
        assert!(is_journal_of("sda1-8", "sda1"));
        assert!(is_journal_of("dm-0-8", "dm-0"));
        for (journal, device) in [("sda11-8", "sda1"), ("sda1-8", "sda"), ("dm-0", "dm-0")] {
            assert!(!is_journal_of(journal, device), "{journal} {device}");
        }
    }

    #[test]
    fn where_nothing_is_known_folders_are_synced() {
        assert_eq!(Names::at(Path::new("/proc")), Names::ByFolder);
        assert_eq!(Names::at(Path::new("/no such folder")), Names::ByFolder);
    }
}

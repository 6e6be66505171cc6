//! Free memory that a measurement can count on.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use anyhow::{Context as _, Result};
use rustix::fs::{FallocateFlags, MemfdFlags, fallocate, memfd_create};

/// How much is written at a time.
const STRETCH: usize = 1 << 20;
/// What stays of each stretch.
const KEPT: u64 = 4096;

/// Free memory that is really there.
///
/// The host of a virtual machine may take back what is free for a second, in pieces of 2 MiB (free page reporting of
/// virtio-balloon). Who writes there next waits for the host: one to two seconds a gigabyte on such a machine, against 0.05.
/// Which of two receivers in turn pays for it is chance. This takes memory, gives all but a page of every MiB
/// back, and holds those: what is free then lies in pieces too small to be taken.
///
/// Dropped, it holds nothing any more.
#[derive(Debug)]
pub struct BackedMemory {
    _held: File,
}

impl BackedMemory {
    /// Holds about so many bytes of free memory ready for whoever asks next.
    ///
    /// # Errors
    /// When there is not so much memory.
    pub fn hold(bytes: usize) -> Result<Self> {
        let held = File::from(memfd_create("backed", MemfdFlags::CLOEXEC).context("memory")?);
        let stretch = vec![1; STRETCH];
        let places = (0..u64::try_from(bytes)?).step_by(STRETCH);
        for at in places.clone() {
            held.write_all_at(&stretch, at).context("memory")?;
        }
        for at in places {
            let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            let length = u64::try_from(STRETCH)? - KEPT;
            fallocate(&held, hole, at + KEPT, length).context("giving memory back")?;
        }
        Ok(Self { _held: held })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_a_page_of_every_stretch() {
        let backed = BackedMemory::hold(3 * STRETCH).unwrap();
        let blocks = std::os::unix::fs::MetadataExt::blocks(&backed._held.metadata().unwrap());
        assert_eq!(512 * blocks, 3 * KEPT);
    }
}

//! Free memory that a measurement can count on.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

use anyhow::{Context as _, Result};
use rustix::fs::{FallocateFlags, MemfdFlags, fallocate, memfd_create};

/// How much is written at a time.
const STRETCH: usize = 1 << 19;
/// What stays of each stretch.
const KEPT: u64 = 4096;
/// What nobody holds: for programs that start meanwhile.
const SPARE: usize = 1 << 30;

/// Free memory that is really there.
///
/// The host of a virtual machine may take back what is free for a second, in pieces of 2 MiB (free page reporting of
/// virtio-balloon). Who writes there next waits for the host: one to two seconds a gigabyte on such a machine, against 0.05.
/// Who pays for it is chance, and those who write much at once pay more often: they are given large pieces.
///
/// This takes the memory that is free, gives back all but a page of every 512 KiB of what is to be ready, and holds the rest:
/// what is free then lies in pieces too small to be taken. Dropped, it holds nothing any more.
#[derive(Debug)]
pub struct BackedMemory {
    _held: [File; 2],
}

impl BackedMemory {
    /// Holds about so many bytes of free memory ready for whoever asks next, and nearly all else that is free.
    ///
    /// # Errors
    /// When there is not so much memory.
    pub fn hold(bytes: usize) -> Result<Self> {
        let others = free_bytes()?.saturating_sub(bytes).saturating_sub(SPARE);
        Self::hold_with(bytes, others)
    }

    fn hold_with(bytes: usize, others: usize) -> Result<Self> {
        let (others, ready) = (written(others)?, written(bytes)?);
        for at in stretches(bytes)? {
            let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            let length = u64::try_from(STRETCH)? - KEPT;
            fallocate(&ready, hole, at + KEPT, length).context("giving memory back")?;
        }
        Ok(Self { _held: [others, ready] })
    }
}

/// A file in memory.
fn written(bytes: usize) -> Result<File> {
    let file = File::from(memfd_create("backed", MemfdFlags::CLOEXEC).context("memory")?);
    let stretch = vec![1; STRETCH];
    for at in stretches(bytes)? {
        file.write_all_at(&stretch, at).context("memory")?;
    }
    Ok(file)
}

/// Where the stretches begin.
fn stretches(bytes: usize) -> Result<impl Iterator<Item = u64>> {
    Ok((0..u64::try_from(bytes)?).step_by(STRETCH))
}

fn free_bytes() -> Result<usize> {
    let info = fs::read_to_string("/proc/meminfo").context("/proc/meminfo")?;
    let free = info.lines().find_map(|line| line.strip_prefix("MemFree:")?.strip_suffix("kB"));
    let kib: usize = free.context("/proc/meminfo without MemFree")?.trim().parse()?;
    Ok(1024 * kib)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn holds_a_page_of_every_stretch_and_all_of_the_others() {
        let backed = BackedMemory::hold_with(3 * STRETCH, 2 * STRETCH).unwrap();
        let bytes = backed._held.each_ref().map(|held| 512 * held.metadata().unwrap().blocks());
        assert_eq!(bytes, [2 * STRETCH as u64, 3 * KEPT]);
        assert!(free_bytes().unwrap() > 0);
    }
}

//! What no receiver can be faster than: the same bytes over TCP and into files, without DICOM.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tests::Stopwatch;

/// Bytes of an instance, about those of a CT slice with its header.
const INSTANCE_BYTES: usize = 525_000;
/// Bytes that are read and written at once.
const PIECE_BYTES: usize = 128 * 1024;

/// A floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Floor {
    /// Bytes over loopback that the other side throws away.
    Tcp,
    /// A file for each instance, not synced.
    Files,
    /// A file for each instance, each synced with fdatasync before the next.
    SyncedFiles,
}

impl Floor {
    pub(crate) const ALL: [Self; 3] = [Self::Tcp, Self::Files, Self::SyncedFiles];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tcp => "floor: TCP, thrown away",
            Self::Files => "floor: files, not synced",
            Self::SyncedFiles => "floor: files, each synced",
        }
    }

    /// So many instances by as many threads as there would be associations.
    pub(crate) fn measure(self, dir: &Path, threads: usize, instances: usize) -> Result<Duration> {
        let share = instances / threads;
        let watch = Stopwatch::start();
        thread::scope(|scope| {
            let work = (0..threads).map(|thread| {
                scope.spawn(move || match self {
                    Self::Tcp => copy(share),
                    Self::Files => write(&dir.join(thread.to_string()), share, None),
                    Self::SyncedFiles => {
                        write(&dir.join(thread.to_string()), share, Some(File::sync_data))
                    }
                })
            });
            let work: Vec<_> = work.collect();
            work.into_iter().try_for_each(|work| {
                work.join().unwrap_or_else(|_| bail!("a thread failed by a bug"))
            })
        })?;
        Ok(watch.elapsed())
    }
}

fn copy(instances: usize) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").context("listening")?;
    let address = listener.local_addr().context("listening")?;
    let sender = thread::spawn(move || -> Result<()> {
        let mut stream = TcpStream::connect(address).context("connecting")?;
        let bytes = vec![7; INSTANCE_BYTES];
        (0..instances).try_for_each(|_| stream.write_all(&bytes)).context("sending")
    });
    let (mut stream, _) = listener.accept().context("accepting")?;
    let mut buffer = vec![0; 2 * PIECE_BYTES];
    while stream.read(&mut buffer).context("reading")? > 0 {}
    sender.join().unwrap_or_else(|_| bail!("a thread failed by a bug"))
}

fn write(
    dir: &Path,
    instances: usize,
    sync: Option<fn(&File) -> std::io::Result<()>>,
) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
    let bytes = vec![7; INSTANCE_BYTES];
    for number in 0..instances {
        let path = dir.join(number.to_string());
        let write = || {
            let mut file = File::create_new(&path)?;
            bytes.chunks(PIECE_BYTES).try_for_each(|piece| file.write_all(piece))?;
            sync.map_or(Ok(()), |sync| sync(&file))
        };
        write().with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

//! Who sends: DCMTK's storescu as it comes and without Nagle's algorithm, and our own load generator.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tests::{Load, Phantom, Stopwatch};

/// Instances lie in as many folders, one for each association at most.
const FOLDERS: usize = 4;

/// A sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sender {
    Load,
    StorescuNodelay,
    Storescu,
}

/// What is sent to whom.
#[derive(Debug, Clone)]
pub(crate) struct Sending<'a> {
    pub(crate) port: u16,
    pub(crate) called: &'static str,
    pub(crate) associations: usize,
    pub(crate) instances: usize,
    /// Where [`write_files`] wrote them.
    pub(crate) files: &'a Path,
}

impl Sender {
    pub(crate) const ALL: [Self; 3] = [Self::Load, Self::StorescuNodelay, Self::Storescu];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Load => "load generator",
            Self::StorescuNodelay => "storescu, TCP_NODELAY",
            Self::Storescu => "storescu, stock",
        }
    }

    /// Sends everything; the time is from before the first connection to after the last release.
    pub(crate) fn send(self, sending: &Sending<'_>) -> Result<Duration> {
        let &Sending { port, called, associations, instances, .. } = sending;
        match self {
            Self::Load => {
                Load { port, called: called.into(), associations, instances, seed: 1 }.send()
            }
            Self::StorescuNodelay => storescu(sending, Some("1")),
            Self::Storescu => storescu(sending, None),
        }
    }
}

/// As many processes as associations, each with its share of the folders.
fn storescu(sending: &Sending<'_>, nodelay: Option<&str>) -> Result<Duration> {
    let folders = folders(sending.files, sending.instances);
    let watch = Stopwatch::start();
    let start = |share: &[PathBuf]| {
        let mut command = Command::new("storescu");
        command.env_remove("TCP_NODELAY").envs(nodelay.map(|value| ("TCP_NODELAY", value)));
        command.args(["-aec", sending.called, "+sd", "127.0.0.1", &sending.port.to_string()]);
        command.args(share).stdout(Stdio::null()).spawn().context("starting storescu")
    };
    let shares = folders.chunks(FOLDERS / sending.associations);
    let children = shares.map(start).collect::<Result<Vec<Child>>>()?;
    for mut child in children {
        let status = child.wait().context("waiting for storescu")?;
        ensure!(status.success(), "storescu: {status}");
    }
    Ok(watch.elapsed())
}

fn folders(files: &Path, instances: usize) -> Vec<PathBuf> {
    (0..FOLDERS).map(|folder| files.join(format!("{instances}/{folder}"))).collect()
}

/// Writes so many instances for storescu, unless they are there.
pub(crate) fn write_files(files: &Path, instances: usize) -> Result<()> {
    for (seed, folder) in (1000..).zip(folders(files, instances)) {
        let slices = instances / FOLDERS;
        let is_whole = std::fs::read_dir(&folder).is_ok_and(|entries| entries.count() == slices);
        if !is_whole {
            let phantom = Phantom { columns: 512, rows: 512, ..Phantom::small(seed, slices) };
            phantom.write(&folder)?;
        }
    }
    Ok(())
}

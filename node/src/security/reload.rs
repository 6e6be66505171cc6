//! Files that are read again when they change, or at SIGHUP. A new version that cannot be used leaves the old one in use.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::failure::{Failure, Fault, OrFail};

/// How often files are looked at. A change counts when it is the same at two looks: files are written one after another.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// When a file was written, and how long it is; `None` when it is not there.
type Stamp = Option<(SystemTime, u64)>;

/// One thing that is made of files.
pub(crate) struct Part {
    what: String,
    paths: Vec<PathBuf>,
    /// As they were when they were read.
    read: Vec<Stamp>,
    /// As they were at the last look.
    seen: Vec<Stamp>,
    make: Box<dyn Fn() -> Result<(), String> + Send>,
}

impl Part {
    /// Makes the thing for the first time.
    pub(super) fn make<T: Send + Sync + 'static>(
        what: &str,
        paths: Vec<PathBuf>,
        make: impl Fn() -> Result<T, String> + Send + 'static,
    ) -> Result<(Self, watch::Receiver<T>), String> {
        let read = stamps(&paths);
        let (sender, current) = watch::channel(make()?);
        let make = Box::new(move || {
            sender.send_replace(make()?);
            Ok(())
        });
        let seen = read.clone();
        Ok((Self { what: what.to_owned(), paths, read, seen, make }, current))
    }

    /// Looks, and reads what has changed and does not change any more.
    fn look(&mut self) -> Option<Result<(), String>> {
        let now = stamps(&self.paths);
        let is_still = now == self.seen;
        self.seen.clone_from(&now);
        (is_still && now != self.read).then(|| self.read_again(now))
    }

    fn read_again(&mut self, now: Vec<Stamp>) -> Result<(), String> {
        self.read = now;
        (self.make)()
    }

    fn note(&self, outcome: &Result<(), String>) {
        let what = &self.what;
        match outcome {
            Ok(()) => tracing::info!(what, "read again: new associations use it"),
            Err(fault) => {
                tracing::error!(what, fault, "cannot be used; what was read before stays")
            }
        }
    }
}

/// What a round reads.
#[derive(Debug, Clone, Copy)]
enum Which {
    /// What has changed.
    Changed,
    /// Everything: somebody asked for it.
    All,
}

fn stamps(paths: &[PathBuf]) -> Vec<Stamp> {
    let stamp =
        |path: &Path| fs::metadata(path).ok().and_then(|m| Some((m.modified().ok()?, m.len())));
    paths.iter().map(|path| stamp(path)).collect()
}

/// SIGHUP, from the moment on at which this is made: the signal ends a process that does not listen to it.
pub(crate) struct Hangup(Signal);

impl Hangup {
    /// Listens; within a runtime.
    pub(crate) fn listen() -> Result<Self, Failure> {
        signal(SignalKind::hangup()).map(Self).or_fail(Fault::Internal, || "SIGHUP")
    }
}

/// All parts.
#[derive(Default)]
pub(crate) struct Reloading {
    parts: Vec<Part>,
}

impl std::fmt::Debug for Reloading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.parts.iter().map(|part| &part.what)).finish()
    }
}

impl Reloading {
    pub(super) fn new(parts: Vec<Part>) -> Self {
        Self { parts }
    }

    /// Looks until `stop` is set; `read` hears that something was read again.
    pub(crate) async fn run(
        mut self,
        mut hangup: Hangup,
        mut stop: watch::Receiver<bool>,
        mut read: impl FnMut(),
    ) {
        loop {
            let which = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                Some(()) = hangup.0.recv() => Which::All,
                () = tokio::time::sleep(LOOK_EVERY) => Which::Changed,
            };
            if self.round(which) {
                read();
            }
        }
    }

    /// One round over all parts; whether something was read.
    fn round(&mut self, which: Which) -> bool {
        let mut any = false;
        for part in &mut self.parts {
            let outcome = match which {
                Which::Changed => part.look(),
                Which::All => {
                    let now = stamps(&part.paths);
                    Some(part.read_again(now))
                }
            };
            if let Some(outcome) = outcome {
                part.note(&outcome);
                any = true;
            }
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(path: &Path) -> (Part, watch::Receiver<String>) {
        let file = path.to_path_buf();
        let make = move || match fs::read_to_string(&file).map_err(|error| error.to_string())? {
            text if text.starts_with("bad") => Err("bad".to_owned()),
            text => Ok(text),
        };
        Part::make("text", vec![path.to_path_buf()], make).unwrap()
    }

    #[test]
    fn a_change_counts_when_it_is_still_and_a_bad_one_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "one").unwrap();
        let (mut part, current) = part(&path);
        assert_eq!(part.look(), None);
        fs::write(&path, "second").unwrap();
        assert_eq!(part.look(), None, "it may still be written");
        assert_eq!(part.look(), Some(Ok(())));
        assert_eq!(*current.borrow(), "second");
        fs::write(&path, "bad one").unwrap();
        assert_eq!(part.look(), None);
        assert_eq!(part.look(), Some(Err("bad".into())));
        assert_eq!((part.look(), current.borrow().as_str()), (None, "second"), "said once");
        fs::remove_file(&path).unwrap();
        assert_eq!(part.look(), None);
        assert!(part.look().unwrap().is_err());
        assert_eq!(*current.borrow(), "second");
    }

    #[test]
    fn everything_is_read_at_once_after_a_signal() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "one").unwrap();
        let (part, current) = part(&path);
        fs::write(&path, "second").unwrap();
        assert!(Reloading::new(vec![part]).round(Which::All));
        assert_eq!(*current.borrow(), "second");
    }
}

//! Programs that are started and always ended, by their own id.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::clock::wait_for;

/// A program in the background whose output goes to a file; ended when dropped.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts `command`; stdout and stderr are appended to `log`.
    ///
    /// # Errors
    /// When the program cannot be started or the file not be written.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::options().create(true).append(true).open(log);
        let file = file.with_context(|| format!("opening {}", log.display()))?;
        let errors = file.try_clone().with_context(|| format!("opening {}", log.display()))?;
        let child = command.stdin(Stdio::null()).stdout(file).stderr(errors).spawn();
        let child = child.with_context(|| format!("starting {name}"))?;
        Ok(Self { name: name.to_owned(), child, log: log.to_path_buf() })
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The exit status, when the program has ended by itself.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("asking after {}", self.name))
    }

    /// Fails when the program has ended, with the end of its log.
    ///
    /// # Errors
    /// As said.
    pub fn must_run(&mut self) -> Result<()> {
        match self.ended()? {
            None => Ok(()),
            Some(status) => {
                bail!("{} ended by itself ({status}):\n{}", self.name, self.log_end(30))
            }
        }
    }

    /// Asks the program to stop (SIGTERM) and waits for it.
    ///
    /// # Errors
    /// When it is still there after `limit`; it is killed then.
    pub fn stop(&mut self, limit: Duration) -> Result<ExitStatus> {
        if self.ended()?.is_none() {
            signal("TERM", self.id())?;
        }
        let name = self.name.clone();
        let waited = wait_for(&format!("{name} to stop"), limit, || self.ended());
        if waited.is_err() {
            self.kill()?;
        }
        waited
    }

    /// Kills the program (SIGKILL) and waits for it.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill().with_context(|| format!("killing {}", self.name))?;
        self.child.wait().with_context(|| format!("waiting for {}", self.name))?;
        Ok(())
    }

    /// Largest resident memory so far, in bytes: VmHWM of the process.
    ///
    /// # Errors
    /// When the system does not say, or the process has ended.
    pub fn memory_peak_bytes(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.id());
        let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB"));
        let kilobytes: u64 = kilobytes.context("no VmHWM")?.trim().parse().context("VmHWM")?;
        Ok(kilobytes * 1024)
    }

    /// Processor time so far, of the process and of those of its children that have ended and were waited for; in steps of
    /// 10 ms (proc(5), `stat`).
    ///
    /// # Errors
    /// When the system does not say, or the process has ended.
    pub fn processor_time(&self) -> Result<Duration> {
        let path = format!("/proc/{}/stat", self.id());
        let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        let (_, behind_name) = text.rsplit_once(") ").context("no name in stat")?;
        let times = behind_name.split(' ').skip(11).take(4).map(str::parse::<u64>);
        let ticks: u64 = times.sum::<Result<_, _>>().context("times in stat")?;
        Ok(Duration::from_millis(10 * ticks))
    }

    /// The last `count` lines of the program's output.
    #[must_use]
    pub fn log_end(&self, count: usize) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(count)..].join("\n")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Killing a child that has ended is an error of no interest.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn signal(name: &str, id: u32) -> Result<()> {
    let status = Command::new("sh").args(["-c", &format!("kill -{name} {id}")]).status();
    let status = status.context("starting sh")?;
    if status.success() { Ok(()) } else { bail!("kill -{name} {id}: {status}") }
}

/// Runs a program to its end and gives its output.
///
/// # Errors
/// When it cannot be started or does not exit with 0; the error holds the end of what it printed.
pub fn run(command: &mut Command) -> Result<Output> {
    let line = format!("{command:?}");
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("starting {line}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let start = said.char_indices().rev().nth(3000).map_or(0, |(index, _)| index);
    bail!("{line}: {}\n{}", output.status, &said[start..])
}

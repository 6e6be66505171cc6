//! What xtask says: lines, and steps with their times and a summary.

use std::time::Duration;

use anyhow::{Result, bail};
use tests::Stopwatch;

/// Prints a line.
#[expect(clippy::print_stdout, reason = "this is where xtask talks")]
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// Steps that are all run, also after one failed, and summed up at the end.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    done: Vec<(String, Duration, Option<String>)>,
}

impl Steps {
    /// Runs one step.
    pub(crate) fn step(&mut self, name: &str, work: impl FnOnce() -> Result<()>) {
        line(&format!("── {name}"));
        let watch = Stopwatch::start();
        let fault = work().err().map(|error| format!("{error:#}"));
        let took = watch.elapsed();
        match &fault {
            None => line(&format!("   {name}: good, {}", seconds(took))),
            Some(fault) => line(&format!("   {name}: FAILED after {}\n{fault}", seconds(took))),
        }
        self.done.push((name.to_owned(), took, fault));
    }

    /// Prints the summary.
    ///
    /// # Errors
    /// When a step failed.
    pub(crate) fn finish(self) -> Result<()> {
        line("\n── summary");
        for (name, took, fault) in &self.done {
            let verdict = if fault.is_none() { "good" } else { "FAILED" };
            line(&format!("   {verdict:6}  {:>9}  {name}", seconds(*took)));
        }
        let failed = self.done.iter().filter(|(.., fault)| fault.is_some()).count();
        if failed > 0 {
            bail!("{failed} of {} steps failed", self.done.len());
        }
        Ok(())
    }
}

/// A time as people read it.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

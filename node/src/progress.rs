//! Progress of long work: a bar or a spinner on a terminal, plain lines in the log elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Something that goes on for a while.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    what: String,
}

impl Progress {
    /// Work whose length is not known.
    pub(crate) fn spinner(what: &str) -> Self {
        let bar = on_terminal().then(|| {
            let bar = ProgressBar::new_spinner().with_message(what.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self::start(bar, what)
    }

    /// Work in `count` steps.
    pub(crate) fn steps(what: &str, count: usize) -> Self {
        let bar = on_terminal().then(|| {
            let style = "{msg} [{bar:40}] {pos}/{len} {per_sec} {eta} left";
            let style = ProgressStyle::with_template(style)
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(count as u64).with_style(style).with_message(what.to_owned())
        });
        Self::start(bar, what)
    }

    fn start(bar: Option<ProgressBar>, what: &str) -> Self {
        if bar.is_none() {
            tracing::info!("{what}");
        }
        Self { bar, what: what.to_owned() }
    }

    /// One more step is done.
    pub(crate) fn step(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// The work is done.
    pub(crate) fn finish(self) {
        match self.bar {
            Some(bar) => bar.finish_and_clear(),
            None => tracing::info!("{}: done", self.what),
        }
    }
}

fn on_terminal() -> bool {
    std::io::stderr().is_terminal()
}

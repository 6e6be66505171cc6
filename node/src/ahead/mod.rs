//! Slices of a series are put to a promptable model while the rest of the series still arrives.
//!
//! Only where the first instance tells which rules will take the series. It is a thread of its own that gives way: it rests while
//! a job runs, and it loses words rather than let the assembling thread wait. Its answers are in memory alone; what is lost with
//! a restart, or was made in vain because a later instance changed what is asked, is simply made again by the job.

mod answers;
mod growing;
mod worker;

pub(crate) use answers::{AheadAnswers, AheadCounters};
pub(crate) use worker::{AheadWorker, Word};

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};

use domain::SeriesInstanceUid;

/// Words that wait for the thread. One more is lost, and its slice is left to the job.
const WORDS_MAX: usize = 8_192;

/// What the assembling thread tells the one that works ahead.
#[derive(Debug)]
pub(crate) struct Ahead {
    words: SyncSender<Word>,
    answers: Arc<AheadAnswers>,
}

impl Ahead {
    /// A way to tell, and the end at which it is heard.
    pub(crate) fn new(answers: &Arc<AheadAnswers>) -> (Self, Receiver<Word>) {
        let (words, heard) = mpsc::sync_channel(WORDS_MAX);
        (Self { words, answers: Arc::clone(answers) }, heard)
    }

    /// Tells, unless nobody listens or too much waits.
    pub(crate) fn tell(&self, word: Word) {
        match self.words.try_send(word) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(_)) => tracing::debug!("too busy to work ahead"),
        }
    }

    /// A series closed and these rules took it: what was made for others is thrown away.
    pub(crate) fn series_closed<'a>(
        &self,
        series: &SeriesInstanceUid,
        rules: impl Iterator<Item = &'a str>,
    ) {
        self.tell(Word::SeriesClosed(series.clone()));
        self.answers.series_closed(series, rules);
    }
}

//! Answers made ahead, by series, bounded in memory; and what became of them.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::SeriesInstanceUid;
use inference::{AheadCounts, SliceAnswers};

/// Series with answers at a time; the oldest go first. Each has its part of the memory.
pub(super) const SERIES_MAX: usize = 4;

/// What became of answers that were made ahead, since the node started.
#[derive(Debug, Default)]
pub(crate) struct AheadCounters {
    /// Answers that were made.
    pub(crate) made: AtomicU64,
    /// Answers that a job took.
    pub(crate) used: AtomicU64,
    /// Answers that nobody took before their series was done with.
    pub(crate) thrown_away: AtomicU64,
}

/// The answers of several series.
#[derive(Debug)]
pub(crate) struct AheadAnswers {
    bytes_max: usize,
    entries: Mutex<VecDeque<Entry>>,
    /// What became of them.
    pub(crate) counters: AheadCounters,
}

/// The answers of one series, and the rules whose jobs may still ask for them.
#[derive(Debug)]
struct Entry {
    series: SeriesInstanceUid,
    answers: Arc<SliceAnswers>,
    rules: BTreeSet<String>,
}

impl AheadAnswers {
    /// Room for answers of so many bytes; 0: nobody works ahead.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, entries: Mutex::default(), counters: AheadCounters::default() }
    }

    /// Whether there is any room.
    pub(crate) fn is_wanted(&self) -> bool {
        self.bytes_max > 0
    }

    /// Makes room for a series that these rules will take.
    pub(super) fn begin(
        &self,
        series: &SeriesInstanceUid,
        rules: BTreeSet<String>,
    ) -> Arc<SliceAnswers> {
        let answers = Arc::new(SliceAnswers::new(self.bytes_max / SERIES_MAX));
        let entry = Entry { series: series.clone(), answers: Arc::clone(&answers), rules };
        let mut entries = self.entries();
        let old = entries.iter().position(|entry| entry.series == *series);
        let old = old.or_else(|| (entries.len() >= SERIES_MAX).then_some(0));
        let old = old.and_then(|at| entries.remove(at));
        entries.push_back(entry);
        drop(entries);
        old.iter().for_each(|entry| self.account(entry));
        answers
    }

    /// Counts an answer.
    pub(super) fn count(&self) {
        self.counters.made.fetch_add(1, Ordering::Relaxed);
    }

    /// The answers of a series, where there are some.
    pub(crate) fn of(&self, series: &SeriesInstanceUid) -> Option<Arc<SliceAnswers>> {
        let entries = self.entries();
        let entry = entries.iter().find(|entry| entry.series == *series);
        entry.map(|entry| Arc::clone(&entry.answers))
    }

    /// Only these rules have jobs on the series.
    pub(super) fn series_closed<'a>(
        &self,
        series: &SeriesInstanceUid,
        rules: impl Iterator<Item = &'a str>,
    ) {
        let taken: BTreeSet<&str> = rules.collect();
        self.keep(series, |rule| taken.contains(rule));
    }

    /// The job of a rule has ended.
    pub(crate) fn job_ended(&self, series: &SeriesInstanceUid, rule: &str) {
        self.keep(series, |other| other != rule);
    }

    /// Keeps rules of a series; one without rules is done with.
    fn keep(&self, series: &SeriesInstanceUid, keeps: impl Fn(&str) -> bool) {
        let mut entries = self.entries();
        let Some(at) = entries.iter().position(|entry| entry.series == *series) else { return };
        entries[at].rules.retain(|rule| keeps(rule));
        let done = if entries[at].rules.is_empty() { entries.remove(at) } else { None };
        drop(entries);
        done.iter().for_each(|entry| self.account(entry));
    }

    fn account(&self, entry: &Entry) {
        let AheadCounts { made, used, .. } = entry.answers.counts();
        let thrown_away = made.saturating_sub(used);
        let count = |counter: &AtomicU64, n: usize| {
            counter.fetch_add(u64::try_from(n).unwrap_or(u64::MAX), Ordering::Relaxed);
        };
        count(&self.counters.used, used);
        count(&self.counters.thrown_away, thrown_away);
        let series = &entry.series;
        tracing::info!(%series, made, used, thrown_away, "slices answered ahead");
    }

    fn entries(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(number: usize) -> SeriesInstanceUid {
        SeriesInstanceUid::parse(&format!("1.2.{number}")).unwrap()
    }

    fn begin(answers: &AheadAnswers, number: usize, rules: &[&str]) {
        answers.begin(&series(number), rules.iter().map(ToString::to_string).collect());
    }

    #[test]
    fn answers_live_until_the_last_job_of_their_series() {
        let answers = AheadAnswers::new(1 << 20);
        begin(&answers, 1, &["a", "b", "c"]);
        answers.series_closed(&series(1), ["a", "b", "other"].into_iter());
        answers.job_ended(&series(1), "a");
        assert!(answers.of(&series(1)).is_some());
        answers.job_ended(&series(1), "b");
        assert!(answers.of(&series(1)).is_none());
        answers.job_ended(&series(1), "b");
    }

    #[test]
    fn a_series_that_no_foreseen_rule_takes_is_done_with() {
        let answers = AheadAnswers::new(1 << 20);
        begin(&answers, 1, &["a"]);
        answers.series_closed(&series(1), ["b"].into_iter());
        assert!(answers.of(&series(1)).is_none());
    }

    #[test]
    fn the_oldest_series_makes_room() {
        let answers = AheadAnswers::new(1 << 20);
        (0..SERIES_MAX).for_each(|number| begin(&answers, number, &["a"]));
        begin(&answers, 1, &["a"]);
        assert!(answers.of(&series(0)).is_some(), "a series takes the place of itself");
        begin(&answers, SERIES_MAX, &["a"]);
        assert!(answers.of(&series(0)).is_none());
        assert!((1..=SERIES_MAX).all(|number| answers.of(&series(number)).is_some()));
    }
}

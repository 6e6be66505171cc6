//! The thread that works ahead: words come in, one slice at a time is answered while no job runs.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use domain::{AssociationId, Limits, RoutingTable, SeriesInstanceUid, SpooledInstance, Wishes};
use inference::{Ahead, Kind};
use series::SourceInstance;

use super::answers::{AheadAnswers, SERIES_MAX};
use super::growing::{Growing, Inquiry, Step};
use crate::models::Models;
use crate::wanted::Wanted;

/// How long the thread waits for words when there is nothing to do.
const NAP: Duration = Duration::from_secs(5);
/// How long it rests before it looks whether a job still runs.
const REST: Duration = Duration::from_millis(20);
/// How far the thread stands back behind all others of the machine, as `nice` counts.
const NICENESS: i32 = 10;

/// Series that are remembered as left to their jobs; then all are forgotten, and what comes of them is looked at anew.
const LEFT_MAX: usize = 1_024;

/// What the thread is told.
#[derive(Debug)]
pub(crate) enum Word {
    /// An instance is in the spool.
    Instance(Box<SpooledInstance>, AssociationId),
    /// An association ended.
    AssociationClosed(AssociationId),
    /// A series is complete: its job does the rest.
    SeriesClosed(SeriesInstanceUid),
    /// The node stops.
    Stop,
}

/// What the thread works with.
#[derive(Debug)]
pub(crate) struct AheadWorker {
    /// Loaded models.
    pub(crate) models: Arc<Models>,
    /// The rules.
    pub(crate) routing: RoutingTable,
    /// What destinations want of results, by name.
    pub(crate) wishes: Arc<BTreeMap<String, Wishes>>,
    /// Bounds on headers and series.
    pub(crate) limits: Limits,
    /// Where answers go.
    pub(crate) answers: Arc<AheadAnswers>,
    /// How many jobs run now: it rests while one does.
    pub(crate) working: Arc<AtomicUsize>,
    /// Set when the node stops.
    pub(crate) stopping: Arc<AtomicBool>,
}

/// The series that still arrive; `None` for one that is left to its job.
type Series = BTreeMap<SeriesInstanceUid, Option<Growing>>;

impl AheadWorker {
    /// Runs until [`Word::Stop`] or until nobody can tell any more.
    pub(crate) fn run(&self, words: &Receiver<Word>) {
        if let Err(error) = rustix::process::nice(NICENESS) {
            tracing::debug!(%error, "the thread that works ahead is as important as any other");
        }
        let mut series = Series::new();
        let mut wait = NAP;
        while !self.stopping.load(Ordering::Acquire) {
            match words.recv_timeout(wait) {
                Ok(Word::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(word) => {
                    self.hear(word, &mut series);
                    wait = Duration::ZERO;
                }
                Err(RecvTimeoutError::Timeout) => wait = self.work(&mut series),
            }
        }
    }

    fn hear(&self, word: Word, series: &mut Series) {
        match word {
            Word::Instance(instance, association) => self.add(&instance, association, series),
            Word::AssociationClosed(association) => {
                series.values_mut().flatten().for_each(|s| s.association_closed(association));
            }
            Word::SeriesClosed(closed) => {
                series.remove(&closed);
            }
            Word::Stop => {}
        }
    }

    /// Answers one slice, unless a job runs; gives how long to wait for words before the next.
    fn work(&self, series: &mut Series) -> Duration {
        // A word that was lost may have been the end of a series: its answers are gone with its jobs.
        series.retain(|uid, growing| growing.is_none() || self.answers.of(uid).is_some());
        if series.values().all(Option::is_none) {
            return NAP;
        }
        if self.working.load(Ordering::Acquire) > 0 {
            return REST;
        }
        let tried = series.values_mut().flatten().find_map(|growing| match careful_step(growing) {
            Step::Idle => None,
            Step::Tried(ahead) => Some(ahead),
        });
        match tried {
            None => NAP,
            Some(ahead) => {
                if ahead == Some(Ahead::Made) {
                    self.answers.count();
                }
                Duration::ZERO
            }
        }
    }

    fn add(&self, instance: &SpooledInstance, association: AssociationId, series: &mut Series) {
        let uid = &instance.identity.series;
        let paths = std::slice::from_ref(&instance.path);
        let read = series::read_instances(paths, &self.limits)
            .ok()
            .and_then(|read| read.into_iter().next());
        let Some(header) = read else { return };
        if !series.contains_key(uid) {
            let arriving = series.values().flatten().count();
            if series.len() >= LEFT_MAX {
                series.retain(|_, growing| growing.is_some());
            }
            let begun = (arriving < SERIES_MAX).then(|| self.begin(instance, &header)).flatten();
            series.insert(uid.clone(), begun);
        }
        let Some(entry) = series.get_mut(uid) else { return };
        let Some(growing) = entry else { return };
        if let Err(error) = growing.add(&header, association, &self.limits) {
            tracing::debug!(%error, "not answered ahead");
            *entry = None;
        }
    }

    /// What the first instance tells of its series: the rules that will take it, and what their models are asked.
    fn begin(&self, instance: &SpooledInstance, first: &Arc<SourceInstance>) -> Option<Growing> {
        let (calling, called) = (instance.calling.clone(), instance.called.clone());
        let facts = series::facts(std::slice::from_ref(first), Some(calling), Some(called));
        let mut rules = BTreeSet::new();
        let mut inquiries = Vec::new();
        for rule in self.routing.foresee(&facts) {
            let model = self.models.get(&rule.model).filter(|model| model.kind() == Kind::Prompt);
            let Some(model) = model else { continue };
            let Ok(questions) = model.understand(&rule.ask, &first.header) else { continue };
            let probabilities = Wanted::of(&rule.destinations, &self.wishes).has_probabilities();
            inquiries.push(Inquiry::new(Arc::clone(model), questions, probabilities));
            rules.insert(rule.name.clone());
        }
        let series = &instance.identity.series;
        (!inquiries.is_empty()).then(|| {
            tracing::info!(%series, ?rules, "slices are answered while the series arrives");
            Growing::new(inquiries, self.answers.begin(series, rules))
        })
    }
}

/// A panic is a bug of ours; it costs a slice that the job will answer, or fail with.
fn careful_step(growing: &mut Growing) -> Step {
    let stepped = panic::catch_unwind(AssertUnwindSafe(|| growing.step()));
    stepped.unwrap_or(Step::Tried(None))
}

//! Answers about single slices that were made before their series was whole.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use dataset::tags;
use domain::Unsuitable;
use series::SourceSlice;

use super::Questions;
use super::asker::{Asker, Between};
use super::engine::SliceName;
use super::shot::Shot;
use super::slice_answer::SliceAnswer;
use crate::manifest::Generation;
use crate::model::Model;
use crate::scores::Next;

/// Answers made ahead, shared between threads, bounded in memory: the oldest go first.
///
/// An answer is found again only by the same questions to the same model about the same pixels of the same instance and, where the
/// model looks at them, the same neighbours; so what was made for a series that changed is never used, and falls out in time.
#[derive(Debug)]
pub struct SliceAnswers {
    bytes_max: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    answers: HashMap<[u8; 32], SliceAnswer>,
    oldest_first: VecDeque<[u8; 32]>,
    bytes: usize,
    counts: AheadCounts,
}

/// How many answers were made ahead, and what became of them. Those that are neither used nor dropped are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AheadCounts {
    /// Made.
    pub made: usize,
    /// Used by the series.
    pub used: usize,
    /// Thrown away: too old, or cleared.
    pub dropped: usize,
}

/// What became of a slice that was to be answered ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ahead {
    /// It was answered, and the answer is kept.
    Made,
    /// Its answer was there already.
    Known,
    /// It cannot be answered before the whole series is there: its intensities are scaled by those of all slices.
    NeedsSeries,
}

impl SliceAnswers {
    /// An empty store for answers of at most so many bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, kept: Mutex::default() }
    }

    /// How many answers are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.with(|kept| kept.answers.len())
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many answers were made, used and thrown away so far.
    #[must_use]
    pub fn counts(&self) -> AheadCounts {
        self.with(|kept| kept.counts)
    }

    /// Throws all away; gives how many there were.
    pub fn clear(&self) -> usize {
        self.with(|kept| {
            let dropped = kept.answers.len();
            kept.counts.dropped += dropped;
            *kept = Kept { counts: kept.counts, ..Kept::default() };
            dropped
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Kept) -> T) -> T {
        act(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn has(&self, key: &[u8; 32]) -> bool {
        self.with(|kept| kept.answers.contains_key(key))
    }

    /// Takes an answer out: it has served then.
    pub(super) fn take(&self, key: &[u8; 32]) -> Option<SliceAnswer> {
        self.with(|kept| {
            let answer = kept.answers.remove(key)?;
            kept.oldest_first.retain(|other| other != key);
            kept.bytes = kept.bytes.saturating_sub(answer.bytes());
            kept.counts.used += 1;
            Some(answer)
        })
    }

    pub(super) fn put(&self, key: [u8; 32], answer: SliceAnswer) {
        self.with(|kept| {
            kept.counts.made += 1;
            kept.bytes += answer.bytes();
            kept.oldest_first.push_back(key);
            kept.answers.insert(key, answer);
            while kept.bytes > self.bytes_max {
                let Some(oldest) = kept.oldest_first.pop_front() else { break };
                let dropped = kept.answers.remove(&oldest);
                kept.bytes -= dropped.map_or(0, |answer| answer.bytes()).min(kept.bytes);
                kept.counts.dropped += 1;
            }
        });
    }
}

/// A slice and those beside it, along the normal of the stack.
#[derive(Debug, Clone, Copy)]
pub struct Neighbourhood<'a> {
    /// The slice.
    pub this: &'a SourceSlice,
    /// The one before; `None` for the first of the series.
    pub previous: Option<&'a SourceSlice>,
    /// The one behind; `None` for the last of the series.
    pub next: Option<&'a SourceSlice>,
}

/// Asks a model about one slice whose series is not whole yet, and keeps the answer for [`super::answer()`].
///
/// A model that looks at no neighbours may be given none.
///
/// # Errors
/// Those of [`super::answer()`].
pub fn answer_ahead(
    model: &Model,
    questions: &Questions,
    slice: &Neighbourhood<'_>,
    keep_probabilities: bool,
    into: &SliceAnswers,
) -> Result<Ahead, Unsuitable> {
    let (engine, _) = model.prompting()?;
    let size = size_of_slice(slice.this);
    let asker = Asker::new(engine, questions, size, keep_probabilities)?;
    let take = |slice: &SourceSlice| Shot::take(slice, size, &asker.looks);
    let beside = |slice: Option<&SourceSlice>| match engine.generation() {
        Generation::V1 => Ok(None),
        Generation::V2 => slice.map(take).transpose(),
    };
    let this = take(slice.this)?;
    let (previous, next) = (beside(slice.previous)?, beside(slice.next)?);
    let shots = Between { this: &this, previous: previous.as_ref(), next: next.as_ref() };
    if shots.three().into_iter().any(|shot| asker.needs_series(shot)) {
        return Ok(Ahead::NeedsSeries);
    }
    let name = SliceName::of(slice.this);
    let key = asker.key(name, shots.map(|shot| &shot.digest));
    if into.has(&key) {
        return Ok(Ahead::Known);
    }
    let planes = |shot: &Shot| asker.planes(shot, None);
    let own = planes(&this);
    let (before, behind) = (previous.as_ref().map(planes), next.as_ref().map(planes));
    let planes = Between { this: &own, previous: before.as_ref(), next: behind.as_ref() };
    let pictures = asker.show(&this, planes);
    let decoded = asker.ask(&pictures, name, Next::Run)?;
    let pictures: Vec<Vec<u8>> = pictures.into_iter().map(|shown| shown.rgb).collect();
    into.put(key, asker.judge(decoded, &pictures)?);
    Ok(Ahead::Made)
}

/// Columns and rows of a slice by its header; decoding compares them with the frame.
fn size_of_slice(slice: &SourceSlice) -> [usize; 2] {
    let header = &slice.instance.header;
    [tags::COLUMNS, tags::ROWS].map(|tag| {
        header.int(tag).and_then(|count| usize::try_from(count).ok()).unwrap_or(0).max(1)
    })
}

#[cfg(test)]
mod tests {
    use super::super::slice_answer::PromptAnswer;
    use super::*;
    use domain::SliceMask;

    fn answer(bytes: usize) -> SliceAnswer {
        let mask = SliceMask { bits: vec![1; bytes], pixel_count: bytes };
        SliceAnswer(vec![PromptAnswer { mask: Some(mask), ..PromptAnswer::default() }])
    }

    #[test]
    fn the_oldest_answers_go_first() {
        let store = SliceAnswers::new(2 * answer(1000).bytes());
        for n in 0..3 {
            store.put([n; 32], answer(1000));
        }
        assert_eq!(store.len(), 2);
        assert!(!store.has(&[0; 32]) && store.has(&[2; 32]));
        assert_eq!(store.take(&[1; 32]), Some(answer(1000)));
        assert_eq!(store.take(&[1; 32]), None);
        assert_eq!(store.counts(), AheadCounts { made: 3, used: 1, dropped: 1 });
        assert_eq!(store.clear(), 1);
        assert!(store.is_empty());
        assert_eq!(store.counts(), AheadCounts { made: 3, used: 1, dropped: 2 });
    }

    #[test]
    fn what_is_larger_than_the_store_is_not_kept() {
        let store = SliceAnswers::new(10);
        store.put([1; 32], answer(1000));
        assert!(store.is_empty());
    }
}

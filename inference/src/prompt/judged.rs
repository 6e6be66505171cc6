//! A slice behind judgement, with what measurements need of it, so that its values need not be held for them.

use domain::SliceMask;

use super::slice_answer::{PromptAnswer, SliceAnswer};
use crate::measure::{Kept, Part};

/// What stays of a slice.
#[derive(Debug)]
pub(super) struct Judged {
    /// The answers to all questions.
    pub(super) answer: SliceAnswer,
    /// The measurements of their masks; `None` where a question has none.
    pub(super) parts: Vec<Option<Part>>,
    /// The values under their masks.
    pub(super) kept: Kept,
}

impl Judged {
    /// Of slice `k`, of so many columns. `values` are its modality values, row by row; none of colour.
    pub(super) fn new(answer: SliceAnswer, values: &[f32], columns: usize, k: usize) -> Self {
        let own = (!values.is_empty()).then_some(values);
        let part = |answer: &PromptAnswer| Part::of(answer.mask.as_ref()?, own, columns, k);
        let parts = answer.0.iter().map(part).collect();
        let kept = Kept::of(masks(&answer), values);
        Self { answer, parts, kept }
    }
}

fn masks(answer: &SliceAnswer) -> impl Iterator<Item = &SliceMask> {
    answer.0.iter().filter_map(|answer| answer.mask.as_ref())
}

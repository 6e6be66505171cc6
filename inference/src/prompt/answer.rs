//! Questions and a series become findings, slice by slice.

use domain::{Findings, Unsuitable, UnsuitableCode};
use series::{SourceSeries, SourceSlice};

use super::{Ahead, Questions, SliceAnswers};
use crate::model::Model;
use crate::volume::Volume;

/// How a series is answered.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnswerOptions<'a> {
    /// Whether the probability of each pixel is kept, for FRACTIONAL segments.
    pub keep_probabilities: bool,
    /// Answers that were made ahead.
    pub ahead: Option<&'a SliceAnswers>,
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

/// Asks a model about a series.
///
/// # Errors
/// What decoding says of the first slice that cannot be decoded; [`UnsuitableCode::ModelFailed`], naming the graph.
pub fn answer(
    model: &Model,
    source: &SourceSeries,
    questions: &Questions,
    options: AnswerOptions<'_>,
) -> Result<(Volume, Findings), Unsuitable> {
    let _unused = (model, source, questions, options);
    Err(Unsuitable::new(UnsuitableCode::ModelFailed, "not built yet"))
}

/// Asks a model about one slice whose series is not whole yet, and keeps the answer for [`answer`].
///
/// An answer is found again only by the same questions about the same pixels with the same neighbours. A model that looks at
/// no neighbours may be given none.
///
/// # Errors
/// Those of [`answer`].
pub fn answer_ahead(
    model: &Model,
    questions: &Questions,
    slice: &Neighbourhood<'_>,
    keep_probabilities: bool,
    into: &SliceAnswers,
) -> Result<Ahead, Unsuitable> {
    let _unused = (model, questions, slice, keep_probabilities, into);
    Err(Unsuitable::new(UnsuitableCode::ModelFailed, "not built yet"))
}

//! What is known of one slice once all questions are answered, on the grid of the source.

use domain::SliceMask;

/// The answers to all questions about one slice, in their order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SliceAnswer(pub(super) Vec<PromptAnswer>);

/// The answer to one question about one slice.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct PromptAnswer {
    /// What became of it.
    pub(super) outcome: Outcome,
    /// The p-value of the mask, where there is one and it was tested.
    pub(super) p: Option<f64>,
    /// The probability that the target is in the slice, where the model says one.
    pub(super) existence: Option<f64>,
    /// The pixels of what was found.
    pub(super) mask: Option<SliceMask>,
    /// The sum of their probabilities.
    pub(super) probability_sum: f64,
    /// The probability of each of them, 255 for 1, 0 outside the mask; where that is kept.
    pub(super) probabilities: Option<Vec<u8>>,
    /// Edges between instances, where they are asked for and the model says some.
    pub(super) edges: Option<SliceMask>,
}

/// What became of a question about a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Outcome {
    /// There is a mask, and it is reported.
    Found,
    /// No pixel passed the threshold.
    #[default]
    Empty,
    /// The mask is not like those of training.
    LowP,
    /// The model says that the target is not in the slice.
    NotThere,
    /// The mask lies on that of another that is surer.
    Overlapped,
    /// There are no statistics by which the mask could be judged.
    Unknown,
    /// The statistics are of another window.
    OtherWindow,
}

impl SliceAnswer {
    /// Bytes in memory, about.
    pub(super) fn bytes(&self) -> usize {
        let of = |mask: &Option<SliceMask>| mask.as_ref().map_or(0, |mask| mask.bits.len());
        let answers = self.0.iter().map(|answer| {
            let probabilities = answer.probabilities.as_ref().map_or(0, Vec::len);
            size_of::<PromptAnswer>() + of(&answer.mask) + of(&answer.edges) + probabilities
        });
        answers.sum()
    }
}

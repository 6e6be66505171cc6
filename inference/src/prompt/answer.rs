//! Questions and a series become findings.

use domain::{Findings, Unsuitable, UnsuitableCode};
use series::SourceSeries;

use super::asker::Asker;
use super::context::check_no_whole_slide;
use super::findings::{Gathered, gather};
use super::stream::{Streamed, stream};
use super::{Questions, SliceAnswers};
use crate::model::Model;
use crate::preprocess::check_slices;
use crate::volume::{Volume, sha256_of};

/// How a series is answered.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnswerOptions<'a> {
    /// Whether the probability of each pixel is kept, for FRACTIONAL segments.
    pub keep_probabilities: bool,
    /// Answers that were made ahead.
    pub ahead: Option<&'a SliceAnswers>,
}

/// Asks a model about a series, slice by slice: the next slices are decoded and the last ones judged and measured while the
/// networks run. Of a slice only its masks stay and the values under them. The volume has values only where the whole series had to
/// be read before its first slice was shown.
///
/// The same series and questions give the same findings on any number of threads, and with answers made ahead or without.
///
/// # Errors
/// What decoding says of the first slice that cannot be decoded; [`UnsuitableCode::TooFewSlices`];
/// [`UnsuitableCode::WholeSlide`]; [`UnsuitableCode::ModelFailed`], naming the graph.
pub fn answer(
    model: &Model,
    source: &SourceSeries,
    questions: &Questions,
    options: AnswerOptions<'_>,
) -> Result<(Volume, Findings), Unsuitable> {
    let (engine, _) = model.prompting()?;
    check(model, source)?;
    let [columns, rows, _] = source.grid.size();
    let asker = Asker::new(engine, questions, [columns, rows], options.keep_probabilities)?;
    let Streamed { slices, values, digests, unit } = stream(&asker, source, options.ahead)?;
    let input_sha256 = sha256_of(&source.grid, &digests);
    let gathered = Gathered { slices, input_sha256, unit };
    let findings = gather(model.manifest().identity(), questions, &source.grid, gathered);
    let grid = source.grid.clone();
    Ok((Volume { grid, values: values.unwrap_or_default(), unit: source.unit }, findings))
}

fn check(model: &Model, source: &SourceSeries) -> Result<(), Unsuitable> {
    let (slices, planes) = (source.slices.len(), source.grid.size()[2]);
    if slices != planes {
        let detail = format!("{slices} slices for a grid of {planes} planes");
        return Err(Unsuitable::new(UnsuitableCode::MixedGrid, detail));
    }
    check_slices(model.manifest(), slices)?;
    source.instances.iter().try_for_each(|instance| check_no_whole_slide(&instance.header))
}

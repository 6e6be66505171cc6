//! From what a network said to findings on the source grid.

use domain::{
    Absence, Absent, Confidence, Evidence, Findings, Mask, ModelIdentity, Probabilities, Segment,
    Unsuitable,
};
use rayon::prelude::*;

use crate::decide::{Rule, SliceDecision};
use crate::grid::IndexMap;
use crate::infer::{ModelOutput, Said};
use crate::manifest::{Label, LabelSpec};
use crate::measure::measure;
use crate::model::Model;
use crate::probabilities::{Cells, activate};
use crate::scores::{Scores, failed};
use crate::volume::Volume;

/// Decides every voxel of the source, and measures what was found.
///
/// Probabilities are resampled to the source grid and decided last, slice by slice; what lies outside the network's grid is
/// background. A label without a single voxel is absent.
///
/// # Errors
/// [`domain::UnsuitableCode::ModelFailed`] where scores are not finite.
pub fn postprocess(
    model: &Model,
    output: ModelOutput,
    volume: &Volume,
) -> Result<Findings, Unsuitable> {
    let (_, spec) = model.labelling()?;
    let who = (model.manifest().identity(), model.settings());
    find(who, spec, output, volume)
}

/// The same for any network; it is told who answers, and with which settings.
pub(crate) fn find(
    (identity, settings): (&ModelIdentity, &[String]),
    spec: &LabelSpec,
    output: ModelOutput,
    volume: &Volume,
) -> Result<Findings, Unsuitable> {
    let decisions = match output.said {
        Said::Decided(decisions) => decisions,
        Said::Scores(scores, map) => decide(spec, output.keep_probabilities, scores, &map, volume)?,
    };
    let size = volume.grid.size();
    if decisions.len() != size[2] {
        return Err(failed("the output was made for another volume".into()));
    }
    let mut findings = Findings {
        model: identity.clone(),
        parameters: settings.to_vec(),
        input_sha256: volume.sha256(),
        grid: volume.grid.clone(),
        segments: Vec::new(),
        absent: Vec::new(),
    };
    let keep = output.keep_probabilities;
    for (label, of_label) in spec.labels.iter().zip(by_label(decisions)) {
        let mask = Mask { columns: size[0], rows: size[1], slices: of_label.slices };
        let kept = keep.then_some(Probabilities { slices: of_label.probabilities });
        match segment(label, mask, of_label.probability_sum, volume) {
            Some(segment) => findings.segments.push(Segment { probabilities: kept, ..segment }),
            None => findings.absent.push(absent(label)),
        }
    }
    Ok(findings)
}

fn decide(
    spec: &LabelSpec,
    keep_probabilities: bool,
    mut scores: Scores,
    map: &IndexMap,
    volume: &Volume,
) -> Result<Vec<SliceDecision>, Unsuitable> {
    let rule = Rule::of(&spec.output, &spec.labels, keep_probabilities);
    let voxels = scores.size.iter().product();
    activate(scores.store.values_mut(), voxels, &spec.output)?;
    let cells = Cells::of(&scores, &spec.output, &rule.channels);
    let [columns, rows, planes] = volume.grid.size();
    let view = scores.view();
    let slices = (0..planes).into_par_iter();
    Ok(slices.map(|k| rule.there(&view, Some(&cells), (map, k), [columns, rows])).collect())
}

/// What all slices say of one label.
#[derive(Debug, Default)]
struct LabelSlices {
    slices: Vec<Option<domain::SliceMask>>,
    probability_sum: f64,
    probabilities: Vec<Option<Vec<u8>>>,
}

/// From slices of labels to labels of slices.
fn by_label(decisions: Vec<SliceDecision>) -> Vec<LabelSlices> {
    let labels = decisions.first().map_or(0, |decision| decision.masks.len());
    let mut all: Vec<LabelSlices> = Vec::new();
    all.resize_with(labels, LabelSlices::default);
    for decision in decisions {
        let parts = decision.masks.into_iter().zip(decision.probability_sums);
        let parts = parts.zip(decision.probabilities);
        for (of_label, ((mask, sum), probabilities)) in all.iter_mut().zip(parts) {
            of_label.slices.push(mask);
            of_label.probability_sum += sum;
            of_label.probabilities.push(probabilities);
        }
    }
    all
}

fn absent(label: &Label) -> Absent {
    Absent { target: label.target.clone(), reason: Absence::EmptyMask }
}

fn segment(label: &Label, mask: Mask, probability_sum: f64, volume: &Volume) -> Option<Segment> {
    let measurements = measure(&mask, volume)?;
    let confidence = Confidence(probability_sum / measurements.voxel_count as f64);
    Some(Segment {
        target: label.target.clone(),
        mask,
        measurements,
        confidence: Some(confidence),
        probabilities: None,
        evidence: Evidence::default(),
        boxes: Vec::new(),
    })
}

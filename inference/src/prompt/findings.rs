//! From the answers about slices to findings about the series.

use domain::{
    Absence, Absent, Boxes, Confidence, Evidence, Findings, IntensityUnit, Mask, ModelIdentity,
    PlanarBox, Probabilities, Segment, SliceMask, SourceGrid,
};

use super::judged::Judged;
use super::questions::{Question, Questions, Typical};
use super::slice_answer::{Outcome, PromptAnswer};
use crate::measure::{Intensities, Kept, Part, Values, together};
use crate::picture::{boxes, instances};

/// Least existence of what is reported.
const EXISTS: f64 = 0.5;

/// What was said of a series.
#[derive(Debug)]
pub(super) struct Gathered {
    /// One for each slice.
    pub(super) slices: Vec<Judged>,
    /// Of grid and values.
    pub(super) input_sha256: String,
    /// What the values mean; `None` of colour.
    pub(super) unit: Option<IntensityUnit>,
}

/// The answers to one question, one for each slice.
struct OfSeries(Vec<PromptAnswer>);

/// What a segment is measured on.
#[derive(Clone, Copy)]
struct Measured<'a> {
    grid: &'a SourceGrid,
    intensities: Option<Intensities<'a>>,
}

/// Findings in the order of the questions.
pub(super) fn gather(
    model: &ModelIdentity,
    questions: &Questions,
    grid: &SourceGrid,
    gathered: Gathered,
) -> Findings {
    let Gathered { mut slices, input_sha256, unit } = gathered;
    let kept: Vec<Kept> = slices.iter_mut().map(|slice| std::mem::take(&mut slice.kept)).collect();
    let values = Values::Kept(&kept);
    let measured = Measured { grid, intensities: unit.map(|unit| Intensities { values, unit }) };
    let mut findings = Findings {
        model: model.clone(),
        parameters: questions.parameters(),
        input_sha256,
        grid: grid.clone(),
        segments: Vec::new(),
        absent: Vec::new(),
    };
    for (index, question) in questions.list.iter().enumerate() {
        let parts = slices.iter_mut().filter_map(|slice| slice.parts[index].take()).collect();
        let answers = slices.iter_mut().map(|slice| std::mem::take(&mut slice.answer.0[index]));
        let of_series = OfSeries(answers.collect());
        let (told, judged) = (of_series.told(questions.p_least), judged(question));
        findings.parameters.push(format!("prompt {:03} answer={told}{judged}", index + 1));
        match of_series.segment(question, questions.boxes, (measured, parts)) {
            Ok(segment) => findings.segments.push(segment),
            Err(of_series) => findings.absent.push(Absent {
                target: question.target.clone(),
                reason: of_series.absence(questions.p_least),
            }),
        }
    }
    findings.parameters.sort();
    findings
}

/// Says so where nothing could be held against a mask.
fn judged(question: &Question) -> &'static str {
    match question.typical {
        Typical::Unjudged => "; not judged, there are no statistics of such a target",
        Typical::Distributed(_) | Typical::Unknown | Typical::OtherWindow | Typical::NotAsked => "",
    }
}

impl OfSeries {
    fn found(&self) -> impl Iterator<Item = &PromptAnswer> {
        self.0.iter().filter(|answer| answer.outcome == Outcome::Found)
    }

    fn any(&self, outcome: Outcome) -> bool {
        self.0.iter().any(|answer| answer.outcome == outcome)
    }

    /// The best numbers of the slices in which it was found.
    fn evidence(&self) -> Evidence {
        let best = |of: fn(&PromptAnswer) -> Option<f64>| {
            self.found().filter_map(of).max_by(f64::total_cmp)
        };
        Evidence { p: best(|answer| answer.p), existence: best(|answer| answer.existence) }
    }

    /// The answer in words: in how many slices, with which p-values and existences, or why not.
    fn told(&self, p_least: f64) -> String {
        let found = self.found().count();
        if found == 0 {
            return format!("absent, {}", self.absence(p_least));
        }
        let mut told = format!("found in {found} of {} slices", self.0.len());
        let p: Vec<f64> = self.found().filter_map(|answer| answer.p).collect();
        let existence: Vec<f64> = self.found().filter_map(|answer| answer.existence).collect();
        for (name, values) in [("p", p), ("existence", existence)] {
            if let Some((best, median)) = best_and_median(values) {
                told += &format!("; {name} {best:.4} at best, median {median:.4}");
            }
        }
        told
    }

    /// The reason that tells most of why it is not reported in any slice: a mask that was rejected tells more than none.
    fn absence(&self, least: f64) -> Absence {
        let largest = |of: fn(&PromptAnswer) -> Option<f64>, outcome: Outcome| {
            let rejected = self.0.iter().filter(|answer| answer.outcome == outcome);
            rejected.filter_map(of).max_by(f64::total_cmp)
        };
        let not_there = largest(|answer| answer.existence, Outcome::NotThere);
        if self.any(Outcome::Overlapped) {
            Absence::Overlapped
        } else if let Some(p) = largest(|answer| answer.p, Outcome::LowP) {
            Absence::LowPValue { p, least }
        } else if self.any(Outcome::OtherWindow) {
            Absence::WindowMismatch
        } else if self.any(Outcome::Unknown) {
            Absence::UnknownTarget
        } else if let Some(probability) = not_there {
            Absence::NotThere { probability, least: EXISTS }
        } else {
            Absence::EmptyMask
        }
    }

    /// The segment; the answers again where nothing was found.
    fn segment(
        mut self,
        question: &Question,
        wanted: Boxes,
        (measured, parts): (Measured<'_>, Vec<Part>),
    ) -> Result<Segment, Self> {
        let Measured { grid, intensities } = measured;
        let [columns, rows, _] = grid.size();
        let mut mask_of = |of: fn(&mut PromptAnswer) -> Option<SliceMask>| Mask {
            columns,
            rows,
            slices: self.0.iter_mut().map(of).collect(),
        };
        let mask = mask_of(|answer| answer.mask.take());
        let edges = mask_of(|answer| answer.edges.take());
        let Some(measurements) = together(&mask, grid, &parts, intensities) else {
            return Err(self);
        };
        let evidence = self.evidence();
        let sum: f64 = self.0.iter().map(|answer| answer.probability_sum).sum();
        let kept = self.0.iter().any(|answer| answer.probabilities.is_some());
        let slices = self.0.into_iter().map(|answer| answer.probabilities);
        let probabilities = kept.then(|| Probabilities { slices: slices.collect() });
        let boxes = match wanted {
            Boxes::None => Vec::new(),
            Boxes::Parts => boxes_of(&mask, &edges),
        };
        Ok(Segment {
            target: question.target.clone(),
            confidence: Some(Confidence(sum / measurements.voxel_count as f64)),
            mask,
            measurements,
            evidence,
            probabilities,
            boxes,
        })
    }
}

/// Boxes slice by slice: of instances where the model says their edges, else of connected parts.
fn boxes_of(mask: &Mask, edges: &Mask) -> Vec<PlanarBox> {
    if edges.slices.iter().any(Option::is_some) {
        let mut found = instances(mask, edges).boxes();
        found.sort_by_key(|around| around.k);
        if !found.is_empty() {
            return found;
        }
    }
    let slices = mask.slices.iter().enumerate();
    slices
        .flat_map(|(k, slice)| slice.iter().flat_map(move |slice| boxes(slice, mask.columns, k)))
        .collect()
}

fn best_and_median(mut values: Vec<f64>) -> Option<(f64, f64)> {
    values.sort_by(f64::total_cmp);
    let best = *values.last()?;
    let middle = [(values.len() - 1) / 2, values.len() / 2].map(|at| values[at]);
    Some((best, f64::midpoint(middle[0], middle[1])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(outcomes: &[(Outcome, Option<f64>, Option<f64>)]) -> OfSeries {
        let answer = |(outcome, p, existence): &(Outcome, Option<f64>, Option<f64>)| PromptAnswer {
            outcome: *outcome,
            p: *p,
            existence: *existence,
            ..PromptAnswer::default()
        };
        OfSeries(outcomes.iter().map(answer).collect())
    }

    #[test]
    fn the_reason_that_tells_most_is_given() {
        let empty = (Outcome::Empty, None, None);
        assert_eq!(of(&[empty]).absence(0.05), Absence::EmptyMask);
        let low = |p| (Outcome::LowP, Some(p), None);
        let rejected = of(&[empty, low(0.01), low(0.03)]);
        assert_eq!(rejected.absence(0.05), Absence::LowPValue { p: 0.03, least: 0.05 });
        let gone = |probability| (Outcome::NotThere, None, Some(probability));
        let not_there = Absence::NotThere { probability: 0.4, least: 0.5 };
        assert_eq!(of(&[gone(0.1), empty, gone(0.4)]).absence(0.0), not_there);
        let unknown = (Outcome::Unknown, None, None);
        assert_eq!(of(&[empty, unknown]).absence(0.05), Absence::UnknownTarget);
        let other = (Outcome::OtherWindow, None, None);
        assert_eq!(of(&[empty, other]).absence(0.05), Absence::WindowMismatch);
        let over = (Outcome::Overlapped, None, None);
        assert_eq!(of(&[low(0.01), over]).absence(0.05), Absence::Overlapped);
    }

    #[test]
    fn answers_are_told_with_the_best_and_the_median() {
        let found = |p| (Outcome::Found, Some(p), Some(0.9));
        let told = of(&[found(0.2), (Outcome::Empty, None, None), found(0.4)]).told(0.05);
        let evidence = of(&[found(0.2), found(0.4), (Outcome::Empty, Some(0.9), None)]).evidence();
        assert_eq!(evidence, Evidence { p: Some(0.4), existence: Some(0.9) });
        assert_eq!(
            told,
            "found in 2 of 3 slices; p 0.4000 at best, median 0.3000; existence 0.9000 at best, median 0.9000"
        );
        assert_eq!(
            of(&[(Outcome::Empty, None, None)]).told(0.05),
            "absent, empty mask: no pixel passed the threshold"
        );
    }
}

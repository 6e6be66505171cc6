//! From logits to what is reported of a slice: probabilities, the gates, how answers go together. Thresholds come last, on the
//! grid of the source.

use catalogue::{Candidate, MaskStatistics, Outcome as Verdict, mask_statistics};
use domain::{Boxes, SliceMask, Unsuitable};
use rayon::prelude::*;

use super::engine::Decoded;
use super::owners::{Found, Sheet, masks, single};
use super::questions::{Questions, Together, Typical};
use super::slice_answer::{Outcome, PromptAnswer, SliceAnswer};
use crate::manifest::Generation;
use crate::picture::{Framing, is_small};
use crate::scores::failed;

/// Border of a mask, of existence and of edges.
pub(super) const HALF: f32 = 0.5;

/// What judging needs to know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judge<'a> {
    pub(super) questions: &'a Questions,
    pub(super) framing: &'a Framing,
    pub(super) generation: Generation,
    pub(super) keep_probabilities: bool,
}

/// One question's raw answer and the RGB of the picture that it is about, three bytes a pixel.
#[derive(Debug)]
pub(super) struct Raw<'a> {
    pub(super) decoded: Decoded,
    pub(super) rgb: &'a [u8],
}

/// A question about a slice, on the picture.
struct Tried {
    answer: PromptAnswer,
    /// Its map; `None` where a gate dropped it.
    map: Option<Vec<f32>>,
}

impl Judge<'_> {
    /// Judges the raw answers to all questions, in their order.
    ///
    /// # Errors
    /// `ModelFailed` for what cannot be put together; a fault of ours.
    pub(super) fn judge(&self, raw: &[Raw<'_>]) -> Result<SliceAnswer, Unsuitable> {
        if self.questions.together == Together::Alone {
            // One after the other, so that only one map of a large slice exists at a time.
            let alone = raw.iter().enumerate().map(|(index, raw)| {
                let tried = self.tried(index, raw)?;
                Ok(self.alone(tried))
            });
            return alone.collect::<Result<_, Unsuitable>>().map(SliceAnswer);
        }
        let mut answers = self.together(self.all_tried(raw)?)?;
        if self.questions.boxes == Boxes::Parts {
            self.add_edges(&mut answers, raw);
        }
        Ok(SliceAnswer(answers))
    }

    /// Every question on the picture, several at a time where that is enough to do.
    fn all_tried(&self, raw: &[Raw<'_>]) -> Result<Vec<Tried>, Unsuitable> {
        let is_there = |raw: &&Raw<'_>| !self.is_absent(existence(&raw.decoded));
        if is_small(raw.iter().filter(is_there).count() * self.framing.pixels()) {
            return raw.iter().enumerate().map(|(index, raw)| self.tried(index, raw)).collect();
        }
        raw.par_iter().enumerate().map(|(index, raw)| self.tried(index, raw)).collect()
    }

    /// The probability map of one question on the picture, behind the gates of existence and of its p-value.
    fn tried(&self, index: usize, raw: &Raw<'_>) -> Result<Tried, Unsuitable> {
        let Decoded { map_side, mask, .. } = &raw.decoded;
        let existence = existence(&raw.decoded);
        if self.is_absent(existence) {
            let outcome = Outcome::NotThere;
            let answer = PromptAnswer { outcome, existence, ..PromptAnswer::default() };
            return Ok(Tried { map: None, answer });
        }
        let map = match self.generation {
            Generation::V1 => self.framing.probability_v1(mask, *map_side),
            Generation::V2 => self.framing.probability_v2(mask, *map_side),
        };
        let is_empty = !map.iter().any(|value| *value > HALF);
        let (outcome, p) =
            if is_empty { (Outcome::Empty, None) } else { self.gate(index, raw.rgb, &map)? };
        let answer = PromptAnswer { outcome, p, existence, ..PromptAnswer::default() };
        let dropped = !matches!(outcome, Outcome::Found | Outcome::Empty);
        Ok(Tried { map: (!dropped).then_some(map), answer })
    }

    /// Does the model say that the target is not there?
    fn is_absent(&self, existence: Option<f64>) -> bool {
        existence.is_some_and(|existence| !self.exists(existence))
    }

    /// Is the target there? A single one is above a half, one of several from a half on.
    fn exists(&self, existence: f64) -> bool {
        let half = f64::from(HALF);
        if self.questions.list.len() == 1 { existence > half } else { existence >= half }
    }

    /// Is the mask like those of training? `Found` where nothing speaks against it.
    fn gate(
        &self,
        index: usize,
        rgb: &[u8],
        map: &[f32],
    ) -> Result<(Outcome, Option<f64>), Unsuitable> {
        let least = self.questions.p_least;
        let unjudged = |outcome| if least > 0.0 { outcome } else { Outcome::Found };
        match &self.questions.list[index].typical {
            Typical::NotAsked | Typical::Unjudged => Ok((Outcome::Found, None)),
            Typical::Unknown => Ok((unjudged(Outcome::Unknown), None)),
            Typical::OtherWindow => Ok((unjudged(Outcome::OtherWindow), None)),
            Typical::Distributed(four) => {
                let statistics: MaskStatistics =
                    mask_statistics(rgb, map).map_err(|error| failed(error.to_string()))?;
                let p = statistics.p_value(four);
                let outcome = if p < least { Outcome::LowP } else { Outcome::Found };
                Ok((outcome, Some(p)))
            }
        }
    }

    /// One question for itself, on the grid of the source.
    fn alone(&self, tried: Tried) -> PromptAnswer {
        let Tried { answer, map } = tried;
        let Some(map) = map else { return answer };
        let mut answer = answer;
        answer.take(single(&self.framing.patch(&map), self.sheet()), 1);
        answer
    }

    /// Several questions, so that no two masks overlap: who stays is decided on the picture, whose each pixel is on the grid of
    /// the source.
    fn together(&self, tried: Vec<Tried>) -> Result<Vec<PromptAnswer>, Unsuitable> {
        let candidates: Vec<(usize, Candidate<'_>)> = tried
            .iter()
            .enumerate()
            .filter_map(|(index, tried)| {
                let score = tried.answer.existence.or(tried.answer.p).unwrap_or(0.0);
                Some((index, Candidate { probability: tried.map.as_deref()?, score }))
            })
            .collect();
        let verdicts = self.verdicts(&candidates)?;
        let mut kept: Vec<(usize, f64)> = candidates
            .iter()
            .zip(&verdicts)
            .filter(|(_, verdict)| outcome(**verdict) == Outcome::Found)
            .map(|((index, candidate), _)| (*index, candidate.score))
            .collect();
        if self.questions.together == Together::Combined {
            // Among equals a pixel belongs to the one with the higher p-value.
            kept.sort_by(|a, b| b.1.total_cmp(&a.1));
        }
        let kept: Vec<usize> = kept.into_iter().map(|(index, _)| index).collect();
        let outcomes: Vec<(usize, Outcome)> = candidates
            .iter()
            .map(|(index, _)| *index)
            .zip(verdicts.into_iter().map(outcome))
            .collect();
        let maps = kept.iter().map(|index| {
            let map = tried[*index].map.as_deref().unwrap_or_default();
            self.framing.patch(map)
        });
        let found = masks(maps, self.sheet());
        let mut answers: Vec<PromptAnswer> = tried.into_iter().map(|tried| tried.answer).collect();
        for (index, outcome) in
            outcomes.into_iter().filter(|(_, outcome)| *outcome != Outcome::Found)
        {
            answers[index].outcome = outcome;
        }
        for (index, found) in kept.iter().zip(found) {
            answers[*index].take(found, kept.len());
        }
        Ok(answers)
    }

    /// What masks are drawn on.
    fn sheet(&self) -> Sheet {
        Sheet {
            columns: self.framing.columns(),
            pixels: self.framing.source_pixels(),
            keep_probabilities: self.keep_probabilities,
        }
    }

    /// What becomes of each candidate.
    fn verdicts(&self, candidates: &[(usize, Candidate<'_>)]) -> Result<Vec<Verdict>, Unsuitable> {
        let plain: Vec<Candidate<'_>> =
            candidates.iter().map(|(_, candidate)| *candidate).collect();
        let outcomes = match self.questions.together {
            Together::Combined => catalogue::combine_outcomes(&plain),
            Together::Merged | Together::Alone => catalogue::merge_outcomes(&plain),
        };
        outcomes.map_err(|error| failed(error.to_string()))
    }

    /// Edges of what was found, where the model says some.
    fn add_edges(&self, answers: &mut [PromptAnswer], raw: &[Raw<'_>]) {
        let found = answers.par_iter_mut().zip(raw).filter(|(answer, _)| answer.mask.is_some());
        found.for_each(|(answer, raw)| answer.edges = self.edges(&raw.decoded));
    }

    fn edges(&self, decoded: &Decoded) -> Option<SliceMask> {
        let map = self.framing.probability_v2(decoded.edges.as_deref()?, decoded.map_side);
        let sheet = Sheet { keep_probabilities: false, ..self.sheet() };
        single(&self.framing.patch(&map), sheet).mask
    }
}

/// Whether the target is there, as a probability; `None` where the model says none.
fn existence(decoded: &Decoded) -> Option<f64> {
    decoded.existence.map(|logit| 1.0 / (1.0 + f64::from(-logit).exp()))
}

impl PromptAnswer {
    /// Takes what was found on the grid of the source, where so many share it.
    fn take(&mut self, found: Found, sharing: usize) {
        self.outcome = match (&found.mask, self.outcome) {
            (Some(_), _) => Outcome::Found,
            (None, Outcome::Found) if sharing > 1 => Outcome::Overlapped,
            (None, _) => Outcome::Empty,
        };
        self.mask = found.mask;
        self.probability_sum = found.probability_sum;
        self.probabilities = found.probabilities;
    }
}

fn outcome(verdict: Verdict) -> Outcome {
    match verdict {
        // What is not there was no candidate.
        Verdict::Kept | Verdict::Absent => Outcome::Found,
        Verdict::Empty => Outcome::Empty,
        Verdict::Overlapped { .. } | Verdict::Outvoted => Outcome::Overlapped,
    }
}

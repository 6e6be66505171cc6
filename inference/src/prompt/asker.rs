//! Questions put to one slice: its pictures, the networks, the raw answers.

use std::sync::Arc;

use domain::Unsuitable;
use sha2::{Digest as _, Sha256};

use super::embedding::Embedding;
use super::engine::{Asked, Decoded, Features, PromptEngine, SliceName};
use super::judge::{Judge, Raw};
use super::look::{Look, LookKind, looks};
use super::questions::Questions;
use super::shot::{Pixels, Shot};
use super::slice_answer::SliceAnswer;
use crate::manifest::Generation;
use crate::picture::{Framing, Plane, Scale, grey_rgb, pack_v2};
use crate::scores::{Next, failed};

/// Most prompts in one call of the decoder: the maps of each of them take memory.
const PROMPTS_AT_ONCE_MAX: usize = 8;

/// What does not change from slice to slice.
#[derive(Debug)]
pub(super) struct Asker<'a> {
    engine: &'a PromptEngine,
    questions: &'a Questions,
    /// Questions by look.
    pub(super) looks: Vec<Look>,
    /// For each look its questions in calls of the decoder: of equal length, none too many.
    calls: Vec<Vec<Vec<usize>>>,
    embeddings: Vec<Arc<Embedding>>,
    framing: Framing,
    keep_probabilities: bool,
    key: String,
}

/// Raw answers about one slice, each with its question.
#[derive(Debug, Default)]
pub(super) struct Answers(Vec<(usize, Decoded)>);

/// What a network is shown of one slice in one look.
#[derive(Debug)]
pub(super) struct Shown {
    /// `[3, side, side]`.
    tensor: Vec<f32>,
    /// The slice itself, three bytes a pixel: what p-values are made of.
    pub(super) rgb: Vec<u8>,
}

/// The planes of a slice, one for each look; nothing for v1, whose pictures are made only when they are asked for.
#[derive(Debug)]
pub(super) struct Planes(Vec<Plane>);

/// A slice between its neighbours.
#[derive(Debug)]
pub(super) struct Between<'a, T> {
    pub(super) this: &'a T,
    pub(super) previous: Option<&'a T>,
    pub(super) next: Option<&'a T>,
}

impl<T> Clone for Between<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Between<'_, T> {}

impl<'a, T> Between<'a, T> {
    /// Whether it has no neighbour at all.
    pub(super) fn is_single(&self) -> bool {
        self.previous.is_none() && self.next.is_none()
    }

    /// The same of something about each.
    pub(super) fn map<U>(&self, of: impl Fn(&'a T) -> &'a U) -> Between<'a, U> {
        Between { this: of(self.this), previous: self.previous.map(&of), next: self.next.map(&of) }
    }

    /// The slice, the one before and the one behind: at the ends a neighbour stands in for the missing one, and a single slice is
    /// its own neighbour.
    pub(super) fn three(&self) -> [&'a T; 3] {
        let (this, previous, next) = (self.this, self.previous, self.next);
        [this, previous.or(next).unwrap_or(this), next.or(previous).unwrap_or(this)]
    }
}

impl<'a> Asker<'a> {
    /// Embeds the sentences, once for all slices.
    ///
    /// # Errors
    /// `ModelFailed`.
    pub(super) fn new(
        engine: &'a PromptEngine,
        questions: &'a Questions,
        size: [usize; 2],
        keep_probabilities: bool,
    ) -> Result<Self, Unsuitable> {
        let sentences = questions.list.iter().map(|question| engine.embed(&question.understood));
        let embeddings = sentences.collect::<Result<Vec<_>, _>>()?;
        let looks = looks(questions);
        let most = if engine.is_one_at_a_time() { 1 } else { PROMPTS_AT_ONCE_MAX };
        let calls = looks.iter().map(|look| calls(&look.questions, &embeddings, most)).collect();
        let framing = Framing::new(engine.generation(), questions.turn, size, engine.side());
        let key = questions.key();
        Ok(Self { engine, questions, looks, calls, embeddings, framing, keep_probabilities, key })
    }

    /// What an answer about a slice depends on: the questions, which slice it is, its pixels and, for v2, those of its neighbours.
    pub(super) fn key(&self, slice: SliceName<'_>, digests: Between<'_, [u8; 32]>) -> [u8; 32] {
        let mut key = Sha256::new();
        key.update(&self.key);
        key.update([u8::from(self.keep_probabilities)]);
        key.update(format!("{} {} {:?}", slice.sop_instance, slice.frame_index, self.framing));
        match self.engine.generation() {
            Generation::V1 => key.update(digests.this),
            Generation::V2 => {
                key.update([u8::from(digests.is_single())]);
                digests.three().into_iter().for_each(|digest| key.update(digest));
            }
        }
        key.finalize().into()
    }

    /// Whether a slice is shown between the percentiles of its series.
    pub(super) fn needs_series(&self, shot: &Shot) -> bool {
        let undecided = |look: &Look| shot.seen(look.kind).1.is_none();
        self.engine.generation() == Generation::V2 && self.looks.iter().any(undecided)
    }

    /// The planes of a slice that its own picture and those of its neighbours need; `range` is that of the series.
    pub(super) fn planes(&self, shot: &Shot, range: Option<Scale>) -> Planes {
        match self.engine.generation() {
            Generation::V1 => Planes(Vec::new()),
            Generation::V2 => {
                let plane = |look: &Look| {
                    let (source, scale) = shot.seen(look.kind);
                    self.framing.plane_v2(&source, &scale.or(range).unwrap_or(Scale::EightBit))
                };
                Planes(self.looks.iter().map(plane).collect())
            }
        }
    }

    /// The pictures of a slice, one for each look.
    pub(super) fn show(&self, shot: &Shot, planes: Between<'_, Planes>) -> Vec<Shown> {
        let show = |(index, look): (usize, &Look)| match self.engine.generation() {
            Generation::V1 => self.show_v1(shot, look.kind),
            Generation::V2 => self.show_v2(shot, planes, index),
        };
        self.looks.iter().enumerate().map(show).collect()
    }

    fn show_v1(&self, shot: &Shot, look: LookKind) -> Shown {
        let (source, scale) = shot.seen(look);
        let picture = self.framing.picture_v1(&source, &scale.unwrap_or(Scale::OfSlice));
        Shown { tensor: picture.to_tensor(), rgb: picture.rgb }
    }

    /// A single image of colour is shown by its three colours, all else by three slices.
    fn show_v2(&self, shot: &Shot, planes: Between<'_, Planes>, look: usize) -> Shown {
        if let (Pixels::Color(rgb), true) = (&shot.pixels, planes.is_single()) {
            let [red, green, blue] = self.framing.colors_v2(rgb);
            let pixels = red.levels.iter().zip(&green.levels).zip(&blue.levels);
            let rgb = pixels.flat_map(|((red, green), blue)| [*red, *green, *blue]).collect();
            return Shown { tensor: pack_v2(&red, &green, &blue), rgb };
        }
        let [this, previous, next] = planes.three().map(|planes| &planes.0[look]);
        Shown { tensor: pack_v2(this, previous, next), rgb: grey_rgb(&this.levels) }
    }

    /// Runs the networks over the pictures of a slice; `next` says whether another slice follows.
    ///
    /// # Errors
    /// `ModelFailed`, naming the graph.
    pub(super) fn ask(
        &self,
        pictures: &[Shown],
        slice: SliceName<'_>,
        next: Next,
    ) -> Result<Vec<Decoded>, Unsuitable> {
        let mut answers = Answers::default();
        for (look, picture) in pictures.iter().enumerate() {
            let next = if look + 1 == pictures.len() { next } else { Next::Run };
            let features = self.encode(picture, next)?;
            self.decode(look, &features, (slice, next), &mut answers)?;
        }
        self.in_order(answers)
    }

    /// The features of a picture.
    ///
    /// # Errors
    /// `ModelFailed`.
    pub(super) fn encode(&self, picture: &Shown, next: Next) -> Result<Features, Unsuitable> {
        self.engine.encode(&picture.tensor, next)
    }

    /// The raw answers to the questions of a look.
    ///
    /// # Errors
    /// `ModelFailed`.
    pub(super) fn decode(
        &self,
        look: usize,
        features: &Features,
        (slice, next): (SliceName<'_>, Next),
        answers: &mut Answers,
    ) -> Result<(), Unsuitable> {
        let calls = &self.calls[look];
        for (at, call) in calls.iter().enumerate() {
            let next = if at + 1 == calls.len() { next } else { Next::Run };
            let decoded = self.engine.decode(features, &self.asked(call), slice, next)?;
            answers.0.extend(call.iter().copied().zip(decoded));
        }
        Ok(())
    }

    /// The raw answers in the order of the questions.
    ///
    /// # Errors
    /// `ModelFailed` when one is missing; a fault of ours.
    pub(super) fn in_order(&self, answers: Answers) -> Result<Vec<Decoded>, Unsuitable> {
        let Answers(mut answers) = answers;
        answers.sort_by_key(|(question, _)| *question);
        let complete = answers.iter().map(|(question, _)| *question);
        if !complete.eq(0..self.questions.list.len()) {
            return Err(failed("a question was not asked once".into()));
        }
        Ok(answers.into_iter().map(|(_, decoded)| decoded).collect())
    }

    fn asked(&self, call: &[usize]) -> Vec<Asked<'_>> {
        let one = |question: &usize| Asked {
            embedding: &self.embeddings[*question],
            sentence: &self.questions.list[*question].understood,
        };
        call.iter().map(one).collect()
    }

    /// Judges what the networks said of a slice, whose pictures of each look come in RGB.
    ///
    /// # Errors
    /// `ModelFailed`.
    pub(super) fn judge(
        &self,
        decoded: Vec<Decoded>,
        pictures: &[Vec<u8>],
    ) -> Result<SliceAnswer, Unsuitable> {
        let judge = Judge {
            questions: self.questions,
            framing: &self.framing,
            generation: self.engine.generation(),
            keep_probabilities: self.keep_probabilities,
        };
        let rgb = |question: usize| {
            let look = self.looks.iter().position(|look| look.questions.contains(&question));
            look.and_then(|look| pictures.get(look)).map_or(&[][..], Vec::as_slice)
        };
        let raw: Vec<Raw<'_>> = decoded
            .into_iter()
            .enumerate()
            .map(|(question, decoded)| Raw { decoded, rgb: rgb(question) })
            .collect();
        judge.judge(&raw)
    }
}

/// Questions of a look in calls of the decoder: of equal length in tokens, at most so many each, in their order.
fn calls(questions: &[usize], embeddings: &[Arc<Embedding>], most: usize) -> Vec<Vec<usize>> {
    let mut calls: Vec<Vec<usize>> = Vec::new();
    let length = |question: usize| embeddings[question].token_count;
    for question in questions {
        let fits = |call: &&mut Vec<usize>| {
            call.len() < most
                && call.first().is_some_and(|first| length(*first) == length(*question))
        };
        match calls.iter_mut().find(fits) {
            Some(call) => call.push(*question),
            None => calls.push(vec![*question]),
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_hold_prompts_of_equal_length() {
        let of = |token_count| Arc::new(Embedding { token_count, tokens: vec![], class: vec![] });
        let embeddings = [3, 5, 3, 3, 5].map(of);
        assert_eq!(calls(&[0, 1, 2, 3, 4], &embeddings, 2), [vec![0, 2], vec![1, 4], vec![3]]);
        assert_eq!(calls(&[0, 2], &embeddings, 1), [vec![0], vec![2]]);
    }

    #[test]
    fn neighbours_stand_in_at_the_ends() {
        let three = |previous, next| Between { this: &1, previous, next }.three();
        assert_eq!(three(Some(&0), Some(&2)), [&1, &0, &2]);
        assert_eq!(three(None, Some(&2)), [&1, &2, &2]);
        assert_eq!(three(Some(&0), None), [&1, &0, &0]);
        assert_eq!(three(None, None), [&1, &1, &1]);
    }
}

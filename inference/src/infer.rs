//! Runs a network over what it is fed: at once, in blocks, in windows, or slice by slice.
//!
//! Where the network's grid is the source grid, scores are decided as soon as they are there and thrown away, block by block; otherwise
//! they are kept for [`crate::postprocess()`], which needs all of them.

use domain::Unsuitable;
use rayon::prelude::*;

use crate::decide::{Rule, SliceDecision};
use crate::grid::IndexMap;
use crate::manifest::{Input, LabelSpec, Mode, Plan};
use crate::model::Model;
use crate::preprocess::{Feed, ModelInput, SliceFeed, VolumeFeed, with_channels};
use crate::probabilities::activate;
use crate::scores::{Network, Next, Scores, Store, View, failed};
use crate::sliding;

/// What a network said.
#[derive(Debug)]
pub struct ModelOutput {
    pub(crate) said: Said,
    pub(crate) keep_probabilities: bool,
}

/// How far it is decided.
#[derive(Debug)]
pub(crate) enum Said {
    /// Slice by slice, on the source grid.
    Decided(Vec<SliceDecision>),
    /// Scores on the network's grid, and the map of source indices to it.
    Scores(Scores, IndexMap),
}

/// Runs the model.
///
/// # Errors
/// [`domain::UnsuitableCode::ModelFailed`]: the engine fails, the output has a wrong shape, values are not finite.
pub fn infer(model: &Model, input: ModelInput<'_>) -> Result<ModelOutput, Unsuitable> {
    let (network, spec) = model.labelling()?;
    run(network, spec, input)
}

/// Runs any network.
pub(crate) fn run(
    network: &dyn Network,
    spec: &LabelSpec,
    input: ModelInput<'_>,
) -> Result<ModelOutput, Unsuitable> {
    let keep_probabilities = input.keep_probabilities;
    let rule = Rule::of(&spec.output, &spec.labels, keep_probabilities);
    let run = Run { network, spec, rule: &rule };
    let said = match (input.feed, &spec.plan) {
        (Feed::Volume(feed), Plan::Volume { mode, .. }) => run.volume(feed, mode)?,
        (Feed::Slices(feed), Plan::Slice(grid)) => Said::Decided(run.slices(&feed, grid.batch)?),
        (Feed::Volume(_), Plan::Slice(_)) | (Feed::Slices(_), Plan::Volume { .. }) => {
            return Err(failed("the input was made for another model".into()));
        }
    };
    Ok(ModelOutput { said, keep_probabilities })
}

/// What does not change during a run.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) network: &'a dyn Network,
    pub(crate) spec: &'a LabelSpec,
    pub(crate) rule: &'a Rule<'a>,
}

impl Run<'_> {
    fn volume(&self, feed: VolumeFeed<'_>, mode: &Mode) -> Result<Said, Unsuitable> {
        let (from_source, on_source) = (feed.from_source.clone(), feed.on_source);
        let scores = match mode {
            Mode::Whole => self.whole(feed)?,
            Mode::Blocks { slices, halo } if on_source => {
                return self.decided_blocks(&feed, *slices, *halo).map(Said::Decided);
            }
            Mode::Blocks { slices, halo } => self.joined_blocks(&feed, *slices, *halo)?,
            Mode::Sliding { size, overlap, weights } => {
                let windows = sliding::Windows::new(feed.size, *size, *overlap, *weights);
                sliding::run(self, feed, &windows)?
            }
        };
        if !on_source {
            return Ok(Said::Scores(scores, from_source));
        }
        let view = scores.view();
        self.decide(&view, 0..view.size[2]).map(Said::Decided)
    }

    fn whole(&self, feed: VolumeFeed<'_>) -> Result<Scores, Unsuitable> {
        let channels = self.input().channels;
        let size = feed.size;
        if channels == 1 {
            return self.scores(&feed.values, size, Next::End);
        }
        let voxels = feed.values.len();
        let values = with_channels(feed.values.into_owned(), voxels, channels);
        self.scores(&values, size, Next::End)
    }

    /// Blocks on the source grid: only one block's scores exist at a time.
    fn decided_blocks(
        &self,
        feed: &VolumeFeed<'_>,
        slices: usize,
        halo: usize,
    ) -> Result<Vec<SliceDecision>, Unsuitable> {
        let mut decisions = Vec::with_capacity(feed.size[2]);
        for block in blocks(feed.size[2], slices, halo) {
            let scores = self.block(feed, &block)?;
            let wanted = block.first - block.read_first..block.end - block.read_first;
            decisions.extend(self.decide(&scores.view(), wanted)?);
        }
        Ok(decisions)
    }

    /// Blocks on another grid, put together.
    fn joined_blocks(
        &self,
        feed: &VolumeFeed<'_>,
        slices: usize,
        halo: usize,
    ) -> Result<Scores, Unsuitable> {
        let pixels = feed.size[0] * feed.size[1];
        let mut joined = Scores { channels: 0, size: feed.size, store: Store::Own(Vec::new()) };
        for block in blocks(feed.size[2], slices, halo) {
            let scores = self.block(feed, &block)?;
            if joined.channels == 0 {
                joined.channels = scores.channels;
                joined.store = Store::Own(vec![0.0; scores.channels * pixels * feed.size[2]]);
            }
            if joined.channels != scores.channels {
                return Err(failed("the number of channels differs from block to block".into()));
            }
            let wanted =
                (block.first - block.read_first) * pixels..(block.end - block.read_first) * pixels;
            let target = block.first * pixels..block.end * pixels;
            let planes = joined.store.values_mut().chunks_mut(pixels * feed.size[2]);
            for (channel, values) in planes.enumerate() {
                let part = &scores.view().channel(channel)[wanted.clone()];
                values[target.clone()].copy_from_slice(part);
            }
        }
        Ok(joined)
    }

    fn block(&self, feed: &VolumeFeed<'_>, block: &Block) -> Result<Scores, Unsuitable> {
        let [columns, rows, _] = feed.size;
        let pixels = columns * rows;
        let values = &feed.values[block.read_first * pixels..block.read_end * pixels];
        let next = Next::after(block.end - 1, feed.size[2]);
        self.scores(values, [columns, rows, block.read_end - block.read_first], next)
    }

    /// The slices of a 2-D network, batch by batch: only one batch's scores exist at a time.
    fn slices(&self, feed: &SliceFeed<'_>, batch: usize) -> Result<Vec<SliceDecision>, Unsuitable> {
        let [columns, rows, planes] = feed.field.size;
        let from_source = feed.to_source.inverse_of_axes();
        let same = feed.size == [rows, columns] && feed.to_source.is_identity(feed.field.size);
        let mut decisions = Vec::with_capacity(planes);
        for first in (0..planes).step_by(batch) {
            let count = batch.min(planes - first);
            let asked = if self.network.has_fixed_batch() { batch } else { count };
            let values = feed.batch(self.input(), first, count, asked);
            let shape = [asked, self.input().channels, feed.size[0], feed.size[1]];
            let next = Next::after(first + count - 1, planes);
            let mut answer = self.network.run(&shape, &values, next)?;
            drop(values);
            let channels = answer.channels(asked, &feed.size, self.rule.channels_min())?;
            let per_slice = channels * feed.size[0] * feed.size[1];
            let parts = answer.store.values_mut().par_chunks_mut(per_slice).take(count);
            let decided: Vec<_> = parts
                .map(|scores| {
                    self.slice(scores, feed.size, (!same).then_some(&from_source), [columns, rows])
                })
                .collect::<Result<_, _>>()?;
            decisions.extend(decided);
        }
        Ok(decisions)
    }

    fn slice(
        &self,
        scores: &mut [f32],
        [rows, columns]: [usize; 2],
        from_source: Option<&IndexMap>,
        source_size: [usize; 2],
    ) -> Result<SliceDecision, Unsuitable> {
        let size = [columns, rows, 1];
        let Some(map) = from_source else {
            return self.rule.here(&View { values: scores, size }, 0);
        };
        activate(scores, rows * columns, &self.spec.output)?;
        Ok(self.rule.there(&View { values: scores, size }, None, (map, 0), source_size))
    }

    /// The scores of one run over `[D][H][W]`, given as W, H, D.
    pub(crate) fn scores(
        &self,
        values: &[f32],
        size: [usize; 3],
        next: Next,
    ) -> Result<Scores, Unsuitable> {
        let [columns, rows, planes] = size;
        let shape = [1, self.input().channels, planes, rows, columns];
        let answer = self.network.run(&shape, values, next)?;
        let channels = answer.channels(1, &[planes, rows, columns], self.rule.channels_min())?;
        Ok(Scores { channels, size, store: answer.store })
    }

    fn decide(
        &self,
        scores: &View<'_>,
        planes: std::ops::Range<usize>,
    ) -> Result<Vec<SliceDecision>, Unsuitable> {
        planes.into_par_iter().map(|plane| self.rule.here(scores, plane)).collect()
    }

    /// The manifest's `[input]`.
    pub(crate) fn input(&self) -> &Input {
        &self.spec.input
    }
}

/// Planes that are wanted, and planes that are read for them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Block {
    first: usize,
    end: usize,
    read_first: usize,
    read_end: usize,
}

fn blocks(planes: usize, slices: usize, halo: usize) -> impl Iterator<Item = Block> {
    (0..planes).step_by(slices).map(move |first| {
        let end = first.saturating_add(slices).min(planes);
        Block {
            first,
            end,
            read_first: first.saturating_sub(halo),
            read_end: end.saturating_add(halo).min(planes),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_every_plane_once_and_read_around_it() {
        let all: Vec<Block> = blocks(10, 4, 2).collect();
        let wanted = [(0, 4, 0, 6), (4, 8, 2, 10), (8, 10, 6, 10)];
        let wanted = wanted.map(|(first, end, read_first, read_end)| Block {
            first,
            end,
            read_first,
            read_end,
        });
        assert_eq!(all, wanted);
        let all: Vec<Block> = blocks(10, usize::MAX, usize::MAX).collect();
        assert_eq!(all, [Block { first: 0, end: 10, read_first: 0, read_end: 10 }]);
    }
}

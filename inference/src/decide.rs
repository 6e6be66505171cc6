//! From scores to masks, one source slice at a time: where the grids are the same directly, otherwise by interpolating probabilities.

use domain::{SliceMask, Unsuitable};

use crate::grid::IndexMap;
use crate::manifest::{Activation, Label, Output, Scale};
use crate::probabilities::{Cells, MIXED, SILENT, all_legal, illegal, sigmoid};
use crate::resample::{Between, for_each_inside};
use crate::scores::View;

/// What was decided about one source slice, label by label.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SliceDecision {
    /// The pixels of each label.
    pub(crate) masks: Vec<Option<SliceMask>>,
    /// The sum of the probabilities of those pixels.
    pub(crate) probability_sums: Vec<f64>,
    /// The probability of each pixel of each label, 255 for 1; 0 outside its mask. `None` where they are not kept.
    pub(crate) probabilities: Vec<Option<Vec<u8>>>,
}

/// How a voxel is decided.
#[derive(Debug)]
pub(crate) struct Rule<'m> {
    output: &'m Output,
    /// The channel of each label.
    pub(crate) channels: Vec<usize>,
    /// The label of each channel.
    label_of: Vec<Option<usize>>,
    /// Whether the probability of each pixel is kept.
    keep: bool,
}

impl<'m> Rule<'m> {
    /// The rule of a manifest.
    pub(crate) fn of(output: &'m Output, labels: &[Label], keep: bool) -> Self {
        let channels: Vec<usize> = labels.iter().map(|label| label.channel).collect();
        let mut label_of = vec![None; channels.iter().max().map_or(0, |last| last + 1)];
        for (label, channel) in channels.iter().enumerate() {
            label_of[*channel] = Some(label);
        }
        Self { output, channels, label_of, keep }
    }

    /// How many channels the labels need.
    pub(crate) fn channels_min(&self) -> usize {
        self.label_of.len()
    }

    fn label_of(&self, channel: usize) -> Option<usize> {
        self.label_of.get(channel).copied().flatten()
    }

    /// Decides a plane of scores that lies on the source slice pixel by pixel. Scores are as the network gave them.
    ///
    /// # Errors
    /// `ModelFailed` where a score is not finite, or no probability though the manifest says so.
    pub(crate) fn here(
        &self,
        scores: &View<'_>,
        plane: usize,
    ) -> Result<SliceDecision, Unsuitable> {
        let scale = self.output.scale;
        let legal = |channel| all_legal(scores.plane(channel, plane), scale);
        if !(0..scores.channels()).all(legal) {
            return Err(illegal(scale));
        }
        let mut drawing = self.drawing(scores.size[0] * scores.size[1]);
        match self.output.activation {
            Activation::Softmax => self.softmax_here(scores, plane, &mut drawing),
            Activation::Sigmoid => self.sigmoid_here(scores, plane, &mut drawing),
        }
        Ok(drawing.finish())
    }

    fn drawing(&self, pixels: usize) -> Drawing {
        let labels = self.channels.len();
        Drawing {
            pixels,
            keep: self.keep,
            masks: vec![None; labels],
            probability_sums: vec![0.0; labels],
            probabilities: vec![None; labels],
        }
    }

    fn softmax_here(&self, scores: &View<'_>, plane: usize, drawing: &mut Drawing) {
        let pixels = scores.size[0] * scores.size[1];
        let planes: Vec<&[f32]> = (0..scores.channels()).map(|c| scores.plane(c, plane)).collect();
        let mut largest = vec![f32::NEG_INFINITY; pixels];
        let mut winner = vec![0_usize; pixels];
        for (channel, values) in planes.iter().enumerate() {
            for ((largest, winner), value) in largest.iter_mut().zip(&mut winner).zip(*values) {
                if value > largest {
                    (*largest, *winner) = (*value, channel);
                }
            }
        }
        for (pixel, (winner, largest)) in winner.into_iter().zip(largest).enumerate() {
            let Some(label) = self.label_of(winner) else { continue };
            let probability = match self.output.scale {
                Scale::Probabilities => largest,
                Scale::Logits => {
                    planes.iter().map(|values| (values[pixel] - largest).exp()).sum::<f32>().recip()
                }
            };
            drawing.draw(label, pixel, self.passed(probability));
        }
    }

    fn sigmoid_here(&self, scores: &View<'_>, plane: usize, drawing: &mut Drawing) {
        for (label, channel) in self.channels.iter().enumerate() {
            for (pixel, score) in scores.plane(*channel, plane).iter().enumerate() {
                let probability = match self.output.scale {
                    Scale::Probabilities => *score,
                    Scale::Logits => sigmoid(*score),
                };
                drawing.draw(label, pixel, self.passed(probability));
            }
        }
    }

    /// The probability, where it reaches the threshold.
    fn passed(&self, probability: f32) -> Option<f32> {
        Some(probability).filter(|probability| *probability >= self.output.threshold)
    }

    /// Decides source slice `k` of `size` (columns, rows) by interpolating probabilities on another grid, on which
    /// `map` finds the pixels of the source. What lies outside that grid is background.
    pub(crate) fn there(
        &self,
        probabilities: &View<'_>,
        cells: Option<&Cells>,
        (map, k): (&IndexMap, usize),
        size: [usize; 2],
    ) -> SliceDecision {
        let drawing = self.drawing(size[0] * size[1]);
        let of_channels = vec![0.0; probabilities.channels()];
        let mut slice = Interpolated { rule: self, probabilities, cells, of_channels, drawing };
        for_each_inside((map, k), size, probabilities.size, |pixel, index| {
            slice.decide(pixel, index)
        });
        slice.drawing.finish()
    }

    /// Decides one pixel by the probabilities of all channels.
    fn decide(&self, probabilities: &[f32], pixel: usize, drawing: &mut Drawing) {
        match self.output.activation {
            Activation::Softmax => {
                let mut best = (0, f32::NEG_INFINITY);
                for (channel, value) in probabilities.iter().enumerate() {
                    if *value > best.1 {
                        best = (channel, *value);
                    }
                }
                if let Some(label) = self.label_of(best.0) {
                    drawing.draw(label, pixel, self.passed(best.1));
                }
            }
            Activation::Sigmoid => {
                for (label, channel) in self.channels.iter().enumerate() {
                    drawing.draw(label, pixel, self.passed(probabilities[*channel]));
                }
            }
        }
    }
}

/// A source slice while it is decided by what lies around its pixels on another grid.
struct Interpolated<'a> {
    rule: &'a Rule<'a>,
    probabilities: &'a View<'a>,
    cells: Option<&'a Cells>,
    of_channels: Vec<f32>,
    drawing: Drawing,
}

impl Interpolated<'_> {
    /// Decides the pixel that lies at an index of the other grid.
    fn decide(&mut self, pixel: usize, index: [f64; 3]) {
        let point = Between::at(index, self.probabilities.size);
        match self.cells.map_or(MIXED, |cells| cells.at(point.lowest())) {
            SILENT => {}
            MIXED => {
                let corners = point.corners();
                for (channel, value) in self.of_channels.iter_mut().enumerate() {
                    *value = corners.interpolate(self.probabilities.channel(channel));
                }
                self.rule.decide(&self.of_channels, pixel, &mut self.drawing);
            }
            winner => {
                let channel = usize::from(winner) - 1;
                let Some(label) = self.rule.label_of(channel) else { return };
                let value = point.corners().interpolate(self.probabilities.channel(channel));
                self.drawing.draw(label, pixel, self.rule.passed(value));
            }
        }
    }
}

/// 255 for 1; what is in a mask is never 0.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 255")]
fn in_eight_bits(probability: f32) -> u8 {
    (probability * 255.0).round().clamp(1.0, 255.0) as u8
}

/// Masks of one slice while they are drawn.
#[derive(Debug)]
struct Drawing {
    pixels: usize,
    keep: bool,
    masks: Vec<Option<SliceMask>>,
    probability_sums: Vec<f64>,
    probabilities: Vec<Option<Vec<u8>>>,
}

impl Drawing {
    /// Sets a pixel of a label, where there is a probability. Each pixel of a label is drawn once.
    fn draw(&mut self, label: usize, pixel: usize, probability: Option<f32>) {
        let Some(probability) = probability else { return };
        let probability = probability.clamp(0.0, 1.0);
        let empty = || SliceMask { bits: vec![0; self.pixels.div_ceil(8)], pixel_count: 0 };
        let mask = self.masks[label].get_or_insert_with(empty);
        mask.bits[pixel / 8] |= 1 << (pixel % 8);
        mask.pixel_count += 1;
        self.probability_sums[label] += f64::from(probability);
        if self.keep {
            let kept = self.probabilities[label].get_or_insert_with(|| vec![0; self.pixels]);
            kept[pixel] = in_eight_bits(probability);
        }
    }

    fn finish(self) -> SliceDecision {
        SliceDecision {
            masks: self.masks,
            probability_sums: self.probability_sums,
            probabilities: self.probabilities,
        }
    }
}

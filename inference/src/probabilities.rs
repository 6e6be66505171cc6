//! Scores become probabilities, in place; and a map of cells in which the answer needs no interpolation.

use domain::Unsuitable;
use rayon::prelude::*;

use crate::manifest::{Activation, Output, Scale};
use crate::scores::{Scores, View, failed};

/// Voxels handled at a time: their values of all channels stay in the cache.
const CHUNK: usize = 4096;

/// How far beyond 0 and 1 a probability may be by rounding.
const SLACK: f32 = 1e-3;

/// Turns the values of `channels` × `voxels` into probabilities.
///
/// # Errors
/// `ModelFailed` where a value is not finite, or no probability though the manifest says so.
pub(crate) fn activate(
    values: &mut [f32],
    voxels: usize,
    output: &Output,
) -> Result<(), Unsuitable> {
    let mut parts: Vec<Vec<&mut [f32]>> = Vec::new();
    parts.resize_with(voxels.div_ceil(CHUNK), Vec::new);
    for channel in values.chunks_mut(voxels) {
        for (part, chunk) in parts.iter_mut().zip(channel.chunks_mut(CHUNK)) {
            part.push(chunk);
        }
    }
    let legal = parts.par_iter_mut().all(|part| {
        let legal = part.iter().all(|chunk| all_legal(chunk, output.scale));
        match (output.scale, output.activation) {
            (Scale::Probabilities, _) => {}
            (Scale::Logits, Activation::Softmax) => softmax(part),
            (Scale::Logits, Activation::Sigmoid) => {
                part.iter_mut().flat_map(|chunk| chunk.iter_mut()).for_each(|v| *v = sigmoid(*v));
            }
        }
        legal
    });
    if legal { Ok(()) } else { Err(illegal(output.scale)) }
}

/// Whether all values are what the manifest says.
pub(crate) fn all_legal(values: &[f32], scale: Scale) -> bool {
    // Without a way out, so that the compiler can take several at a time.
    match scale {
        Scale::Logits => values.iter().fold(true, |legal, v| legal & v.is_finite()),
        Scale::Probabilities => {
            values.iter().fold(true, |legal, v| legal & (*v >= -SLACK) & (*v <= 1.0 + SLACK))
        }
    }
}

/// What is said of values that are not legal.
pub(crate) fn illegal(scale: Scale) -> Unsuitable {
    failed(match scale {
        Scale::Logits => "the output has values that are not finite".into(),
        Scale::Probabilities => {
            "the output has values that are no probabilities, though the manifest says so".into()
        }
    })
}

/// The logistic function.
pub(crate) fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

fn softmax(channels: &mut [&mut [f32]]) {
    let count = channels.first().map_or(0, |channel| channel.len());
    let mut largest = [f32::NEG_INFINITY; CHUNK];
    for channel in channels.iter() {
        largest.iter_mut().zip(channel.iter()).for_each(|(l, v)| *l = l.max(*v));
    }
    let mut sum = [0.0_f32; CHUNK];
    for channel in channels.iter_mut() {
        for ((value, sum), largest) in channel.iter_mut().zip(&mut sum).zip(&largest) {
            *value = (*value - largest).exp();
            *sum += *value;
        }
    }
    sum[..count].iter_mut().for_each(|sum| *sum = sum.recip());
    for channel in channels.iter_mut() {
        channel.iter_mut().zip(&sum).for_each(|(value, sum)| *value *= sum);
    }
}

/// A cell whose corners differ: it has to be interpolated.
pub(crate) const MIXED: u8 = 0;

/// For the cell above each voxel (up to the next voxel along every axis): the winner at all its corners, or [`MIXED`].
///
/// Where one channel wins at all corners it wins at every point between them, since interpolation is a weighted mean. Most of a volume
/// is so, and most of that is background, which then costs one look instead of eight for each channel.
#[derive(Debug)]
pub(crate) struct Cells(Vec<u8>);

impl Cells {
    /// From probabilities.
    pub(crate) fn of(scores: &Scores, output: &Output, labelled: &[usize]) -> Self {
        let view = scores.view();
        let pixels = view.size[0] * view.size[1];
        let mut winners = vec![MIXED; pixels * view.size[2]];
        winners.par_chunks_mut(pixels).enumerate().for_each(|(plane, winners)| {
            match output.activation {
                Activation::Softmax => winning_channels(&view, plane, winners),
                Activation::Sigmoid => silent(&view, plane, (labelled, output.threshold), winners),
            }
            join_in_plane(winners, view.size[0]);
        });
        join_planes(&mut winners, pixels);
        Self(winners)
    }

    /// The code of a cell: [`code`] of the channel that wins, or [`MIXED`].
    pub(crate) fn at(&self, voxel: usize) -> u8 {
        self.0[voxel]
    }
}

/// The code of a channel in [`Cells`]; channels beyond what a byte can tell are always interpolated.
pub(crate) fn code(channel: usize) -> u8 {
    u8::try_from(channel + 1).ok().filter(|code| *code != SILENT).unwrap_or(MIXED)
}

/// Where no channel reaches its threshold, for sigmoids: the code that no label has.
pub(crate) const SILENT: u8 = u8::MAX;

fn winning_channels(view: &View<'_>, plane: usize, winners: &mut [u8]) {
    let mut largest = vec![f32::NEG_INFINITY; winners.len()];
    for channel in 0..view.channels() {
        let code = code(channel);
        let values = view.plane(channel, plane);
        for ((winner, largest), value) in winners.iter_mut().zip(&mut largest).zip(values) {
            if value > largest {
                (*winner, *largest) = (code, *value);
            }
        }
    }
}

fn silent(view: &View<'_>, plane: usize, rule: (&[usize], f32), winners: &mut [u8]) {
    let (labelled, threshold) = rule;
    winners.fill(SILENT);
    for channel in labelled {
        for (winner, value) in winners.iter_mut().zip(view.plane(*channel, plane)) {
            if *value >= threshold {
                *winner = MIXED;
            }
        }
    }
}

fn join(here: &mut u8, next: u8) {
    if *here != next {
        *here = MIXED;
    }
}

fn join_in_plane(winners: &mut [u8], columns: usize) {
    for row in winners.chunks_mut(columns) {
        for i in 1..columns {
            let next = row[i];
            join(&mut row[i - 1], next);
        }
    }
    for next in columns..winners.len() {
        let below = winners[next];
        join(&mut winners[next - columns], below);
    }
}

fn join_planes(winners: &mut [u8], pixels: usize) {
    let mut planes = winners.chunks_mut(pixels);
    let Some(mut here) = planes.next() else { return };
    for next in planes {
        here.iter_mut().zip(next.iter()).for_each(|(here, next)| join(here, *next));
        here = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scores::Store;

    fn output(activation: Activation, scale: Scale) -> Output {
        Output { tensor: None, activation, scale, threshold: 0.5 }
    }

    #[test]
    fn softmax_adds_up_to_one_and_keeps_the_order() {
        let voxels = CHUNK + 3;
        let mut values: Vec<f32> =
            (0..3 * voxels).map(|n| ((n * 37) % 101) as f32 - 50.0).collect();
        let before = values.clone();
        activate(&mut values, voxels, &output(Activation::Softmax, Scale::Logits)).unwrap();
        for v in 0..voxels {
            let of = |values: &[f32]| [values[v], values[voxels + v], values[2 * voxels + v]];
            let got = of(&values);
            assert!((got.iter().sum::<f32>() - 1.0).abs() < 1e-6);
            let (a, b) = (of(&before), f64::from(got[0]) / f64::from(got[1]));
            let wanted = f64::from(a[0] - a[1]).exp();
            if (1e-6..1e6).contains(&wanted) {
                assert!((b / wanted - 1.0).abs() < 1e-4, "{b} {wanted}");
            }
        }
    }

    #[test]
    fn what_is_not_finite_is_an_error() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut values = vec![0.0, 1.0, bad, 2.0];
            let output = output(Activation::Softmax, Scale::Logits);
            assert!(activate(&mut values, 2, &output).is_err(), "{bad}");
        }
        let mut values = vec![0.2, 1.2];
        let output = output(Activation::Sigmoid, Scale::Probabilities);
        assert!(activate(&mut values, 2, &output).is_err());
    }

    #[test]
    fn no_channel_has_the_code_of_silence() {
        assert_eq!([0, 253, 254, 255, 1000].map(code), [1, 254, MIXED, MIXED, MIXED]);
    }

    #[test]
    fn a_cell_is_mixed_where_any_corner_differs() {
        // Channel 1 wins in one voxel of 3 x 3 x 3.
        let mut values = vec![0.9; 27];
        values.extend(vec![0.1; 27]);
        (values[13], values[27 + 13]) = (0.3, 0.7);
        let scores = Scores { channels: 2, size: [3, 3, 3], store: Store::Own(values) };
        let cells = Cells::of(&scores, &output(Activation::Softmax, Scale::Logits), &[1]);
        let around = [0, 1, 3, 4, 9, 10, 12, 13];
        for voxel in 0..27 {
            let wanted = if around.contains(&voxel) { MIXED } else { code(0) };
            assert_eq!(cells.at(voxel), wanted, "{voxel}");
        }
    }
}

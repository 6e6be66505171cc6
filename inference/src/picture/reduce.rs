//! Generation 1, where the picture is smaller than the image: Gaussian, B-spline filter and sampling as one sum along each axis.
//!
//! The image is read row by row, and nothing of its size is kept.

use rayon::prelude::*;

use super::axis::Axis;
use super::levels::Levels;
use super::spline::{POLE, Range, cubic};
use super::taps::index;

/// Rows of the picture that are made together. Fixed, so that sums come out the same on any number of threads.
const BAND: usize = 64;

/// Inputs that are taken together.
const LANES: usize = 8;

/// How far a coefficient of the spline looks: POLE to this power is less than a rounding error of the picture.
const REACH: i64 = 14;

/// How many standard deviations the Gaussian reaches, as SciPy has it.
const DEVIATIONS: f64 = 4.0;

/// The picture of a channel, as the source lies.
pub(crate) fn reduce(levels: &Levels<'_>, axes: [Axis; 2]) -> Vec<u8> {
    let [columns, rows] = axes;
    let filters = axes.map(Filter::of);
    let mut values = vec![0.0; columns.side * rows.side];
    let bands = values.par_chunks_mut(columns.side * BAND).enumerate();
    bands.for_each(|(band, into)| fill_band(levels, &filters, band * BAND, into));
    Range::of(levels, axes).cut(&values)
}

/// Rows of the picture from `first` on.
fn fill_band(levels: &Levels<'_>, [along, down]: &[Filter; 2], first: usize, into: &mut [f32]) {
    let side = along.starts.len();
    let last = first + into.len() / side;
    let begin = down.starts[first..last].iter().copied().min().unwrap_or(0);
    let end = down.starts[first..last].iter().copied().max().unwrap_or(0) + down.length;
    let mut row = vec![0.0; along.inputs + along.length];
    let mut line = vec![0.0; side];
    for j in begin..end.min(down.inputs) {
        levels.row(j, &mut row[..along.inputs]);
        along.apply(&row, &mut line);
        for (output, into) in (first..).zip(into.chunks_exact_mut(side)) {
            let weight = down.weight(output, j);
            if weight != 0.0 {
                into.iter_mut().zip(&line).for_each(|(sum, value)| *sum += weight * value);
            }
        }
    }
}

/// Along an axis: each output is a weighted sum of many neighbouring inputs.
#[derive(Debug)]
struct Filter {
    inputs: usize,
    /// The first input of each output.
    starts: Vec<usize>,
    /// Inputs of each output: a multiple of [`LANES`]; some may lie behind the end, with weight 0.
    length: usize,
    /// `length` for each output.
    weights: Vec<f32>,
}

impl Filter {
    fn of(axis: Axis) -> Self {
        let gaussian = gaussian(axis.factor());
        let sums: Vec<(usize, Vec<f64>)> = (0..axis.side)
            .map(|n| inside(&axis, &smoothed(&sampled(&axis, n), &gaussian)))
            .collect();
        let longest = sums.iter().map(|(_, weights)| weights.len()).max().unwrap_or(0);
        let length = longest.next_multiple_of(LANES).max(LANES);
        let mut weights = vec![0.0; length * axis.side];
        for (into, (_, sum)) in weights.chunks_exact_mut(length).zip(&sums) {
            into.iter_mut().zip(sum).for_each(|(single, weight)| *single = narrow(*weight));
        }
        let starts = sums.into_iter().map(|(start, _)| start).collect();
        Self { inputs: axis.count, starts, length, weights }
    }

    fn weight(&self, output: usize, input: usize) -> f32 {
        let own = &self.weights[output * self.length..(output + 1) * self.length];
        let at = input.checked_sub(self.starts[output]);
        at.and_then(|at| own.get(at)).copied().unwrap_or(0.0)
    }

    /// `row` has `length` zeros behind its end.
    fn apply(&self, row: &[f32], line: &mut [f32]) {
        let weights = self.weights.chunks_exact(self.length);
        for ((sum, start), weights) in line.iter_mut().zip(&self.starts).zip(weights) {
            *sum = dot(&row[*start..*start + self.length], weights);
        }
    }
}

fn dot(values: &[f32], weights: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    for (values, weights) in
        values.as_chunks::<LANES>().0.iter().zip(weights.as_chunks::<LANES>().0)
    {
        for (sum, (value, weight)) in sums.iter_mut().zip(values.iter().zip(weights)) {
            *sum += value * weight;
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}

/// Weights of consecutive pixels of the padded axis, which may begin and end outside.
struct Weights {
    first: i64,
    weights: Vec<f64>,
}

/// Of the smoothed image at pixel `n` of the picture: four coefficients, each of them a sum over all pixels that falls off fast.
fn sampled(axis: &Axis, n: usize) -> Weights {
    let position = axis.in_source(n) + axis.before as f64;
    if axis.is_same() {
        return Weights { first: index(position.round()), weights: vec![1.0] };
    }
    let (first, own) = cubic(position);
    let root = 3.0_f64.sqrt();
    let begin = first - REACH;
    let mut weights = vec![0.0; own.len() + 2 * usize::try_from(REACH).unwrap_or(0)];
    for (coefficient, own) in (first..).zip(own) {
        for (pixel, weight) in (begin..).zip(&mut weights) {
            let apart = i32::try_from(coefficient.abs_diff(pixel)).unwrap_or(i32::MAX);
            *weight += own * root * POLE.powi(apart);
        }
    }
    // The smoothed image ends where the image with its zeros ends, and is 0 beyond.
    let end = i64::try_from(axis.padded).unwrap_or(i64::MAX);
    for (pixel, weight) in (begin..).zip(&mut weights) {
        if pixel < 0 || pixel >= end {
            *weight = 0.0;
        }
    }
    Weights { first: begin, weights }
}

/// The weights from the middle to both sides; a single 1 where nothing is smoothed.
fn gaussian(factor: f64) -> Vec<f64> {
    let deviation = ((factor - 1.0) / 2.0).max(0.0);
    let radius = index(DEVIATIONS * deviation + 0.5);
    if radius < 1 {
        return vec![1.0];
    }
    let bell = |n: i64| (-0.5 * (n as f64 / deviation).powi(2)).exp();
    let weights: Vec<f64> = (-radius..=radius).map(bell).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

fn smoothed(sampled: &Weights, gaussian: &[f64]) -> Weights {
    let radius = gaussian.len() / 2;
    let mut weights = vec![0.0; sampled.weights.len() + 2 * radius];
    for (n, own) in sampled.weights.iter().enumerate() {
        for (weight, bell) in weights[n..].iter_mut().zip(gaussian) {
            *weight += own * bell;
        }
    }
    Weights { first: sampled.first - i64::try_from(radius).unwrap_or(0), weights }
}

/// What of it lies in the source, zeros not counted.
fn inside(axis: &Axis, all: &Weights) -> (usize, Vec<f64>) {
    let own = usize::try_from(all.first - i64::try_from(axis.before).unwrap_or(0));
    let skipped =
        own.map_or_else(|_| i64::try_from(axis.before).unwrap_or(0).abs_diff(all.first), |_| 0);
    let skipped = usize::try_from(skipped).unwrap_or(usize::MAX).min(all.weights.len());
    let start = own.unwrap_or(0).min(axis.count);
    let count = (all.weights.len() - skipped).min(axis.count - start);
    (start, all.weights[skipped..skipped + count].to_vec())
}

#[expect(clippy::cast_possible_truncation, reason = "a weight needs no more digits")]
fn narrow(weight: f64) -> f32 {
    weight as f32
}

#[cfg(test)]
mod tests {
    use super::super::framing::Generation;
    use super::super::turn::Sense;
    use super::*;

    /// The weights of an output add up to 1 where it is far from all borders, and lie around its place.
    #[test]
    fn weights_add_up_and_lie_around_their_place() {
        for (count, other, side) in
            [(90, 90, 16), (1000, 1000, 512), (130, 129, 128), (64, 200, 32)]
        {
            let axis = Axis::new(Generation::V1, [count, other], side, Sense::Onward);
            let filter = Filter::of(axis);
            let middle = side / 2;
            let of_output = (0..count).map(|input| f64::from(filter.weight(middle, input)));
            let weights: Vec<f64> = of_output.collect();
            let sum: f64 = weights.iter().sum();
            assert!((sum - 1.0).abs() < 1e-5, "{count} {side}: {sum}");
            let centre: f64 = (0..).zip(&weights).map(|(n, weight)| f64::from(n) * weight).sum();
            assert!((centre - axis.in_source(middle)).abs() < 1e-3, "{count} {side}: {centre}");
        }
    }

    #[test]
    fn a_place_among_the_zeros_has_no_weights() {
        let axis = Axis::new(Generation::V1, [10, 400], 40, Sense::Onward);
        let filter = Filter::of(axis);
        assert!((0..10).all(|input| filter.weight(0, input).abs() < 1e-6));
        assert!((0..10).any(|input| filter.weight(20, input) > 0.05));
    }
}

//! Weighted sums of a few neighbours along both axes: what interpolation comes down to.
//!
//! Rows come first. A few output rows are then taken together, column by column, so that the walk along a row, which has no other
//! regularity, works on all of them at once.

use std::ops::Range;

use super::work::for_each_chunk;

/// Output rows that are made together.
pub(crate) const LANES: usize = 8;

/// The values of one column in the rows that are made together.
pub(crate) type Lanes = [f32; LANES];

/// Along an axis: each output is a weighted sum of neighbouring inputs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Taps {
    inputs: usize,
    /// Inputs of each output.
    count: usize,
    /// The first of them.
    starts: Vec<usize>,
    /// `count` for each output.
    weights: Vec<f32>,
}

impl Taps {
    /// Each output is the input of the same index.
    pub(crate) fn same(count: usize) -> Self {
        Self { inputs: count, count: 1, starts: (0..count).collect(), weights: vec![1.0; count] }
    }

    /// `outputs` say where their first input lies, which may be outside, and how much it and those behind it count.
    ///
    /// An input outside is `decay` to the power of its distance times the input at that end.
    pub(crate) fn new<const N: usize>(
        inputs: usize,
        decay: f64,
        outputs: impl Iterator<Item = (i64, [f64; N])>,
    ) -> Self {
        let (mut starts, mut weights) = (Vec::new(), Vec::new());
        let last = inputs.saturating_sub(1);
        for (first, own) in outputs {
            let start = usize::try_from(first).unwrap_or(0).min(inputs.saturating_sub(N));
            let mut folded = [0.0_f64; N];
            for (n, weight) in (first..).zip(own) {
                let inside = usize::try_from(n).unwrap_or(0).min(last);
                let outside = n.abs_diff(i64::try_from(inside).unwrap_or(i64::MAX));
                let power = i32::try_from(outside).map_or(0.0, |n| decay.powi(n));
                folded[inside - start] += weight * power;
            }
            starts.push(start);
            weights.extend(folded.map(single));
        }
        Self { inputs, count: N, starts, weights }
    }

    /// Linear interpolation at the position of each output; beyond the outermost inputs these hold.
    pub(crate) fn linear(inputs: usize, positions: impl Iterator<Item = f64>) -> Self {
        let last = inputs.saturating_sub(1) as f64;
        let outputs = positions.map(|position| {
            let position = position.clamp(0.0, last);
            let below = position.floor();
            (index(below), [1.0 - (position - below), position - below])
        });
        Self::new(inputs, 1.0, outputs)
    }

    /// Weights of any number of inputs, none outside, made to add up to 1.
    pub(crate) fn normalised(
        inputs: usize,
        outputs: impl Iterator<Item = (i64, Vec<f64>)>,
    ) -> Self {
        let outputs: Vec<_> = outputs.collect();
        let longest = outputs.iter().map(|(_, weights)| weights.len()).max().unwrap_or(0);
        let count = if longest <= 4 { 4 } else { longest };
        let (mut starts, mut weights) = (Vec::new(), Vec::new());
        for (first, own) in outputs {
            let first = usize::try_from(first).unwrap_or(0);
            let start = first.min(inputs.saturating_sub(count));
            let sum: f64 = own.iter().sum();
            let mut shifted = vec![0.0; count];
            let places = shifted.iter_mut().skip(first - start);
            places.zip(own).for_each(|(place, weight)| *place = single(weight / sum));
            starts.push(start);
            weights.append(&mut shifted);
        }
        Self { inputs, count, starts, weights }
    }

    /// Number of outputs.
    pub(crate) fn outputs(&self) -> usize {
        self.starts.len()
    }

    /// The outputs that some of the inputs count in, from the first to the last.
    pub(crate) fn touching(&self, inputs: Range<usize>) -> Range<usize> {
        let touches = |output: &usize| self.of(*output).any(|(input, _)| inputs.contains(&input));
        let first = (0..self.outputs()).find(touches).unwrap_or(0);
        (first..self.outputs()).rfind(touches).map_or(0..0, |last| first..last + 1)
    }

    /// Some of the outputs.
    pub(crate) fn part(&self, outputs: &Range<usize>) -> Self {
        let weights = outputs.start * self.count..outputs.end * self.count;
        Self {
            starts: self.starts[outputs.clone()].to_vec(),
            weights: self.weights[weights].to_vec(),
            inputs: self.inputs,
            count: self.count,
        }
    }

    /// The inputs of an output and their weights.
    fn of(&self, output: usize) -> impl Iterator<Item = (usize, f32)> {
        let weights = &self.weights[output * self.count..(output + 1) * self.count];
        let inputs = (self.starts[output]..).zip(weights).map(|(input, weight)| (input, *weight));
        inputs.filter(|(input, weight)| *input < self.inputs && *weight != 0.0)
    }

    /// The row that an output is.
    fn blend(&self, values: &[f32], output: usize, line: &mut [f32]) {
        line.fill(0.0);
        for (input, weight) in self.of(output) {
            let row = &values[input * line.len()..(input + 1) * line.len()];
            line.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * value);
        }
    }

    fn walk<const N: usize>(&self, tile: &[Lanes], mut each: impl FnMut(usize, Lanes)) {
        let (weights, _) = self.weights.as_chunks::<N>();
        for (output, (start, weights)) in self.starts.iter().zip(weights).enumerate() {
            let mut sum = [0.0; LANES];
            if let Some(inputs) = tile[*start..].first_chunk::<N>() {
                for (input, weight) in inputs.iter().zip(weights) {
                    sum.iter_mut().zip(input).for_each(|(sum, value)| *sum += weight * value);
                }
            }
            each(output, sum);
        }
    }

    /// Calls `each` with every output in order.
    fn for_each(&self, tile: &[Lanes], each: impl FnMut(usize, Lanes)) {
        match self.count {
            1 => self.walk::<1>(tile, each),
            2 => self.walk::<2>(tile, each),
            4 => self.walk::<4>(tile, each),
            _ => self.walk_far(tile, each),
        }
    }

    /// The same for any number of inputs.
    fn walk_far(&self, tile: &[Lanes], mut each: impl FnMut(usize, Lanes)) {
        for output in 0..self.outputs() {
            let mut sum = [0.0; LANES];
            for (input, weight) in self.of(output) {
                sum.iter_mut().zip(&tile[input]).for_each(|(sum, value)| *sum += weight * value);
            }
            each(output, sum);
        }
    }
}

/// The values at the outputs of `along` (columns) and `down` (rows).
///
/// `between` is shown each column of some rows when it has been made of the rows of the input, and may change them; `finish` makes the
/// outputs.
pub(crate) fn resample<T: Copy + Default + Send>(
    values: &[f32],
    [along, down]: [&Taps; 2],
    between: impl Fn(&mut [Lanes]) + Sync,
    finish: impl Fn(Lanes) -> [T; LANES] + Sync,
) -> Vec<T> {
    let (columns, width) = (along.inputs, along.outputs());
    let mut resampled = vec![T::default(); width * down.outputs()];
    let scratch = || (vec![0.0; columns], vec![[0.0; LANES]; columns.max(along.count)]);
    for_each_chunk(&mut resampled, width * LANES, scratch, |(line, tile), band, rows| {
        let count = rows.len() / width.max(1);
        for lane in 0..count {
            down.blend(values, band * LANES + lane, line);
            tile.iter_mut().zip(&*line).for_each(|(lanes, value)| lanes[lane] = *value);
        }
        between(&mut tile[..columns]);
        along.for_each(tile, |output, lanes| {
            let finished = finish(lanes);
            for (row, value) in rows.chunks_exact_mut(width).zip(finished) {
                row[output] = value;
            }
        });
    });
    resampled
}

#[expect(clippy::cast_possible_truncation, reason = "a weight needs no more digits")]
fn single(weight: f64) -> f32 {
    weight as f32
}

/// A whole number.
#[expect(clippy::cast_possible_truncation, reason = "whole, and within the size of an image")]
pub(crate) fn index(whole: f64) -> i64 {
    whole as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(taps: &Taps, output: usize) -> Vec<(usize, f32)> {
        taps.of(output).collect()
    }

    #[test]
    fn inputs_outside_are_folded_onto_the_ends() {
        let outputs = [(-2, [1.0, 2.0, 4.0, 8.0]), (1, [1.0, 2.0, 4.0, 8.0]), (90, [1.0; 4])];
        let taps = Taps::new(3, 0.5, outputs.into_iter());
        // -2 and -1 count a quarter and a half of input 0.
        assert_eq!(weights(&taps, 0), [(0, 0.25 + 1.0 + 4.0), (1, 8.0)]);
        assert_eq!(weights(&taps, 1), [(1, 1.0), (2, 2.0 + 2.0 + 2.0)]);
        assert!(weights(&taps, 2).iter().all(|(input, weight)| *input == 2 && *weight < 1e-20));
    }

    #[test]
    fn linear_interpolation_holds_at_the_ends() {
        let taps = Taps::linear(3, [-0.3, 0.25, 2.0, 7.0].into_iter());
        let row = [10.0, 20.0, 40.0];
        let values = resample(&row, [&taps, &Taps::same(1)], |_| {}, |lanes| lanes);
        assert_eq!(values, [10.0, 12.5, 40.0, 40.0]);
        let column = resample(&row, [&Taps::same(1), &taps], |_| {}, |lanes| lanes);
        assert_eq!(column, values);
        let one = Taps::linear(1, [0.0, 0.7].into_iter());
        assert_eq!(resample(&[3.0], [&one, &one], |_| {}, |lanes| lanes), [3.0; 4]);
    }

    #[test]
    fn parts_are_made_of_the_same_inputs() {
        let taps = Taps::linear(3, [-0.3, 0.0, 0.25, 1.0, 1.5, 2.0].into_iter());
        assert_eq!(taps.touching(0..1), 0..3);
        assert_eq!(taps.touching(1..2), 2..5);
        assert_eq!(taps.touching(3..4), 0..0);
        let part = taps.part(&(2..5));
        let row = [10.0, 20.0, 40.0];
        let values = resample(&row, [&part, &Taps::same(1)], |_| {}, |lanes| lanes);
        assert_eq!(values, [12.5, 20.0, 30.0]);
    }

    #[test]
    fn any_number_of_taps_and_rows_is_taken() {
        let values: Vec<f32> = (0_u8..33).map(f32::from).collect();
        let mean = |n: i64| (n, [1.0 / 3.0; 3]);
        let taps = Taps::new(11, 1.0, (0..9).map(mean));
        let of_rows = resample(&values, [&taps, &Taps::same(3)], |_| {}, |lanes| lanes);
        for (n, value) in of_rows.iter().enumerate() {
            let wanted = (n / 9 * 11 + n % 9 + 1) as f32;
            assert!((value - wanted).abs() < 1e-4, "{n}: {value} {wanted}");
        }
        let of_columns = resample(&values, [&Taps::same(3), &taps], |_| {}, |lanes| lanes);
        assert!((of_columns[26] - 29.0).abs() < 1e-4 && (of_columns[0] - 3.0).abs() < 1e-4);
    }
}

//! Weighted sums of four bytes, in whole numbers, in the vector instructions that a processor has: they are the same in all of them.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::axis::Axis;
use super::turn::Sense;

/// Inputs of an output.
pub(super) const TAPS: usize = 4;

/// Of one output: inputs, and their weights. An input that is padding has weight 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) inputs: [usize; TAPS],
    pub(super) weights: [i16; TAPS],
}

impl Sum {
    /// From pixels of the padded axis, in the sense of the picture, to those of the source, in its sense.
    pub(super) fn in_source(axis: &Axis, padded: [usize; TAPS], mut weights: [i16; TAPS]) -> Self {
        let mut inputs = [0; TAPS];
        for ((input, padded), weight) in inputs.iter_mut().zip(padded).zip(&mut weights) {
            let padded = match axis.sense {
                Sense::Onward => padded,
                Sense::Backward => axis.padded - 1 - padded,
            };
            match padded.checked_sub(axis.before).filter(|pixel| *pixel < axis.count) {
                Some(pixel) => *input = pixel,
                None => *weight = 0,
            }
        }
        if axis.sense == Sense::Backward {
            inputs.reverse();
            weights.reverse();
        }
        Self { inputs, weights }
    }

    /// The first of its inputs, when all of them are neighbours.
    fn first_neighbour(&self) -> Option<usize> {
        let first = self.inputs[0];
        (self.inputs == [0, 1, 2, 3].map(|n| first + n)).then_some(first)
    }

    #[inline(always)]
    fn over(&self, inputs: &[u8], precision: u32) -> u8 {
        let four = self.inputs.map(|input| inputs[input]);
        rounded(weighted(four, self.weights), precision)
    }
}

/// Outputs with the same weights, each made of inputs two behind those of the one before: an axis that is halved has hardly others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Evenly {
    outputs: Range<usize>,
    /// The first input of the first of them.
    first: usize,
    weights: [i16; TAPS],
}

impl Evenly {
    /// Those around the middle one; `None` where that is not so.
    pub(super) fn of(sums: &[Sum]) -> Option<Self> {
        let middle = sums.len() / 2;
        let Sum { weights, .. } = *sums.get(middle)?;
        let at = sums[middle].first_neighbour()?;
        let belongs = |n: usize, sum: &Sum| {
            sum.weights == weights
                && sum.first_neighbour().is_some_and(|own| own + 2 * middle == at + 2 * n)
        };
        let behind = (middle..sums.len()).take_while(|n| belongs(*n, &sums[*n])).count();
        let before = (0..middle).rev().take_while(|n| belongs(*n, &sums[*n])).count();
        let outputs = middle - before..middle + behind;
        (outputs.len() > 1).then_some(Self { outputs, first: at - 2 * before, weights })
    }

    #[inline(always)]
    fn over(&self, inputs: &[u8], precision: u32, outputs: &mut [u8]) {
        let outputs = &mut outputs[self.outputs.clone()];
        let pairs = |from: usize| inputs[from..].as_chunks::<2>().0;
        let fours = pairs(self.first).iter().zip(pairs(self.first + 2));
        for (output, ([a, b], [c, d])) in outputs.iter_mut().zip(fours) {
            *output = rounded(weighted([*a, *b, *c, *d], self.weights), precision);
        }
    }
}

/// A row of outputs, made of the inputs of a row.
pub(super) struct AlongRow<'a> {
    pub(super) inputs: &'a [u8],
    /// One an output.
    pub(super) sums: &'a [Sum],
    pub(super) evenly: Option<&'a Evenly>,
    pub(super) precision: u32,
    pub(super) outputs: &'a mut [u8],
}

impl WithSimd for AlongRow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { inputs, sums, evenly, precision, outputs } = self;
        let even = evenly.map_or(0..0, |evenly| evenly.outputs.clone());
        for n in (0..even.start).chain(even.end..sums.len()) {
            outputs[n] = sums[n].over(inputs, precision);
        }
        if let Some(evenly) = evenly {
            evenly.over(inputs, precision, outputs);
        }
    }
}

/// A row of outputs, each made of one input of each of four rows.
pub(super) struct AcrossRows<'a> {
    pub(super) inputs: [&'a [u8]; TAPS],
    pub(super) weights: &'a [i16; TAPS],
    pub(super) precision: u32,
    pub(super) outputs: &'a mut [u8],
}

impl WithSimd for AcrossRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { inputs: [a, b, c, d], weights, precision, outputs } = self;
        let fours = a.iter().zip(b).zip(c).zip(d);
        for (output, (((a, b), c), d)) in outputs.iter_mut().zip(fours) {
            *output = rounded(weighted([*a, *b, *c, *d], *weights), precision);
        }
    }
}

#[inline(always)]
fn weighted(inputs: [u8; TAPS], weights: [i16; TAPS]) -> i32 {
    let [a, b, c, d] = inputs.map(i32::from);
    let [w, x, y, z] = weights.map(i32::from);
    a * w + b * x + c * y + d * z
}

/// The nearest level.
#[inline(always)]
fn rounded(sum: i32, precision: u32) -> u8 {
    let [level, ..] = ((sum + (1 << precision >> 1)) >> precision).clamp(0, 255).to_le_bytes();
    level
}

#[cfg(test)]
mod tests {
    use pulp::Arch;

    use super::*;

    const PRECISION: u32 = 14;
    const WEIGHTS: [i16; TAPS] = [-1536, 9728, 9728, -1536];

    fn halving(count: usize) -> Vec<Sum> {
        let one = |n: usize| {
            let inputs = [0, 1, 2, 3].map(|tap| (2 * n + tap).saturating_sub(1).min(count - 1));
            Sum { inputs, weights: WEIGHTS }
        };
        (0..count / 2).map(one).collect()
    }

    #[test]
    fn what_is_even_is_made_as_all_else() {
        let inputs: Vec<u8> = (0..64_u8).map(|n| n.wrapping_mul(151)).collect();
        let sums = halving(inputs.len());
        let evenly = Evenly::of(&sums);
        assert_eq!(evenly, Some(Evenly { outputs: 1..31, first: 1, weights: WEIGHTS }));
        let made = |evenly: Option<&Evenly>| {
            let mut outputs = vec![0; sums.len()];
            let row = AlongRow {
                inputs: &inputs,
                sums: &sums,
                evenly,
                precision: PRECISION,
                outputs: &mut outputs,
            };
            Arch::new().dispatch(row);
            outputs
        };
        assert_eq!(made(evenly.as_ref()), made(None));
    }

    #[test]
    fn other_sums_are_not_even() {
        let mut thirds = halving(30);
        thirds
            .iter_mut()
            .enumerate()
            .for_each(|(n, sum)| sum.inputs = sum.inputs.map(|input| input + n));
        assert_eq!(Evenly::of(&thirds), None);
        let mut other = halving(30);
        other[8].weights[0] += 1;
        assert_eq!(Evenly::of(&other).map(|evenly| evenly.outputs), Some(1..8));
        assert_eq!(Evenly::of(&[]), None);
    }
}

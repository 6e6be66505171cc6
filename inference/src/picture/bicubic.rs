//! Generation 2: bicubic interpolation of bytes as PyTorch has it: a = −0.75, no smoothing, weights of 16 bits, rows of the picture
//! first, and whole levels behind each of the two passes.

use super::axis::Axis;
use super::levels::Levels;
use super::taps::index;
use super::turn::{Run, Sense};
use super::work::for_each_chunk;

/// Inputs of an output.
const TAPS: usize = 4;

/// The shape of the cubic.
const A: f64 = -0.75;

/// The plane of a channel, as the source lies. `run` says which of its axes the rows of the picture are.
pub(crate) fn resized(levels: &Levels<'_>, [columns, rows]: [Axis; 2], run: Run) -> Vec<u8> {
    let (along, down) = (Pass::of(&columns), Pass::of(&rows));
    let used = down.used();
    let plane = rows_cut(levels, columns.count, &used);
    let down = down.among(&used);
    match run {
        Run::Along => down.rows(along.columns(plane, columns.count), columns.side),
        Run::Across => along.columns(down.rows(plane, columns.count), columns.count),
    }
}

/// Some rows of the source, one behind the other.
fn rows_cut(levels: &Levels<'_>, columns: usize, used: &[usize]) -> Vec<u8> {
    let mut plane = vec![0; columns * used.len()];
    for_each_chunk(&mut plane, columns, || (), |(), index, row| levels.row_cut(used[index], row));
    plane
}

/// Along an axis: each output is a weighted sum of four inputs, in whole numbers.
#[derive(Debug)]
enum Pass {
    /// Each output is the input of the same index.
    Same(usize),
    /// One sum an output.
    Sums {
        sums: Vec<Sum>,
        /// Bits behind the point.
        precision: u32,
    },
}

/// Of one output: inputs, and their weights. An input that is padding has weight 0.
#[derive(Debug, Clone, Copy)]
struct Sum {
    inputs: [usize; TAPS],
    weights: [i32; TAPS],
}

impl Pass {
    fn of(axis: &Axis) -> Self {
        if axis.is_same() {
            return Self::Same(axis.count);
        }
        let exact: Vec<_> = (0..axis.side).map(|n| folded(n, axis)).collect();
        let largest =
            exact.iter().flat_map(|(_, weights)| weights).fold(0.0, |a: f64, b| a.max(*b));
        let precision = precision(largest);
        let one = f64::from(1_u32 << precision);
        let sums = exact.iter().map(|(padded, weights)| {
            let weights = weights.map(|weight| whole((weight * one).round()));
            Sum::in_source(axis, *padded, weights)
        });
        let mut sums: Vec<Sum> = sums.collect();
        if axis.sense == Sense::Backward {
            sums.reverse();
        }
        Self::Sums { sums, precision }
    }

    /// The inputs that count, in order.
    fn used(&self) -> Vec<usize> {
        match self {
            Self::Same(count) => (0..*count).collect(),
            Self::Sums { sums, .. } => {
                let counting = sums.iter().flat_map(|sum| sum.inputs.into_iter().zip(sum.weights));
                let mut used: Vec<usize> =
                    counting.filter(|(_, weight)| *weight != 0).map(|(input, _)| input).collect();
                used.sort_unstable();
                used.dedup();
                used
            }
        }
    }

    /// The same when only the inputs that are `used` are there.
    fn among(self, used: &[usize]) -> Self {
        let Self::Sums { mut sums, precision } = self else { return self };
        for input in sums.iter_mut().flat_map(|sum| &mut sum.inputs) {
            // What is not used has weight 0.
            *input = used.binary_search(input).unwrap_or(0);
        }
        Self::Sums { sums, precision }
    }

    /// Of rows of `width` bytes, each made of the columns of a row.
    fn columns(&self, plane: Vec<u8>, width: usize) -> Vec<u8> {
        let Self::Sums { sums, precision } = self else { return plane };
        let side = sums.len();
        let mut passed = vec![0; plane.len() / width * side];
        for_each_chunk(
            &mut passed,
            side,
            || (),
            |(), index, into| {
                let row = &plane[index * width..(index + 1) * width];
                for (level, Sum { inputs, weights }) in into.iter_mut().zip(sums) {
                    let terms =
                        inputs.iter().zip(weights).map(|(n, weight)| i32::from(row[*n]) * weight);
                    *level = rounded(terms.sum(), *precision);
                }
            },
        );
        passed
    }

    /// Of rows of `width` bytes, each a sum of rows.
    fn rows(&self, plane: Vec<u8>, width: usize) -> Vec<u8> {
        let Self::Sums { sums, precision } = self else { return plane };
        let mut passed = vec![0; sums.len() * width];
        for_each_chunk(
            &mut passed,
            width,
            || (),
            |(), index, into| {
                let Sum { inputs, weights } = &sums[index];
                let [a, b, c, d] = inputs.map(|n| plane.get(n * width..).unwrap_or_default());
                for ((((level, a), b), c), d) in into.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                    let terms = [a, b, c, d].map(|level| i32::from(*level));
                    let terms = terms.iter().zip(weights).map(|(level, weight)| level * weight);
                    *level = rounded(terms.sum(), *precision);
                }
            },
        );
        passed
    }
}

/// The nearest level.
fn rounded(sum: i32, precision: u32) -> u8 {
    let [level, ..] = ((sum + (1 << precision >> 1)) >> precision).clamp(0, 255).to_le_bytes();
    level
}

/// The pixels of the padded axis that make output `n`, in the sense of the picture. What lies outside is the pixel at that end.
fn folded(n: usize, axis: &Axis) -> ([usize; TAPS], [f64; TAPS]) {
    let position = (n as f64 + 0.5) * axis.factor() - 0.5;
    let below = position.floor();
    let last = axis.padded - 1;
    let mut weights = [0.0; TAPS];
    let first = index(below) - 1;
    let start = usize::try_from(first).unwrap_or(0).min(last);
    let inputs = [0, 1, 2, 3].map(|n| (start + n).min(last));
    for (n, weight) in (first..).zip(cubic(position - below)) {
        let inside = usize::try_from(n).unwrap_or(0).min(last);
        weights[inside - start] += weight;
    }
    (inputs, weights)
}

/// Of the four pixels around a point that lies `t` behind the second one.
fn cubic(t: f64) -> [f64; TAPS] {
    let near = |x: f64| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let far = |x: f64| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    [far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)]
}

/// The most bits behind the point with which the largest weight has 16 bits.
fn precision(largest: f64) -> u32 {
    let fits = |bits: &u32| whole(largest * f64::from(1_u32 << (bits + 1)) + 0.5) < 1 << 15;
    (0..PRECISION_MAX).take_while(fits).count().try_into().unwrap_or(PRECISION_MAX)
}

/// Most bits behind the point.
const PRECISION_MAX: u32 = 22;

impl Sum {
    /// From pixels of the padded axis, in the sense of the picture, to those of the source.
    fn in_source(axis: &Axis, padded: [usize; TAPS], mut weights: [i32; TAPS]) -> Self {
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
        Self { inputs, weights }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a weight of 16 bits")]
fn whole(weight: f64) -> i32 {
    weight as i32
}

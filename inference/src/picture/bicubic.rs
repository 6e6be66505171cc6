//! Generation 2: bicubic interpolation of bytes as PyTorch has it: a = −0.75, no smoothing, weights of 16 bits, rows of the picture
//! first, and whole levels behind each of the two passes.

use pulp::Arch;

use super::axis::Axis;
use super::levels::Levels;
use super::sums::{AcrossRows, AlongRow, Evenly, Sum, TAPS};
use super::taps::index;
use super::turn::{Run, Sense};
use super::work::for_each_chunk;

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
    let whole = levels.whole();
    let cut = |(): &mut (), index: usize, row: &mut [u8]| {
        levels.row_cut(used[index], row, whole.as_ref());
    };
    for_each_chunk(&mut plane, columns, || (), cut);
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
            let weights = weights.map(|weight| short((weight * one).round()));
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
        let (side, evenly, precision) = (sums.len(), Evenly::of(sums), *precision);
        let mut passed = vec![0; plane.len() / width * side];
        let pass = |(): &mut (), index: usize, outputs: &mut [u8]| {
            let inputs = &plane[index * width..(index + 1) * width];
            let evenly = evenly.as_ref();
            Arch::new().dispatch(AlongRow { inputs, sums, evenly, precision, outputs });
        };
        for_each_chunk(&mut passed, side, || (), pass);
        passed
    }

    /// Of rows of `width` bytes, each a sum of rows.
    fn rows(&self, plane: Vec<u8>, width: usize) -> Vec<u8> {
        let Self::Sums { sums, precision } = self else { return plane };
        let mut passed = vec![0; sums.len() * width];
        let pass = |(): &mut (), index: usize, outputs: &mut [u8]| {
            let Sum { inputs, weights } = &sums[index];
            let inputs = inputs.map(|n| plane.get(n * width..).unwrap_or_default());
            let precision = *precision;
            Arch::new().dispatch(AcrossRows { inputs, weights, precision, outputs });
        };
        for_each_chunk(&mut passed, width, || (), pass);
        passed
    }
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
    let fits = |bits: &u32| (largest * f64::from(1_u32 << (bits + 1)) + 0.5).floor() < ABOVE_SHORT;
    (0..PRECISION_MAX).take_while(fits).count().try_into().unwrap_or(PRECISION_MAX)
}

/// The least whole number above those of 16 bits.
const ABOVE_SHORT: f64 = 32_768.0;

/// Most bits behind the point.
const PRECISION_MAX: u32 = 22;

#[expect(clippy::cast_possible_truncation, reason = "a weight of 16 bits")]
fn short(weight: f64) -> i16 {
    weight as i16
}

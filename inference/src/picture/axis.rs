//! One axis of the source in its picture: zeros before and behind it, then another number of pixels.

use super::framing::Generation;
use super::turn::Sense;

/// An axis in the sense of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Axis {
    /// Pixels of the source, at least 1.
    pub(crate) count: usize,
    /// Zeros before the first of them.
    pub(crate) before: usize,
    /// Pixels with all zeros.
    pub(crate) padded: usize,
    /// Pixels of the picture, at least 1.
    pub(crate) side: usize,
    /// How the axis runs through the picture.
    pub(crate) sense: Sense,
}

impl Axis {
    /// The axis of `count` pixels whose neighbour has `other`.
    ///
    /// Generation 1 puts half the difference, rounded down, on both sides, so an odd difference leaves it one pixel short of
    /// the other; generation 2 puts what is left over behind, as the picture counts.
    pub(crate) fn new(
        generation: Generation,
        [count, other]: [usize; 2],
        side: usize,
        sense: Sense,
    ) -> Self {
        let missing = other.saturating_sub(count);
        let half = missing / 2;
        let rest = match generation {
            Generation::V1 => half,
            Generation::V2 => missing - half,
        };
        let before = match sense {
            Sense::Onward => half,
            Sense::Backward => rest,
        };
        Self { count, before, padded: count + half + rest, side, sense }
    }

    /// Pixels of the source for each of the picture; above 1 the picture is the smaller one.
    pub(crate) fn factor(&self) -> f64 {
        self.padded as f64 / self.side as f64
    }

    /// Whether each pixel of the picture is one of the source.
    pub(crate) fn is_same(&self) -> bool {
        self.count == self.side && self.padded == self.side
    }

    /// Where the middle of pixel `n` of the picture, counted in the sense of the source, lies among the pixels of the source.
    pub(crate) fn in_source(&self, n: usize) -> f64 {
        (n as f64 + 0.5) * self.factor() - 0.5 - self.before as f64
    }

    /// Where the middle of pixel `n` of the source lies among those of the picture, counted in the sense of the source.
    pub(crate) fn in_picture(&self, n: usize) -> f64 {
        ((self.before + n) as f64 + 0.5) / self.factor() - 0.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn padded(generation: Generation, sense: Sense, counts: [usize; 2]) -> (usize, usize) {
        let axis = Axis::new(generation, counts, 8, sense);
        (axis.before, axis.padded)
    }

    #[test]
    fn zeros_go_to_both_sides_of_the_shorter_axis() {
        use Generation::{V1, V2};
        use Sense::{Backward, Onward};
        assert_eq!(padded(V1, Onward, [10, 5]), (0, 10));
        assert_eq!(padded(V1, Onward, [4, 10]), (3, 10));
        assert_eq!(padded(V1, Onward, [5, 10]), (2, 9), "one short of square");
        assert_eq!(padded(V1, Backward, [5, 10]), (2, 9));
        assert_eq!(padded(V1, Onward, [9, 10]), (0, 9));
        assert_eq!(padded(V2, Onward, [5, 10]), (2, 10));
        assert_eq!(padded(V2, Backward, [5, 10]), (3, 10), "behind, as the picture counts");
    }

    #[test]
    fn both_ways_are_inverse() {
        let axis = Axis::new(Generation::V1, [37, 90], 64, Sense::Onward);
        for n in [0, 5, 63] {
            let back = (axis.in_source(n) + axis.before as f64 + 0.5) / axis.factor() - 0.5;
            assert!((back - n as f64).abs() < 1e-9);
        }
        assert!((axis.in_source(0) + 26.0 - (0.5 * 89.0 / 64.0 - 0.5)).abs() < 1e-9);
    }
}

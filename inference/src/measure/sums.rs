//! Mean, standard deviation and extremes: slice by slice, put together without loss of precision.

use domain::SliceMask;

use super::runs::runs;

/// Sums over the pixels of one slice or more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sums {
    /// Number of pixels; above 0.
    pub(super) count: usize,
    /// Their mean.
    pub(super) mean: f64,
    /// Sum of squared differences from the mean.
    pub(super) squares: f64,
    /// Smallest.
    pub(super) minimum: f32,
    /// Largest.
    pub(super) maximum: f32,
}

/// Sums that are taken side by side, so that one does not wait for the other. The order is fixed:
/// same pixels, same sum.
const LANES: usize = 8;

impl Sums {
    /// The sums of a slice; `None` where nothing is set.
    pub(super) fn of(slice: &SliceMask, values: &[f32]) -> Option<Self> {
        let (mut minimum, mut maximum) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
        let mut total = [0.0; LANES];
        let mut count = 0;
        for run in runs(slice) {
            count += run.len();
            lanes(&values[run], |lane, value| {
                total[lane] += f64::from(value);
                minimum[lane] = minimum[lane].min(value);
                maximum[lane] = maximum[lane].max(value);
            });
        }
        if count == 0 {
            return None;
        }
        let mean = total.iter().sum::<f64>() / count as f64;
        let mut squares = [0.0; LANES];
        for run in runs(slice) {
            lanes(&values[run], |lane, value| {
                let apart = f64::from(value) - mean;
                squares[lane] += apart * apart;
            });
        }
        let minimum = minimum.into_iter().fold(f32::INFINITY, f32::min);
        let maximum = maximum.into_iter().fold(f32::NEG_INFINITY, f32::max);
        Some(Self { count, mean, squares: squares.iter().sum(), minimum, maximum })
    }

    /// The number of pixels of a slice without values; `None` where nothing is set.
    pub(super) fn counted(slice: &SliceMask) -> Option<Self> {
        let count = slice.pixel_count;
        let none = Self { count, mean: 0.0, squares: 0.0, minimum: 0.0, maximum: 0.0 };
        (count > 0).then_some(none)
    }

    /// Both together: the variance of the parts and that between their means.
    pub(super) fn plus(self, other: Self) -> Self {
        let count = self.count + other.count;
        let share = other.count as f64 / count as f64;
        let apart = other.mean - self.mean;
        let between = apart * apart * self.count as f64 * share;
        Self {
            count,
            mean: self.mean + apart * share,
            squares: self.squares + other.squares + between,
            minimum: self.minimum.min(other.minimum),
            maximum: self.maximum.max(other.maximum),
        }
    }

    /// Standard deviation, divided by n.
    pub(super) fn standard_deviation(&self) -> f64 {
        (self.squares / self.count as f64).sqrt()
    }
}

/// Hands each value to a lane.
#[inline]
fn lanes(values: &[f32], mut take: impl FnMut(usize, f32)) {
    let (whole, rest) = values.as_chunks::<LANES>();
    for eight in whole {
        for (lane, value) in eight.iter().enumerate() {
            take(lane, *value);
        }
    }
    for (lane, value) in rest.iter().enumerate() {
        take(lane, *value);
    }
}

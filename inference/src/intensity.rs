//! How intensities become what a network was trained on. Statistics are exact and do not depend on the number of threads.

use rayon::prelude::*;

use crate::manifest::{Intensity, Onto, Over};
use crate::percentile::{Ranks, counts};

/// Values handled at a time. Fixed, so that sums come out the same on every machine.
const CHUNK: usize = 1 << 16;

/// A straight line with limits on both sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mapping {
    before: (f32, f32),
    subtract: f32,
    scale: f32,
    add: f32,
    after: (f32, f32),
}

const UNLIMITED: (f32, f32) = (f32::NEG_INFINITY, f32::INFINITY);

impl Mapping {
    /// Leaves everything as it is.
    pub(crate) const NONE: Self =
        Self { before: UNLIMITED, subtract: 0.0, scale: 1.0, add: 0.0, after: UNLIMITED };

    /// The mapping for these values.
    pub(crate) fn of(intensity: &Intensity, values: &[f32]) -> Self {
        match intensity {
            Intensity::None => Self::NONE,
            Intensity::Window { low, high, onto } => Self::onto(*low, *high, *onto),
            Intensity::Percentile { low, high, over, onto, .. } => {
                let mut ranks = Ranks::of(values, |value| counts(*over, value));
                let [low, high] = [*low, *high].map(|percent| ranks.percentile(percent));
                Self::onto(low, high, *onto)
            }
            Intensity::MinMax { over, onto, .. } => {
                let mut ranks = Ranks::of(values, |value| counts(*over, value));
                let [low, high] = [0.0, 100.0].map(|percent| ranks.percentile(percent));
                Self::onto(low, high, *onto)
            }
            Intensity::ZScore { fixed, limits, over, .. } => {
                let before = limits.map_or(UNLIMITED, |(low, high)| (single(low), single(high)));
                let (mean, deviation) =
                    fixed.unwrap_or_else(|| mean_and_deviation(values, *over, before));
                let scale = single(reciprocal(deviation));
                Self { before, subtract: single(mean), scale, ..Self::NONE }
            }
        }
    }

    fn onto(low: f64, high: f64, onto: Onto) -> Self {
        Self {
            before: UNLIMITED,
            subtract: single(low),
            scale: single(f64::from(onto.high - onto.low) * reciprocal(high - low)),
            add: onto.low,
            after: if onto.clip { (onto.low, onto.high) } else { UNLIMITED },
        }
    }

    /// One value.
    pub(crate) fn apply(&self, value: f32) -> f32 {
        let value = value.clamp(self.before.0, self.before.1);
        ((value - self.subtract) * self.scale + self.add).clamp(self.after.0, self.after.1)
    }

    /// All values of an array, in place.
    pub(crate) fn apply_to(&self, values: &mut [f32]) {
        if *self == Self::NONE {
            return;
        }
        values.par_chunks_mut(CHUNK).for_each(|chunk| {
            chunk.iter_mut().for_each(|value| *value = self.apply(*value));
        });
    }
}

/// 0 for 0: values that are all the same have no spread and go to the lower end.
fn reciprocal(spread: f64) -> f64 {
    if spread > 0.0 { spread.recip() } else { 0.0 }
}

#[expect(clippy::cast_possible_truncation, reason = "networks compute with f32")]
fn single(number: f64) -> f32 {
    number as f32
}

/// The smallest value; 0 where there is none.
pub(crate) fn smallest(values: &[f32]) -> f32 {
    let smallest =
        values.par_chunks(CHUNK).map(|chunk| chunk.iter().copied().fold(f32::INFINITY, f32::min));
    let smallest = smallest.reduce(|| f32::INFINITY, f32::min);
    if smallest.is_finite() { smallest } else { 0.0 }
}

/// Mean and standard deviation (divided by n) of the values as limited; 0 and 0 where none counts.
fn mean_and_deviation(values: &[f32], over: Over, limits: (f32, f32)) -> (f64, f64) {
    let limited = |value: &f32| f64::from(value.clamp(limits.0, limits.1));
    let sum = |of: &(dyn Fn(f64) -> f64 + Sync)| -> (f64, usize) {
        let parts: Vec<(f64, usize)> = values
            .par_chunks(CHUNK)
            .map(|chunk| {
                let counted = chunk.iter().filter(|value| counts(over, **value));
                counted.fold((0.0, 0), |(sum, n), value| (sum + of(limited(value)), n + 1))
            })
            .collect();
        parts.into_iter().fold((0.0, 0), |(sum, n), part| (sum + part.0, n + part.1))
    };
    let (total, count) = sum(&|value| value);
    if count == 0 {
        return (0.0, 0.0);
    }
    let mean = total / count as f64;
    let (squares, _) = sum(&|value| (value - mean).powi(2));
    (mean, (squares / count as f64).sqrt())
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;
    use crate::manifest::Per;

    const UNIT: Onto = Onto { low: 0.0, high: 1.0, clip: true };

    #[test]
    fn a_window_maps_its_ends_and_clips() {
        let window = Intensity::Window { low: -100.0, high: 300.0, onto: UNIT };
        let mapping = Mapping::of(&window, &[]);
        let got = [-200.0, -100.0, 100.0, 300.0, 900.0].map(|v| mapping.apply(v));
        assert_eq!(got, [0.0, 0.0, 0.5, 1.0, 1.0]);
        let onto = Onto { low: -1.0, high: 1.0, clip: false };
        let open = Mapping::of(&Intensity::Window { low: 0.0, high: 2.0, onto }, &[]);
        assert_eq!([0.0, 1.0, 3.0].map(|v| open.apply(v)), [-1.0, 0.0, 2.0]);
    }

    #[test]
    fn z_scores_have_mean_0_and_deviation_1() {
        let values: Vec<f32> = (0..200_000_u32).map(|n| (n % 1000) as f32).collect();
        let z = Intensity::ZScore { fixed: None, limits: None, over: Over::All, per: Per::Series };
        let mapping = Mapping::of(&z, &values);
        let mapped: Vec<f32> = values.iter().map(|v| mapping.apply(*v)).collect();
        let (mean, deviation) = mean_and_deviation(&mapped, Over::All, UNLIMITED);
        assert!(mean.abs() < 1e-6 && (deviation - 1.0).abs() < 1e-6, "{mean} {deviation}");
        let fixed = Some((50.0, 10.0));
        let limits = Some((40.0, 60.0));
        let z = Intensity::ZScore { fixed, limits, over: Over::All, per: Per::Series };
        let mapping = Mapping::of(&z, &values);
        assert_eq!([0.0, 50.0, 100.0].map(|v| mapping.apply(v)), [-1.0, 0.0, 1.0]);
    }

    #[test]
    fn a_constant_volume_goes_to_the_lower_end() {
        let intensity = Intensity::MinMax { over: Over::All, per: Per::Series, onto: UNIT };
        let mapping = Mapping::of(&intensity, &[5.0; 10]);
        assert_eq!(mapping.apply(5.0), 0.0);
        assert_eq!(smallest(&[3.0, -2.0, 9.0]), -2.0);
    }
}

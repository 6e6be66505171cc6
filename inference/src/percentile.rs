//! Percentiles of many values: exact, without a copy and without sorting. Values are counted by the upper half of their bits, then those
//! of one upper half by the lower.

use rayon::prelude::*;

use crate::manifest::Over;

/// Numbers of a half of the bits.
const HALVES: usize = 1 << 16;

/// Fewest values that are worth a thread and a histogram of their own.
const SHARE_MIN: usize = 1 << 16;

/// Whether a value counts.
pub(crate) fn counts(over: Over, value: f32) -> bool {
    match over {
        Over::All => true,
        Over::Nonzero => value != 0.0,
    }
}

/// The values of an array by rank.
#[derive(Debug)]
pub(crate) struct Ranks<'v, C> {
    values: &'v [f32],
    counts: C,
    by_upper: Vec<usize>,
    /// The last upper half that was looked into: neighbouring ranks mostly share it.
    last: Option<(u32, Vec<usize>)>,
}

impl<'v, C: Fn(f32) -> bool + Copy + Sync> Ranks<'v, C> {
    /// The ranks of the values that count.
    pub(crate) fn of(values: &'v [f32], counts: C) -> Self {
        let by_upper = histogram(values, counts, |key| Some(key >> 16));
        Self { values, counts, by_upper, last: None }
    }

    /// A percentile, with linear interpolation between neighbouring ranks; 0 where no value counts.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank is from 0 to the number of values"
    )]
    pub(crate) fn percentile(&mut self, percent: f64) -> f64 {
        let Some(last) = self.by_upper.iter().sum::<usize>().checked_sub(1) else { return 0.0 };
        let rank = percent / 100.0 * last as f64;
        let low = rank.floor() as usize;
        let fraction = rank - low as f64;
        let below = f64::from(self.at(low));
        if fraction > 0.0 {
            below + (f64::from(self.at(low + 1)) - below) * fraction
        } else {
            below
        }
    }

    /// The value with `rank` others below it.
    fn at(&mut self, rank: usize) -> f32 {
        let (upper, before) = bucket(&self.by_upper, rank);
        let (values, counts) = (self.values, self.counts);
        let by_lower = match self.last.take() {
            Some((same, by_lower)) if same == upper => by_lower,
            _ => histogram(values, counts, |key| (key >> 16 == upper).then_some(key & 0xffff)),
        };
        let (lower, _) = bucket(&by_lower, rank - before);
        self.last = Some((upper, by_lower));
        from_key(upper << 16 | lower)
    }
}

/// The bucket that holds a rank, and how many values lie in buckets before it.
fn bucket(histogram: &[usize], rank: usize) -> (u32, usize) {
    let mut before = 0;
    for (key, count) in (0..).zip(histogram) {
        if rank < before + count {
            return (key, before);
        }
        before += count;
    }
    (0xffff, before)
}

fn histogram(
    values: &[f32],
    counts: impl Fn(f32) -> bool + Sync,
    bucket: impl Fn(u32) -> Option<u32> + Sync,
) -> Vec<usize> {
    let empty = || vec![0_usize; HALVES];
    let share = values.len().div_ceil(rayon::current_num_threads()).max(SHARE_MIN);
    let parts = values.par_chunks(share).map(|chunk| {
        let mut counted = empty();
        for value in chunk.iter().filter(|value| counts(**value)) {
            if let Some(bucket) = bucket(to_key(*value)) {
                counted[bucket as usize] += 1;
            }
        }
        counted
    });
    parts.reduce(empty, |mut sum, part| {
        sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        sum
    })
}

/// A number that orders like the float.
pub(crate) fn to_key(value: f32) -> u32 {
    let bits = value.to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

/// The float of a key.
pub(crate) fn from_key(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 1 { key & !(1 << 31) } else { !key })
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;

    fn all(value: f32) -> bool {
        counts(Over::All, value)
    }

    fn nonzero(value: f32) -> bool {
        counts(Over::Nonzero, value)
    }

    #[test]
    fn percentiles_are_those_of_numpy() {
        let values: Vec<f32> = (0..1000).map(|n| ((n * 7919) % 1000) as f32 - 300.0).collect();
        let mut ranks = Ranks::of(&values, all);
        // numpy.percentile(range(-300, 700), p)
        for (percent, wanted) in [(0.0, -300.0), (50.0, 199.5), (99.9, 698.001), (100.0, 699.0)] {
            let got = ranks.percentile(percent);
            assert!((got - wanted).abs() < 1e-9, "{percent}: {got} {wanted}");
        }
    }

    #[test]
    fn zeros_may_be_left_out() {
        assert_eq!(Ranks::of(&[0.0, 0.0, 5.0, 7.0], nonzero).percentile(50.0), 6.0);
        assert_eq!(Ranks::of(&[0.0, 0.0, 5.0, 7.0], all).percentile(50.0), 2.5);
        assert_eq!(Ranks::of(&[0.0], nonzero).percentile(50.0), 0.0);
    }

    #[test]
    fn keys_order_like_floats() {
        let mut values = [3.5_f32, -0.0, 1e-30, -2.0, 7e20, -7e20, 0.0, -1e-30];
        values.sort_by_key(|value| to_key(*value));
        assert!(values.is_sorted(), "{values:?}");
        assert!(values.iter().all(|v| from_key(to_key(*v)).to_bits() == v.to_bits()));
    }
}

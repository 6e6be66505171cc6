//! The median of the values under a mask: exact, without another copy of them. The range that holds the
//! middle is narrowed by counting until few values are left in it.

use std::ops::RangeInclusive;

use domain::Mask;
use rayon::prelude::*;

use super::Values;
use super::runs::runs;
use crate::percentile::{from_key, to_key};

/// Buckets of one count: they fit into the first-level cache.
const BUCKETS: usize = 1 << 12;

/// So many values are gathered and selected from; more are counted first.
const GATHERED_MAX: usize = 1 << 15;

/// Values of a mask, by keys that order like them.
struct Keys<'m> {
    mask: &'m Mask,
    values: Values<'m>,
}

/// The median of `count` finite values that lie between two numbers; the mean of the middle two of
/// an even number.
pub(super) fn median(
    mask: &Mask,
    values: Values<'_>,
    between: RangeInclusive<f32>,
    count: usize,
) -> f64 {
    let keys = Keys { mask, values };
    let mut range = to_key(*between.start())..=to_key(*between.end());
    let (mut below, mut within) = (0, count);
    let ranks = [(count - 1) / 2, count / 2];
    loop {
        if range.start() == range.end() {
            return f64::from(from_key(*range.start()));
        }
        if within <= GATHERED_MAX {
            return keys.select(&range, ranks.map(|rank| rank - below));
        }
        let shift = shift_of(&range);
        let counts = keys.count(&range, shift);
        let [low, high] = ranks.map(|rank| bucket(&counts, rank - below));
        if low != high {
            return keys.around(&range, start_of(&range, shift, high));
        }
        below += counts[..low].iter().sum::<usize>();
        within = counts[low];
        let end = start_of(&range, shift, low) + ((1_u32 << shift) - 1);
        range = start_of(&range, shift, low)..=end.min(*range.end());
    }
}

/// How many low bits of a key do not tell its bucket.
fn shift_of(range: &RangeInclusive<u32>) -> u32 {
    let width = range.end() - range.start();
    (u32::BITS - width.leading_zeros()).saturating_sub(BUCKETS.trailing_zeros())
}

/// The first key of a bucket; of the one after the last, one that no key of the range exceeds.
#[expect(clippy::cast_possible_truncation, reason = "a bucket is below 4096")]
fn start_of(range: &RangeInclusive<u32>, shift: u32, bucket: usize) -> u32 {
    range.start().saturating_add((bucket as u32) << shift)
}

/// The bucket of a rank.
fn bucket(counts: &[usize], rank: usize) -> usize {
    let mut before = 0;
    let found = counts.iter().position(|count| {
        before += count;
        rank < before
    });
    found.unwrap_or(counts.len() - 1)
}

impl Keys<'_> {
    /// Goes over all keys of the range: one accumulator for each thread's share, put together at
    /// the end.
    fn fold<T: Send>(
        &self,
        range: &RangeInclusive<u32>,
        empty: impl Fn() -> T + Sync + Send,
        take: impl Fn(&mut T, u32) + Sync + Send,
        join: impl Fn(T, T) -> T + Sync + Send,
    ) -> T {
        let pixels = self.mask.columns * self.mask.rows;
        let slices = self.mask.slices.par_iter().enumerate();
        let (first, width) = (*range.start(), range.end() - range.start());
        let all = slices.fold(&empty, |mut all, (k, slice)| {
            for run in slice.iter().flat_map(runs) {
                for value in self.values.under(k, pixels, run) {
                    let key = to_key(*value);
                    if key.wrapping_sub(first) <= width {
                        take(&mut all, key);
                    }
                }
            }
            all
        });
        all.reduce(&empty, join)
    }

    /// How many keys of the range each bucket has.
    fn count(&self, range: &RangeInclusive<u32>, shift: u32) -> Vec<usize> {
        let first = *range.start();
        let take =
            |counts: &mut Vec<usize>, key: u32| counts[((key - first) >> shift) as usize] += 1;
        let join = |mut sum: Vec<usize>, part: Vec<usize>| {
            sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
            sum
        };
        self.fold(range, || vec![0_usize; BUCKETS], take, join)
    }

    /// The mean of two neighbouring ranks of a range of few keys.
    fn select(&self, range: &RangeInclusive<u32>, [low, high]: [usize; 2]) -> f64 {
        let join = |mut all: Vec<u32>, mut more: Vec<u32>| {
            all.append(&mut more);
            all
        };
        let mut keys = self.fold(range, Vec::new, Vec::push, join);
        let (_, lower, above) = keys.select_nth_unstable(low);
        let upper =
            if high == low { *lower } else { above.iter().min().copied().unwrap_or(*lower) };
        middle(*lower, upper)
    }

    /// The mean of the largest key below a key and the smallest from it on.
    fn around(&self, range: &RangeInclusive<u32>, key: u32) -> f64 {
        let take = |sides: &mut [u32; 2], next: u32| {
            if next < key {
                sides[0] = sides[0].max(next);
            } else {
                sides[1] = sides[1].min(next);
            }
        };
        let join = |a: [u32; 2], b: [u32; 2]| [a[0].max(b[0]), a[1].min(b[1])];
        let [lower, upper] = self.fold(range, || [0, u32::MAX], take, join);
        middle(lower, upper)
    }
}

fn middle(lower: u32, upper: u32) -> f64 {
    f64::midpoint(f64::from(from_key(lower)), f64::from(from_key(upper)))
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "a median is copied, or the mean of two")]
mod tests {
    use super::super::Kept;
    use super::*;

    /// Of the values of all pixels of a square of an odd number of rows: every second pixel counts.
    fn check(value: impl Fn(usize) -> f32) {
        for side in [1, 2, 3, 31, 400, 401] {
            let values: Vec<f32> = (0..side * side * 2).map(&value).collect();
            let voxels: Vec<bool> = (0..values.len()).map(|n| side < 3 || n % 7 != 3).collect();
            let chosen =
                values.iter().zip(&voxels).filter(|(_, set)| **set).map(|(value, _)| *value);
            let mut sorted: Vec<f32> = chosen.collect();
            sorted.sort_by(f32::total_cmp);
            let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
            let wanted = f64::midpoint(f64::from(low), f64::from(high));
            let mask = Mask::from_voxels(side, side, &voxels);
            let between = sorted[0]..=sorted[sorted.len() - 1];
            let whole = Values::Whole(&values);
            assert_eq!(median(&mask, whole, between.clone(), sorted.len()), wanted, "side {side}");
            let slices = mask.slices.iter().zip(values.chunks(side * side));
            let kept: Vec<_> = slices.map(|(slice, of)| Kept::of(slice.iter(), of)).collect();
            let kept = Values::Kept(&kept);
            assert_eq!(median(&mask, kept, between, sorted.len()), wanted, "kept, side {side}");
        }
    }

    #[test]
    fn is_the_middle_of_the_sorted_values() {
        let mixed = |n: usize| (n.wrapping_mul(2_654_435_761) % 100_003) as f32;
        check(mixed);
        check(|n| mixed(n) - 50_000.0);
        check(|n| mixed(n).floor() % 50.0 - 20.0);
        check(|n| 1.0e30_f32.powf(mixed(n) / 50_000.0 - 1.0));
        check(|_| -7.25);
    }

    #[test]
    fn the_middle_two_may_lie_far_apart() {
        check(|n| if n.is_multiple_of(2) { -1000.0 } else { 3000.0 });
        check(|n| if n.is_multiple_of(2) { f32::MIN } else { f32::MAX });
        check(|n| if n.is_multiple_of(2) { -0.0 } else { 0.0 });
    }
}

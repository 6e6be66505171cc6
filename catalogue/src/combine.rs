//! From one probability map a target to one picture in which no two targets overlap, as v1 and v2 do it.
//!
//! Maps are row-major slices of one size, values 0 to 1; they are read in place. NaN is never above a border, so a pixel
//! with NaN belongs to nobody.

use thiserror::Error;

/// The answer of the model to one prompt on one slice.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'m> {
    /// The probability of each pixel.
    pub probability: &'m [f32],
    /// v1: the p-value of the mask. v2: the probability that the target exists in the slice.
    pub score: f64,
}

/// Maps that are not of one picture.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("map {index} has {pixels} pixels, the first has {expected}")]
pub struct SizesDiffer {
    /// Which candidate, from 0.
    pub index: usize,
    /// Its pixels.
    pub pixels: usize,
    /// The pixels of the first.
    pub expected: usize,
}

/// What became of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It has its pixels in the picture; possibly none, when others are surer everywhere.
    Kept,
    /// No pixel of its map is above 0.5.
    Empty,
    /// v2: the model says that it is not in the slice.
    Absent,
    /// It lies too much on another that is surer.
    Overlapped {
        /// The other, from 0.
        by: usize,
    },
    /// v1: others are surer on more than half of its region.
    Outvoted,
}

/// Disjoint masks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Combined {
    /// What became of each candidate.
    pub outcomes: Vec<Outcome>,
    /// Whose each pixel is, row by row: 0 nobody's, else the index of the candidate + 1.
    pub owners: Vec<u16>,
}

impl Combined {
    /// The pixels of one candidate, row by row.
    #[must_use]
    pub fn mask(&self, index: usize) -> Vec<bool> {
        self.owners.iter().map(|owner| usize::from(*owner) == index + 1).collect()
    }
}

/// Border of a mask.
const MASK: f32 = 0.5;
/// Border of the region in which v1 lets targets vote.
const REGION: f32 = 0.1;
/// Share of overlap, or of a lost region, above which a target is dropped.
const SHARE: f64 = 0.5;
/// v2: a target exists from this probability on.
const EXISTS: f64 = 0.5;

/// Recognition of v1: suppression by p-value, then a vote of what is left over each pixel.
///
/// Suppression goes by falling p-value; equal ones keep their order. A mask (> 0.5) is dropped when more than half of its
/// own area lies on a kept one. Then each target has a region (> 0.1) and loses, when it is the surest on less than half of
/// it; the target with the highest mean over its region never loses. A pixel belongs to the surest of the rest, if above 0.5;
/// among equals to the one with the higher p-value.
///
/// # Errors
/// When the maps differ in size.
pub fn combine(candidates: &[Candidate<'_>]) -> Result<Combined, SizesDiffer> {
    combined(candidates).map(|decided| decided.drawn(candidates))
}

/// What becomes of each candidate in [`combine`], where nobody asks whose each pixel is.
///
/// # Errors
/// When the maps differ in size.
pub fn combine_outcomes(candidates: &[Candidate<'_>]) -> Result<Vec<Outcome>, SizesDiffer> {
    combined(candidates).map(|decided| decided.outcomes)
}

fn combined(candidates: &[Candidate<'_>]) -> Result<Decided, SizesDiffer> {
    let pixels = same_size(candidates)?;
    let mut outcomes = vec![Outcome::Empty; candidates.len()];
    let mut kept = suppress(candidates, &mut outcomes, share_of_own);
    vote(candidates, &mut kept, &mut outcomes, pixels);
    Ok(Decided { outcomes, kept })
}

/// The merge of v2: a gate by existence, suppression by intersection over union, then the surest above 0.5.
///
/// A single target exists above 0.5, one of several from 0.5 on. Among equals a pixel belongs to the first.
///
/// # Errors
/// When the maps differ in size.
pub fn merge(candidates: &[Candidate<'_>]) -> Result<Combined, SizesDiffer> {
    merged(candidates).map(|decided| decided.drawn(candidates))
}

/// What becomes of each candidate in [`merge`], where nobody asks whose each pixel is.
///
/// # Errors
/// When the maps differ in size.
pub fn merge_outcomes(candidates: &[Candidate<'_>]) -> Result<Vec<Outcome>, SizesDiffer> {
    merged(candidates).map(|decided| decided.outcomes)
}

fn merged(candidates: &[Candidate<'_>]) -> Result<Decided, SizesDiffer> {
    same_size(candidates)?;
    let mut outcomes = vec![Outcome::Empty; candidates.len()];
    let mut kept = if let [single] = candidates {
        let exists = single.score > EXISTS;
        outcomes[0] = if exists { Outcome::Kept } else { Outcome::Absent };
        if exists { vec![0] } else { vec![] }
    } else {
        suppress_existing(candidates, &mut outcomes)
    };
    kept.sort_unstable();
    Ok(Decided { outcomes, kept })
}

/// What becomes of each candidate, and those that share the pixels, the first among equals first.
struct Decided {
    outcomes: Vec<Outcome>,
    kept: Vec<usize>,
}

impl Decided {
    fn drawn(self, candidates: &[Candidate<'_>]) -> Combined {
        let pixels = candidates.first().map_or(0, |candidate| candidate.probability.len());
        Combined { owners: owners(candidates, &self.kept, pixels), outcomes: self.outcomes }
    }
}

fn same_size(candidates: &[Candidate<'_>]) -> Result<usize, SizesDiffer> {
    let expected = candidates.first().map_or(0, |candidate| candidate.probability.len());
    let mut sizes = candidates.iter().map(|candidate| candidate.probability.len()).enumerate();
    match sizes.find(|(_, pixels)| *pixels != expected) {
        Some((index, pixels)) => Err(SizesDiffer { index, pixels, expected }),
        None => Ok(expected),
    }
}

/// Overlap of a mask with a kept one, as a share: of what, is for v1 and v2 to say.
type Share = fn(own: usize, kept: usize, both: usize) -> f64;

#[expect(clippy::cast_precision_loss, reason = "numbers of pixels are far below 2^53")]
fn share_of_own(own: usize, _kept: usize, both: usize) -> f64 {
    both as f64 / own as f64
}

#[expect(clippy::cast_precision_loss, reason = "numbers of pixels are far below 2^53")]
fn share_of_union(own: usize, kept: usize, both: usize) -> f64 {
    both as f64 / (own + kept - both) as f64
}

fn suppress_existing(candidates: &[Candidate<'_>], outcomes: &mut [Outcome]) -> Vec<usize> {
    for (candidate, outcome) in candidates.iter().zip(outcomes.iter_mut()) {
        if candidate.score < EXISTS || candidate.score.is_nan() {
            *outcome = Outcome::Absent;
        }
    }
    suppress(candidates, outcomes, share_of_union)
}

/// Greedy suppression by falling score of all that is not absent: the kept ones, surest first.
fn suppress(candidates: &[Candidate<'_>], outcomes: &mut [Outcome], share: Share) -> Vec<usize> {
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.retain(|index| outcomes[*index] != Outcome::Absent);
    order.sort_by(|a, b| candidates[*b].score.total_cmp(&candidates[*a].score));
    let areas: Vec<usize> =
        candidates.iter().map(|candidate| area(candidate.probability)).collect();
    let mut kept: Vec<usize> = vec![];
    for index in order.into_iter().filter(|index| areas[*index] > 0) {
        let overlaps = |other: &&usize| {
            let both = both(candidates[index].probability, candidates[**other].probability);
            share(areas[index], areas[**other], both) > SHARE
        };
        match kept.iter().find(overlaps) {
            Some(by) => outcomes[index] = Outcome::Overlapped { by: *by },
            None => {
                outcomes[index] = Outcome::Kept;
                kept.push(index);
            }
        }
    }
    kept
}

/// Pixels that are counted in 32 bits, which is what compilers count several of at a time.
const TOGETHER: usize = 1 << 12;

fn area(map: &[f32]) -> usize {
    let count = |part: &[f32]| part.iter().map(|value| u32::from(*value > MASK)).sum::<u32>();
    map.chunks(TOGETHER).map(|part| count(part) as usize).sum()
}

fn both(a: &[f32], b: &[f32]) -> usize {
    let count = |(a, b): (&[f32], &[f32])| {
        let pairs = a.iter().zip(b);
        pairs.map(|(a, b)| u32::from((*a > MASK) & (*b > MASK))).sum::<u32>() as usize
    };
    a.chunks(TOGETHER).zip(b.chunks(TOGETHER)).map(count).sum()
}

/// Drops from `kept` what is the surest on less than half of its region.
fn vote(
    candidates: &[Candidate<'_>],
    kept: &mut Vec<usize>,
    outcomes: &mut [Outcome],
    pixels: usize,
) {
    let mut regions = vec![Region::default(); kept.len()];
    for pixel in 0..pixels {
        let mut surest: Option<(usize, f32)> = None;
        for (at, index) in kept.iter().enumerate() {
            let value = candidates[*index].probability[pixel];
            if value > REGION {
                regions[at].pixels += 1;
                regions[at].sum += f64::from(value);
                if surest.is_none_or(|(_, most)| value > most) {
                    surest = Some((at, value));
                }
            }
        }
        if let Some((at, _)) = surest {
            regions[at].won += 1;
        }
    }
    let means: Vec<f64> = regions.iter().map(Region::mean).collect();
    let surest = first_largest(&means);
    let lost = |at: usize| regions[at].won * 2 < regions[at].pixels && Some(at) != surest;
    for (_, index) in kept.iter().enumerate().filter(|(at, _)| lost(*at)) {
        outcomes[*index] = Outcome::Outvoted;
    }
    kept.retain(|index| outcomes[*index] == Outcome::Kept);
}

/// Where a target may be, and how much of that it wins.
#[derive(Clone, Default)]
struct Region {
    pixels: usize,
    won: usize,
    sum: f64,
}

impl Region {
    #[expect(clippy::cast_precision_loss, reason = "numbers of pixels are far below 2^53")]
    fn mean(&self) -> f64 {
        if self.pixels == 0 { 0.0 } else { self.sum / self.pixels as f64 }
    }
}

fn first_largest(values: &[f64]) -> Option<usize> {
    let mut largest: Option<usize> = None;
    for (at, value) in values.iter().enumerate() {
        if largest.is_none_or(|most| *value > values[most]) {
            largest = Some(at);
        }
    }
    largest
}

/// Each pixel to the surest of `kept` above 0.5, to the first among equals.
fn owners(candidates: &[Candidate<'_>], kept: &[usize], pixels: usize) -> Vec<u16> {
    let mut owners = vec![0; pixels];
    for (pixel, owner) in owners.iter_mut().enumerate() {
        let mut most = MASK;
        for index in kept {
            let value = candidates[*index].probability[pixel];
            if value > most {
                most = value;
                *owner = u16::try_from(index + 1).unwrap_or(u16::MAX);
            }
        }
    }
    owners
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(
        maps: &[(&[f32], f64)],
        how: fn(&[Candidate<'_>]) -> Result<Combined, SizesDiffer>,
    ) -> Combined {
        let candidates: Vec<_> = maps
            .iter()
            .map(|(probability, score)| Candidate { probability, score: *score })
            .collect();
        let found = how(&candidates).unwrap();
        for (all, outcomes) in [
            (combine(&candidates), combine_outcomes(&candidates)),
            (merge(&candidates), merge_outcomes(&candidates)),
        ] {
            assert_eq!(all.map(|all| all.outcomes), outcomes);
        }
        found
    }

    #[test]
    fn nothing_combines_to_nothing() {
        let nothing = Combined { outcomes: vec![], owners: vec![] };
        assert_eq!(of(&[], combine), nothing);
        assert_eq!(of(&[], merge), nothing);
        assert_eq!(of(&[(&[], 1.0)], combine).outcomes, [Outcome::Empty]);
    }

    #[test]
    fn half_is_not_enough_for_a_mask() {
        let found = of(&[(&[0.5, 0.5], 0.9), (&[0.4, 0.500_1], 0.1)], combine);
        assert_eq!(found.outcomes, [Outcome::Empty, Outcome::Kept]);
        assert_eq!(found.owners, [0, 2]);
        assert_eq!(found.mask(1), [false, true]);
    }

    #[test]
    fn exactly_half_of_the_own_area_may_overlap() {
        let large: &[f32] = &[0.9, 0.9, 0.9, 0.0];
        let half: &[f32] = &[0.0, 0.0, 0.8, 0.8];
        assert_eq!(of(&[(large, 0.9), (half, 0.5)], combine).owners, [1, 1, 1, 2]);
        let inside: &[f32] = &[0.0, 0.95, 0.95, 0.0];
        let found = of(&[(inside, 0.5), (large, 0.9)], combine);
        assert_eq!(found.outcomes, [Outcome::Overlapped { by: 1 }, Outcome::Kept]);
    }

    #[test]
    fn who_wins_less_than_half_of_the_region_is_outvoted_unless_surest() {
        // The second has a region of 4 and wins 1 of it.
        let first: &[f32] = &[0.4, 0.4, 0.9, 0.9, 0.0];
        let second: &[f32] = &[0.3, 0.3, 0.3, 0.0, 0.8];
        let found = of(&[(first, 0.9), (second, 0.8)], combine);
        assert_eq!(found.outcomes, [Outcome::Kept, Outcome::Outvoted]);
        assert_eq!(found.owners, [0, 0, 1, 1, 0]);
        // A mean of 0.6 over the region keeps what loses as much.
        let first: &[f32] = &[0.61, 0.61, 0.61, 0.2, 0.2, 0.2];
        let second: &[f32] = &[0.6, 0.6, 0.6, 0.0, 0.0, 0.0];
        let found = of(&[(second, 0.3), (first, 0.9)], combine);
        assert_eq!(found.outcomes[0], Outcome::Overlapped { by: 1 });
    }

    #[test]
    fn v2_gates_by_existence_and_by_union() {
        let map: &[f32] = &[0.9, 0.9];
        assert_eq!(of(&[(map, 0.5)], merge).outcomes, [Outcome::Absent]);
        assert_eq!(of(&[(map, 0.51)], merge).owners, [1, 1]);
        let low: &[f32] = &[0.0, 0.95];
        // Intersection over union is exactly 0.5: both stay, and the surer takes its pixel.
        assert_eq!(of(&[(map, 0.5), (low, 0.9)], merge).owners, [1, 2]);
        let found = of(&[(map, 0.49), (low, 0.9)], merge);
        assert_eq!(found.outcomes, [Outcome::Absent, Outcome::Kept]);
        let same = of(&[(map, 0.6), (map, 0.7)], merge);
        assert_eq!(same.outcomes, [Outcome::Overlapped { by: 1 }, Outcome::Kept]);
        assert_eq!(of(&[(map, f64::NAN), (low, 0.9)], merge).outcomes[0], Outcome::Absent);
    }

    #[test]
    fn pixels_that_are_no_number_belong_to_nobody() {
        let found = of(&[(&[f32::NAN, 0.9], 0.9)], combine);
        assert_eq!(found.owners, [0, 1]);
    }

    #[test]
    fn maps_of_two_sizes_are_refused() {
        let candidates = [
            Candidate { probability: &[0.0; 4], score: 1.0 },
            Candidate { probability: &[0.0; 3], score: 1.0 },
        ];
        let expected = SizesDiffer { index: 1, pixels: 3, expected: 4 };
        assert_eq!(combine(&candidates), Err(expected.clone()));
        assert_eq!(merge(&candidates), Err(expected));
    }
}

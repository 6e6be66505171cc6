//! The values of a slice that measurements need: those under its masks. The slice itself can then go.

use std::ops::Range;

use domain::SliceMask;

use super::runs::runs_of;

/// A gap of so few pixels is kept with its neighbours: its values take no more memory than one more place.
const GAP_MAX: usize = size_of::<Place>() / size_of::<f32>();

/// Values under the masks of one slice, each kept once, however many masks have it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Kept {
    places: Vec<Place>,
    values: Vec<f32>,
}

/// Where values that were neighbours in the slice begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// Index of the first one in the slice.
    pixel: usize,
    /// Its index among the values that are kept.
    at: usize,
}

impl Kept {
    /// Of some masks of a slice, whose values are given whole; nothing of no masks or no values.
    pub(crate) fn of<'m>(masks: impl Iterator<Item = &'m SliceMask>, values: &[f32]) -> Self {
        let bits = union(masks);
        if bits.is_empty() || values.is_empty() {
            return Self::default();
        }
        let ranges = ranges(&bits);
        let count = ranges.iter().map(Range::len).sum();
        let mut kept =
            Self { places: Vec::with_capacity(ranges.len()), values: Vec::with_capacity(count) };
        for range in ranges {
            kept.places.push(Place { pixel: range.start, at: kept.values.len() });
            kept.values.extend_from_slice(&values[range]);
        }
        kept
    }

    /// The values of neighbouring pixels that one of the masks has; empty where there are none.
    pub(super) fn under(&self, run: Range<usize>) -> &[f32] {
        let behind = self.places.partition_point(|place| place.pixel <= run.start);
        let Some(place) = behind.checked_sub(1).map(|index| self.places[index]) else {
            return &[];
        };
        let first = place.at + run.start - place.pixel;
        self.values.get(first..first + run.len()).unwrap_or_default()
    }
}

/// The pixels that any of the masks has.
fn union<'m>(masks: impl Iterator<Item = &'m SliceMask>) -> Vec<u8> {
    let mut all: Vec<u8> = Vec::new();
    for mask in masks {
        if all.is_empty() {
            all.clone_from(&mask.bits);
        } else {
            all.iter_mut().zip(&mask.bits).for_each(|(all, bits)| *all |= bits);
        }
    }
    all
}

/// Runs of set pixels, those together that are hardly apart.
fn ranges(bits: &[u8]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for run in runs_of(bits) {
        match ranges.last_mut() {
            Some(last) if run.start - last.end <= GAP_MAX => last.end = run.end,
            Some(_) | None => ranges.push(run),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::super::runs::runs;
    use super::*;

    fn mask(set: impl Fn(usize) -> bool) -> SliceMask {
        let mut bits = vec![0; 25];
        (0..200).filter(|n| set(*n)).for_each(|n| bits[n / 8] |= 1 << (n % 8));
        SliceMask { pixel_count: (0..200).filter(|n| set(*n)).count(), bits }
    }

    #[test]
    fn every_run_of_every_mask_has_its_values() {
        let values: Vec<f32> = (0_u8..200).map(f32::from).collect();
        let masks = [
            mask(|n| n < 3),
            mask(|n| (70..190).contains(&n) && n % 11 > 1),
            mask(|n| n % 13 == 4 || n > 180),
        ];
        let kept = Kept::of(masks.iter(), &values);
        assert!(kept.values.len() < values.len() && kept.places.len() > 2);
        for run in masks.iter().flat_map(runs) {
            assert_eq!(kept.under(run.clone()), &values[run]);
        }
    }

    #[test]
    fn nothing_is_kept_of_nothing() {
        assert_eq!(Kept::of([].into_iter(), &[1.0; 200]), Kept::default());
        assert_eq!(Kept::of([mask(|n| n == 1)].iter(), &[]), Kept::default());
        assert!(Kept::default().under(3..5).is_empty());
    }
}

//! Whose each pixel of a slice is, and the masks that follow.

use std::ops::Range;

use domain::SliceMask;

use super::judge::HALF;
use crate::picture::Patch;

/// What was found of one question.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Found {
    pub(super) mask: Option<SliceMask>,
    pub(super) probability_sum: f64,
    pub(super) probabilities: Option<Vec<u8>>,
}

/// A slice on which masks are drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sheet {
    /// Its columns.
    pub(super) columns: usize,
    /// Columns × rows.
    pub(super) pixels: usize,
    /// Whether the probability of each pixel is kept.
    pub(super) keep_probabilities: bool,
}

/// The masks of maps on the grid of the source, none of which overlap.
pub(super) fn masks(maps: impl ExactSizeIterator<Item = Patch>, sheet: Sheet) -> Vec<Found> {
    let count = maps.len();
    if count == 1 {
        return maps.map(|map| single(&map, sheet)).collect();
    }
    Owners::of(maps).masks(count, sheet)
}

/// For each pixel the largest probability above a half, and whose it is.
#[derive(Debug, Default)]
struct Owners {
    /// Around all patches.
    columns: Range<usize>,
    rows: Range<usize>,
    best: Vec<f32>,
    /// 0: nobody's; else the place in the order given, from 1.
    owner: Vec<u16>,
}

impl Owners {
    /// Of maps on the grid of the source, one after the other, so that not all of them have to exist at a time. Among equals a
    /// pixel belongs to the first.
    fn of(patches: impl Iterator<Item = Patch>) -> Self {
        let mut owners = Self::default();
        (1..).zip(patches).for_each(|(number, patch)| owners.add(number, &patch));
        owners
    }

    fn add(&mut self, number: u16, patch: &Patch) {
        self.make_room(patch);
        for (row, values) in patch.lines() {
            let first = self.at(row, patch.columns.start);
            let own = first..first + values.len();
            let pixels = self.best[own.clone()].iter_mut().zip(&mut self.owner[own]);
            for ((best, owner), value) in pixels.zip(values) {
                let is_surer = *value > *best;
                *best = if is_surer { *value } else { *best };
                *owner = if is_surer { number } else { *owner };
            }
        }
    }

    /// Where a pixel of the slice is.
    fn at(&self, row: usize, column: usize) -> usize {
        (row - self.rows.start) * self.columns.len() + column - self.columns.start
    }

    /// Grows around a patch.
    fn make_room(&mut self, patch: &Patch) {
        let columns = around(&self.columns, &patch.columns);
        let rows = around(&self.rows, &patch.rows);
        if columns == self.columns && rows == self.rows {
            return;
        }
        let pixels = columns.len() * rows.len();
        let larger = Self { columns, rows, best: vec![HALF; pixels], owner: vec![0; pixels] };
        let smaller = std::mem::replace(self, larger);
        for row in smaller.rows.clone() {
            let from = smaller.at(row, smaller.columns.start);
            let from = from..from + smaller.columns.len();
            let to = self.at(row, smaller.columns.start);
            let to = to..to + from.len();
            self.best[to.clone()].copy_from_slice(&smaller.best[from.clone()]);
            self.owner[to].copy_from_slice(&smaller.owner[from]);
        }
    }

    /// The masks of the first `count` owners.
    fn masks(&self, count: usize, sheet: Sheet) -> Vec<Found> {
        let mut drawn: Vec<Drawing> = Vec::new();
        drawn.resize_with(count, || Drawing::new(sheet));
        let width = self.columns.len().max(1);
        for ((row, owners), best) in
            self.rows.clone().zip(self.owner.chunks(width)).zip(self.best.chunks(width))
        {
            let mut at = 0;
            for run in owners.chunk_by(PartialEq::eq) {
                if let Some(owner) = run.first().and_then(|owner| owner.checked_sub(1)) {
                    let first = row * sheet.columns + self.columns.start + at;
                    drawn[usize::from(owner)].set_all(first, &best[at..at + run.len()]);
                }
                at += run.len();
            }
        }
        drawn.into_iter().map(Drawing::finish).collect()
    }
}

/// The range around two; one that is empty does not count.
fn around(a: &Range<usize>, b: &Range<usize>) -> Range<usize> {
    match (a.is_empty(), b.is_empty()) {
        (true, _) => b.clone(),
        (false, true) => a.clone(),
        (false, false) => a.start.min(b.start)..a.end.max(b.end),
    }
}

/// The mask of one map.
pub(super) fn single(map: &Patch, sheet: Sheet) -> Found {
    let mut drawing = Drawing::new(sheet);
    for (row, values) in map.lines() {
        drawing.set_all(row * sheet.columns + map.columns.start, values);
    }
    drawing.finish()
}

/// A mask in the making; takes memory with its first pixel.
struct Drawing {
    sheet: Sheet,
    bits: Vec<u8>,
    pixel_count: usize,
    probability_sum: f64,
    probabilities: Option<Vec<u8>>,
}

impl Drawing {
    fn new(sheet: Sheet) -> Self {
        let probabilities = sheet.keep_probabilities.then(Vec::new);
        Self { sheet, bits: Vec::new(), pixel_count: 0, probability_sum: 0.0, probabilities }
    }

    /// Sets what is above a half of neighbouring pixels.
    fn set_all(&mut self, first: usize, values: &[f32]) {
        for (index, values) in (first..).step_by(8).zip(values.chunks(8)) {
            let mut bits = 0_u8;
            let mut sum = 0.0;
            for (bit, value) in values.iter().enumerate() {
                let is_set = *value > HALF;
                bits |= u8::from(is_set) << bit;
                sum += if is_set { f64::from(*value) } else { 0.0 };
            }
            if bits != 0 {
                self.set_bits(index, bits);
                self.probability_sum += sum;
                self.keep(index, values);
            }
        }
    }

    /// Sets those of eight pixels whose bits are set.
    fn set_bits(&mut self, index: usize, bits: u8) {
        self.make_room();
        let [low, high] = (u16::from(bits) << (index % 8)).to_le_bytes();
        self.bits[index / 8] |= low;
        if high != 0 {
            self.bits[index / 8 + 1] |= high;
        }
        self.pixel_count += usize::try_from(bits.count_ones()).unwrap_or_default();
    }

    fn keep(&mut self, first: usize, values: &[f32]) {
        let Some(kept) = &mut self.probabilities else { return };
        kept.resize(self.sheet.pixels, 0);
        let kept = kept.iter_mut().skip(first).zip(values).filter(|(_, value)| **value > HALF);
        kept.for_each(|(kept, value)| *kept = byte(*value));
    }

    fn make_room(&mut self) {
        if self.bits.is_empty() {
            self.bits = vec![0; self.sheet.pixels.div_ceil(8)];
        }
    }

    fn finish(self) -> Found {
        let Self { bits, pixel_count, probability_sum, probabilities, .. } = self;
        if pixel_count == 0 {
            return Found::default();
        }
        Found { mask: Some(SliceMask { bits, pixel_count }), probability_sum, probabilities }
    }
}

/// 255 for 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "probabilities are 0 to 1, and casts of floats saturate"
)]
fn byte(probability: f32) -> u8 {
    (probability * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(columns: usize, rows: usize, keep_probabilities: bool) -> Sheet {
        Sheet { columns, pixels: columns * rows, keep_probabilities }
    }

    fn row(values: &[f32]) -> Patch {
        Patch { columns: 0..values.len(), rows: 0..1, values: values.to_vec() }
    }

    #[test]
    fn pixels_belong_to_the_surest_above_a_half() {
        let maps = [row(&[0.6, 0.9, 0.5, 0.1]), row(&[0.7, 0.9, 0.4, 0.2])];
        let found = Owners::of(maps.into_iter()).masks(2, sheet(4, 1, true));
        let bits = |n: usize| found[n].mask.as_ref().unwrap().bits.clone();
        assert_eq!((bits(0), bits(1)), (vec![0b10], vec![0b01]));
        assert_eq!(found[0].probabilities.as_deref(), Some([0, 230, 0, 0].as_slice()));
        assert!((found[1].probability_sum - 0.7).abs() < 1e-6);
        assert!(
            Owners::of([row(&[0.5; 4])].into_iter()).masks(1, sheet(4, 1, false))[0].mask.is_none()
        );
        assert_eq!(masks([].into_iter(), sheet(4, 1, false)), []);
        let alone = [row(&[0.6, 0.9, 0.5, 0.1])];
        let both = Owners::of(alone.clone().into_iter()).masks(1, sheet(4, 1, true));
        assert_eq!(masks(alone.into_iter(), sheet(4, 1, true)), both);
    }

    #[test]
    fn patches_lie_where_they_say() {
        let here = Patch { columns: 1..3, rows: 1..3, values: vec![0.9, 0.4, 0.8, 0.7] };
        let there = Patch { columns: 2..5, rows: 2..3, values: vec![0.75, 0.6, 0.2] };
        let found = masks([here, Patch::default(), there].into_iter(), sheet(5, 4, true));
        let set = |n: usize| {
            let bits = &found[n].mask.as_ref().unwrap().bits;
            (0..20).filter(|n| bits[n / 8] >> (n % 8) & 1 == 1).collect::<Vec<usize>>()
        };
        assert_eq!((set(0), set(2)), (vec![6, 11], vec![12, 13]));
        assert_eq!(found[1], Found { probabilities: None, ..Found::default() });
        assert_eq!(found[2].probabilities.as_ref().unwrap()[12..14], [191, 153]);
    }

    #[test]
    fn a_single_map_is_cut_at_a_half() {
        let found = single(&row(&[0.5, 0.500_01, 1.0]), sheet(3, 1, false));
        assert_eq!(found.mask.unwrap().bits, [0b110]);
        assert_eq!(found.probabilities, None);
        assert_eq!(single(&Patch::default(), sheet(0, 0, true)), Found::default());
    }

    #[test]
    fn a_single_patch_may_begin_anywhere_in_a_byte() {
        let values: Vec<f32> = (0_u8..150).map(|n| if n % 7 == 3 { 0.75 } else { 0.25 }).collect();
        for first in 0..9 {
            let columns = first..first + 75;
            let found =
                single(&Patch { columns, rows: 1..3, values: values.clone() }, sheet(90, 4, true));
            let mask = found.mask.unwrap();
            let kept = found.probabilities.unwrap();
            assert_eq!((mask.pixel_count, found.probability_sum), (21, 0.75 * 21.0));
            assert_eq!((mask.bits.len(), kept.len()), (45, 360));
            for (n, kept) in kept.iter().enumerate() {
                let (row, column) = (n / 90, n % 90);
                let inside = (1..3).contains(&row) && (first..first + 75).contains(&column);
                let wanted = inside && ((row - 1) * 75 + column - first) % 7 == 3;
                assert_eq!(mask.bits[n / 8] >> (n % 8) & 1 == 1, wanted, "{first} {n}");
                assert_eq!(*kept, if wanted { 191 } else { 0 });
            }
        }
    }
}

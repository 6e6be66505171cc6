//! The set pixels of a slice as runs, straight from the bits of its mask: 64 pixels a look, nothing
//! unpacked.

use std::ops::Range;

use domain::SliceMask;

/// Where the set pixels of one row begin and end, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RowSpan {
    /// Which row, from 0.
    pub(super) row: usize,
    /// First column that is set.
    pub(super) first: usize,
    /// Last column that is set.
    pub(super) last: usize,
}

/// Maximal runs of set pixels, as indices into the slice; a run may go on in the next row.
pub(crate) fn runs(slice: &SliceMask) -> Runs<'_> {
    runs_of(&slice.bits)
}

/// The same of bits as a mask has them.
pub(super) fn runs_of(bits: &[u8]) -> Runs<'_> {
    Runs { bits, base: 0, word: 0, begun: false }
}

/// The rows of a slice that have a set pixel, from the first on.
pub(super) fn row_spans(slice: &SliceMask, columns: usize) -> Vec<RowSpan> {
    let mut spans: Vec<RowSpan> = Vec::new();
    for run in runs(slice) {
        for row in run.start / columns..=(run.end - 1) / columns {
            let begin = row * columns;
            let first = run.start.max(begin) - begin;
            let last = run.end.min(begin + columns) - 1 - begin;
            match spans.last_mut() {
                Some(span) if span.row == row => span.last = last,
                Some(_) | None => spans.push(RowSpan { row, first, last }),
            }
        }
    }
    spans
}

/// Runs of set bits.
#[derive(Debug)]
pub(crate) struct Runs<'m> {
    /// What comes after `word`.
    bits: &'m [u8],
    /// Index of the pixel in bit 0 of `word`.
    base: usize,
    /// 64 pixels, less the runs that were already given.
    word: u64,
    /// Whether `word` was ever loaded.
    begun: bool,
}

impl Runs<'_> {
    /// The next 64 pixels; `None` where there are none.
    fn load(&mut self) -> Option<()> {
        if self.bits.is_empty() {
            return None;
        }
        self.base += if self.begun { WORD } else { 0 };
        self.begun = true;
        self.word = word_at(self.bits, 0);
        self.bits = self.bits.get(8..).unwrap_or(&[]);
        Some(())
    }

    /// Takes the ones from bit 0 on, and says how many they are.
    fn take_ones(&mut self) -> usize {
        let ones = self.word.trailing_ones();
        self.word &= u64::MAX.checked_shl(ones).unwrap_or(0);
        ones as usize
    }
}

impl Iterator for Runs<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        while self.word == 0 {
            self.load()?;
        }
        let first = self.word.trailing_zeros();
        let start = self.base + first as usize;
        self.word |= (1 << first) - 1;
        let mut end = self.base + self.take_ones();
        while end == self.base + WORD && self.load().is_some() {
            end += self.take_ones();
        }
        Some(start..end)
    }
}

/// Pixels looked at together.
pub(super) const WORD: usize = 64;

/// The 64 bits from byte `at` on; bits after the end are 0.
pub(super) fn word_at(bits: &[u8], at: usize) -> u64 {
    let rest = bits.get(at..).unwrap_or(&[]);
    let whole = rest.first_chunk().copied().unwrap_or_else(|| {
        let mut bytes = [0; 8];
        bytes.iter_mut().zip(rest).for_each(|(byte, bit)| *byte = *bit);
        bytes
    });
    u64::from_le_bytes(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_spans_are_those_of_the_pixels() {
        // Lengths of ones and zeros in turn, across words and rows, and up to the last pixel.
        for lengths in [vec![0, 200], vec![1, 1, 1, 1, 60, 64, 64, 3], vec![63, 1, 64, 65, 2, 2]] {
            let mut pixels = Vec::new();
            for (n, length) in lengths.iter().enumerate() {
                pixels.extend(std::iter::repeat_n(n % 2 == 1, *length));
            }
            let columns = 10;
            pixels.resize(pixels.len().next_multiple_of(columns), true);
            let slice = SliceMask::from_pixels(&pixels).unwrap();
            let mut drawn = vec![false; pixels.len()];
            let all: Vec<_> = runs(&slice).collect();
            all.iter().for_each(|run| drawn[run.clone()].fill(true));
            assert_eq!(drawn, pixels, "{lengths:?}");
            assert!(all.windows(2).all(|two| two[0].end < two[1].start), "maximal: {all:?}");
            let wanted = pixels.chunks(columns).enumerate().filter_map(|(row, pixels)| {
                let first = pixels.iter().position(|set| *set)?;
                let last = pixels.iter().rposition(|set| *set)?;
                Some(RowSpan { row, first, last })
            });
            assert_eq!(row_spans(&slice, columns), wanted.collect::<Vec<_>>(), "{lengths:?}");
        }
    }
}

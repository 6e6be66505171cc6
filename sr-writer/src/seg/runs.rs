//! The runs of pixels that a mask has.

use std::ops::Range;

/// Calls `each` with every run of pixels that are set, 64 pixels looked at together; a run ends where its 64 do.
pub(super) fn for_each_run(bits: &[u8], mut each: impl FnMut(Range<usize>)) {
    let (blocks, rest) = bits.as_chunks::<BLOCK_BYTES>();
    let mut last = [0; BLOCK_BYTES];
    last[..rest.len()].copy_from_slice(rest);
    for (block, bytes) in blocks.iter().chain([&last]).enumerate() {
        // Most of a mask is empty.
        if bytes.iter().fold(0, |any, byte| any | byte) == 0 {
            continue;
        }
        let (words, _) = bytes.as_chunks::<8>();
        for (index, word) in (block * BLOCK_BYTES / 8..).zip(words) {
            runs_of_word(index, u64::from_le_bytes(*word), &mut each);
        }
    }
}

/// Bytes that are looked at together, whether they are all 0.
const BLOCK_BYTES: usize = 64;

fn runs_of_word(index: usize, word: u64, each: &mut impl FnMut(Range<usize>)) {
    let mut left = word;
    while left != 0 {
        let start = left.trailing_zeros();
        let length = (left >> start).trailing_ones();
        let run = index * 64 + start as usize;
        each(run..run + length as usize);
        left &= u64::MAX.checked_shl(start + length).unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_the_pixels_that_are_set() {
        for bytes in [vec![], vec![0xFF; 8], vec![0xFF; 19], (0..=255).collect::<Vec<u8>>()] {
            let mut found = vec![false; bytes.len() * 8];
            for_each_run(&bytes, |run| found[run].fill(true));
            let wanted = (0..found.len()).map(|pixel| bytes[pixel / 8] >> (pixel % 8) & 1 == 1);
            assert!(found.iter().copied().eq(wanted), "{} bytes", bytes.len());
        }
    }
}

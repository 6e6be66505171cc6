//! The frames of LABELMAP: a Segment Number a pixel (PS3.3 §C.8.20.2.3).

use domain::{Findings, Segment};
use rayon::prelude::*;

use super::runs::for_each_run;
use crate::recode::rle;

/// Bytes of a pixel: Segment Numbers up to 255 take one.
pub(crate) fn sample_bytes(findings: &Findings) -> usize {
    if findings.segments.len() <= usize::from(u8::MAX) { 1 } else { 2 }
}

/// So much of a mask is read before it is asked whether all of its pixels were found.
const PART_BYTES: usize = 1024;

/// Paints the Segment Number of each pixel of slice `k`, little endian, over 0; says whether any pixel had one already.
pub(super) fn paint(findings: &Findings, k: usize, to: &mut [u8]) -> bool {
    match sample_bytes(findings) {
        1 => paint_in(&findings.segments, k, to, |number| [number.to_le_bytes()[0]]),
        _ => paint_in(&findings.segments, k, to, u16::to_le_bytes),
    }
}

fn paint_in<const N: usize>(
    segments: &[Segment],
    k: usize,
    to: &mut [u8],
    bytes: impl Fn(u16) -> [u8; N],
) -> bool {
    let (labels, _) = to.as_chunks_mut::<N>();
    let mut overlap = false;
    for (number, segment) in (1..).zip(segments) {
        let Some(mask) = &segment.mask.slices[k] else { continue };
        let label = bytes(number);
        let mut left = mask.pixel_count;
        for (part, bits) in mask.bits.chunks(PART_BYTES).enumerate() {
            // Behind the last pixel there is nothing to be read.
            if left == 0 {
                debug_assert!(mask.bits[part * PART_BYTES..].iter().all(|byte| *byte == 0));
                break;
            }
            let labels = &mut labels[part * PART_BYTES * 8..];
            for_each_run(bits, |run| {
                left = left.saturating_sub(run.len());
                overlap |= labels[run.clone()].iter().any(|label| *label != [0; N]);
                labels[run].fill(label);
            });
        }
    }
    overlap
}

/// All slices in RLE Lossless, of masks of columns, rows and slices in `size`; `None` when any voxel belongs to more than one segment.
///
/// Each is painted in a buffer of its core and coded at once: plain pixels are never there as a whole, and the masks, which
/// are the most that is read, are read once.
pub(crate) fn coded_slices(findings: &Findings, size: [usize; 3]) -> Option<Vec<Vec<u8>>> {
    let [columns, rows, slices] = size;
    let sample_bytes = sample_bytes(findings);
    let plain = || vec![0; columns * rows * sample_bytes];
    let coded = |plain: &mut Vec<u8>, k: usize| {
        plain.fill(0);
        let overlap = paint(findings, k, plain);
        (!overlap).then(|| rle::frame(plain, sample_bytes, columns))
    };
    (0..slices).into_par_iter().map_init(plain, coded).collect()
}

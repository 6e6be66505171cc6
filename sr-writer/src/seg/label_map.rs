//! The frames of LABELMAP: a Segment Number a pixel (PS3.3 §C.8.20.2.3).

use domain::Segment;
use rayon::prelude::*;

use super::frames::{Frame, Frames};
use super::image::bits;
use super::pixel_data::frame_pixels;
use super::runs::for_each_run;
use crate::recode::rle;
use crate::work::Work;

/// The Segment Number of each pixel of a frame, in one byte or two, little endian; what is no segment's stays as it is.
pub(super) fn paint(work: &Work<'_>, frames: &Frames, frame: &Frame, to: &mut [u8]) {
    let segments = &work.findings.segments[frames.segments.clone()];
    match bits(work) {
        8 => paint_in(segments, frame.k, to, |number| [number.to_le_bytes()[0]]),
        _ => paint_in(segments, frame.k, to, u16::to_le_bytes),
    }
}

fn paint_in<const N: usize>(
    segments: &[Segment],
    k: usize,
    to: &mut [u8],
    bytes: impl Fn(u16) -> [u8; N],
) {
    let (labels, _) = to.as_chunks_mut::<N>();
    for (number, segment) in (1..).zip(segments) {
        let Some(mask) = &segment.mask.slices[k] else { continue };
        let label = bytes(number);
        for_each_run(&mask.bits, |run| labels[run].fill(label));
    }
}

/// The frames in RLE Lossless, each painted in a buffer of its core and coded at once: plain pixels are never there as a whole.
pub(super) fn rle_frames(work: &Work<'_>, frames: &Frames) -> Vec<Vec<u8>> {
    let sample_bytes = usize::from(bits(work) / 8);
    let columns = work.source.grid.size()[0];
    let plain = || vec![0; frame_pixels(work) * sample_bytes];
    let coded = |plain: &mut Vec<u8>, frame: &Frame| {
        plain.fill(0);
        paint(work, frames, frame, plain);
        rle::frame(plain, sample_bytes, columns)
    };
    frames.as_slice().par_iter().map_init(plain, coded).collect()
}

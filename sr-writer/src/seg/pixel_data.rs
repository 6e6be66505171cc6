//! Pixel Data (PS3.3 §C.8.20.2): of BINARY one bit string over all frames (PS3.5 §8.1.1), of FRACTIONAL a byte a pixel, of
//! LABELMAP a Segment Number a pixel.

use dataset::DataSet;
use domain::{InstanceIdentity, SliceMask};
use rayon::prelude::*;

use super::frames::{Frame, Frames};
use super::image::bits;
use super::label_map;
use super::runs::for_each_run;
use crate::iod::file;
use crate::recode::encapsulated;
use crate::work::Work;
use crate::{SegmentationKind, WriteError};

/// A value with 32-bit length: even and below 2³² - 1.
const VALUE_BYTES_MAX: usize = 0xFFFF_FFFE;

/// The tag (7FE0,0010), which comes after all others that we write.
const PIXEL_DATA: [u8; 4] = [0xE0, 0x7F, 0x10, 0x00];

/// Bits one after the other, the first in bit 0 of the first byte; the bytes are 0 at the start.
#[derive(Debug)]
struct BitString<'a> {
    bytes: &'a mut [u8],
    bit_count: usize,
}

impl BitString<'_> {
    /// Adds the first `count` bits of `bits`; `bits` has `ceil(count / 8)` bytes.
    fn push(&mut self, bits: &[u8], count: usize) {
        let (start, shift) = (self.bit_count / 8, self.bit_count % 8);
        self.bit_count += count;
        if shift == 0 {
            self.bytes[start..start + bits.len()].copy_from_slice(bits);
        } else {
            let mut carried = self.bytes[start];
            for (to, byte) in self.bytes[start..].iter_mut().zip(bits) {
                *to = carried | byte << shift;
                carried = byte >> (8 - shift);
            }
            if let Some(to) = self.bytes.get_mut(start + bits.len()) {
                *to = carried;
            }
        }
        self.clear_behind();
    }

    /// A caller's stray bits behind the last pixel must not run into the next frame.
    fn clear_behind(&mut self) {
        let (end, rest) = (self.bit_count / 8, self.bit_count % 8);
        if let Some(last) = self.bytes.get_mut(end) {
            *last &= (1 << rest) - 1;
        }
        if let Some(next) = self.bytes.get_mut(end + 1) {
            *next = 0;
        }
    }
}

/// The whole file of a Segmentation whose other attributes are `set`. Pixels are written into it in place, or coded frame by
/// frame: of a large one there is never a second copy.
pub(crate) fn file_with_pixels(
    identity: &InstanceIdentity,
    set: &DataSet,
    work: &Work<'_>,
    frames: &Frames,
) -> Result<Vec<u8>, WriteError> {
    let Some(slices) = &work.coded_slices else { return plain_file(identity, set, work, frames) };
    let mut bytes = file(identity, set);
    encapsulated(frames.iter().map(|frame| slices[frame.k].as_slice()), &mut bytes);
    Ok(bytes)
}

fn plain_file(
    identity: &InstanceIdentity,
    set: &DataSet,
    work: &Work<'_>,
    frames: &Frames,
) -> Result<Vec<u8>, WriteError> {
    let bits = usize::from(bits(work));
    let pixels = frame_pixels(work).saturating_mul(frames.count());
    let bytes = pixels.saturating_mul(bits).div_ceil(8).next_multiple_of(2);
    let length = u32::try_from(bytes).ok().filter(|_| bytes <= VALUE_BYTES_MAX);
    let Some(length) = length else {
        let what = "bytes of Pixel Data";
        return Err(WriteError::TooMany { what, count: bytes, most: VALUE_BYTES_MAX });
    };
    let mut head = file(identity, set);
    let vr = if bits > 8 { b"OW" } else { b"OB" };
    head.extend_from_slice(&PIXEL_DATA);
    head.extend_from_slice(vr);
    head.extend_from_slice(&[0, 0]);
    head.extend_from_slice(&length.to_le_bytes());
    // Zeroed by the system, page by page as they are written.
    let mut whole = vec![0; head.len() + bytes];
    let (before, value) = whole.split_at_mut(head.len());
    before.copy_from_slice(&head);
    match work.form.kind {
        SegmentationKind::Binary => binary(work, frames, value),
        SegmentationKind::Fractional => fractional(work, frames, value),
        SegmentationKind::Labelmap => {
            fill_frames(frames, value, frame_pixels(work) * bits / 8, |frame, part| {
                label_map::paint(work.findings, frame.k, part);
            });
        }
    }
    Ok(whole)
}

fn frame_pixels(work: &Work<'_>) -> usize {
    let [columns, rows, _] = work.source.grid.size();
    columns * rows
}

/// One bit string over all frames.
fn binary(work: &Work<'_>, frames: &Frames, value: &mut [u8]) {
    let pixel_count = frame_pixels(work);
    let empty = vec![0; pixel_count.div_ceil(8)];
    let mut pixels = BitString { bytes: value, bit_count: 0 };
    for frame in frames.iter() {
        pixels.push(mask(work, frame).map_or(&empty, |mask| &mask.bits), pixel_count);
    }
}

/// The mask that a frame shows, where it is one of a single segment and not empty.
fn mask<'a>(work: &Work<'a>, frame: &Frame) -> Option<&'a SliceMask> {
    work.findings.segments[frame.segment_index?].mask.slices[frame.k].as_ref()
}

/// Fills frames side by side on all cores; a byte of padding may be left behind the last.
fn fill_frames(
    frames: &Frames,
    value: &mut [u8],
    bytes_per_frame: usize,
    fill: impl Fn(&Frame, &mut [u8]) + Sync,
) {
    let parts = value.par_chunks_exact_mut(bytes_per_frame);
    parts.zip(frames.as_slice()).for_each(|(part, frame)| fill(frame, part));
}

/// The probabilities; of a segment without them, 255 in its mask.
fn fractional(work: &Work<'_>, frames: &Frames, value: &mut [u8]) {
    fill_frames(frames, value, frame_pixels(work), |frame, part| {
        let Some(index) = frame.segment_index else { return };
        match &work.findings.segments[index].probabilities {
            Some(probabilities) => {
                if let Some(values) = &probabilities.slices[frame.k] {
                    part.copy_from_slice(values);
                }
            }
            None => {
                if let Some(mask) = mask(work, frame) {
                    for_each_run(&mask.bits, |run| part[run].fill(u8::MAX));
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of `count` bits, packed bit by bit.
    fn slowly(frames: &[Vec<u8>], count: usize) -> Vec<u8> {
        let bits: Vec<u8> = frames
            .iter()
            .flat_map(|frame| (0..count).map(|bit| frame[bit / 8] >> (bit % 8) & 1))
            .collect();
        let byte = |bits: &[u8]| bits.iter().enumerate().fold(0, |byte, (i, bit)| byte | bit << i);
        let mut bytes: Vec<u8> = bits.chunks(8).map(byte).collect();
        if bytes.len() % 2 == 1 {
            bytes.push(0);
        }
        bytes
    }

    #[test]
    fn frames_follow_each_other_without_a_gap() {
        for count in 1..40_usize {
            let frame = |n: u8| -> Vec<u8> {
                let byte = |i: u8| (i + 3 * n).wrapping_mul(89) ^ 0x5A;
                (0..5).map(byte).take(count.div_ceil(8)).collect()
            };
            let frames: Vec<Vec<u8>> = (0..9).map(frame).collect();
            let wanted = slowly(&frames, count);
            let mut bytes = vec![0; wanted.len()];
            let mut string = BitString { bytes: &mut bytes, bit_count: 0 };
            for frame in &frames {
                string.push(frame, count);
            }
            assert_eq!(bytes, wanted, "{count} bits");
        }
    }
}

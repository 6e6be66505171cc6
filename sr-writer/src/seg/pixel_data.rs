//! Pixel Data (PS3.3 §C.8.20.2): of BINARY one bit string over all frames (PS3.5 §8.1.1), of FRACTIONAL a byte a pixel, of
//! LABELMAP a Segment Number a pixel.

use dataset::{DataSet, Vr};
use domain::SliceMask;
use rayon::prelude::*;

use super::frames::{Frame, Frames};
use super::image::bits;
use crate::work::Work;
use crate::{SegmentationKind, WriteError, tags};

/// A value with 32-bit length: even and below 2³² - 1.
const VALUE_BYTES_MAX: usize = 0xFFFF_FFFE;

/// Bits one after the other, the first in bit 0 of the first byte.
#[derive(Debug, Default)]
struct BitString {
    bytes: Vec<u8>,
    bit_count: usize,
}

impl BitString {
    fn with_capacity(bit_count: usize) -> Self {
        // One more byte for padding and one for what the last shift may leave.
        Self { bytes: Vec::with_capacity(bit_count.div_ceil(8) + 2), bit_count: 0 }
    }

    /// Adds the first `count` bits of `bits`; `bits` has `ceil(count / 8)` bytes.
    fn push(&mut self, bits: &[u8], count: usize) {
        let shift = self.bit_count % 8;
        if shift == 0 {
            self.bytes.extend_from_slice(bits);
        } else {
            self.push_shifted(bits, shift);
        }
        self.bit_count += count;
        self.bytes.truncate(self.bit_count.div_ceil(8));
        let rest = self.bit_count % 8;
        if let (Some(last), 1..) = (self.bytes.last_mut(), rest) {
            // A caller's stray bits behind the last pixel must not run into the next frame.
            *last &= (1 << rest) - 1;
        }
    }

    fn push_shifted(&mut self, bits: &[u8], shift: usize) {
        let mut carried = self.bytes.pop().unwrap_or(0);
        self.bytes.extend(bits.iter().map(|byte| {
            let full = carried | byte << shift;
            carried = byte >> (8 - shift);
            full
        }));
        self.bytes.push(carried);
    }

    /// The bytes, padded to an even length.
    fn into_even_bytes(mut self) -> Vec<u8> {
        if !self.bytes.len().is_multiple_of(2) {
            self.bytes.push(0);
        }
        self.bytes
    }
}

/// Puts Pixel Data.
pub(crate) fn put_pixel_data(
    set: &mut DataSet,
    work: &Work<'_>,
    frames: &Frames,
) -> Result<(), WriteError> {
    let bits = usize::from(bits(work));
    let pixels = frame_pixels(work).saturating_mul(frames.count());
    let bytes = pixels.saturating_mul(bits).div_ceil(8);
    if bytes > VALUE_BYTES_MAX {
        let what = "bytes of Pixel Data";
        return Err(WriteError::TooMany { what, count: bytes, most: VALUE_BYTES_MAX });
    }
    let value = match work.form.kind {
        SegmentationKind::Binary => binary(work, frames),
        SegmentationKind::Fractional => fractional(work, frames),
        SegmentationKind::Labelmap if bits == 8 => {
            label_map(work, frames, |n| [n.to_le_bytes()[0]])
        }
        SegmentationKind::Labelmap => label_map(work, frames, u16::to_le_bytes),
    };
    let vr = if bits > 8 { Vr::OW } else { Vr::OB };
    set.put_bytes(tags::PIXEL_DATA, vr, value);
    Ok(())
}

fn frame_pixels(work: &Work<'_>) -> usize {
    let [columns, rows, _] = work.source.grid.size();
    columns * rows
}

/// One bit string over all frames.
fn binary(work: &Work<'_>, frames: &Frames) -> Vec<u8> {
    let pixel_count = frame_pixels(work);
    let empty = vec![0; pixel_count.div_ceil(8)];
    let mut pixels = BitString::with_capacity(pixel_count * frames.count());
    for frame in frames.iter() {
        pixels.push(mask(work, frame).map_or(&empty, |mask| &mask.bits), pixel_count);
    }
    pixels.into_even_bytes()
}

/// The mask that a frame shows, where it is one of a single segment and not empty.
fn mask<'a>(work: &Work<'a>, frame: &Frame) -> Option<&'a SliceMask> {
    work.findings.segments[frame.segment_index?].mask.slices[frame.k].as_ref()
}

/// One byte a pixel, frames side by side on all cores; a byte of padding where the length is odd.
fn frame_bytes(
    frames: &[Frame],
    bytes_per_frame: usize,
    fill: impl Fn(&Frame, &mut [u8]) + Sync,
) -> Vec<u8> {
    let bytes = bytes_per_frame * frames.len();
    let mut value = vec![0; bytes.next_multiple_of(2)];
    let parts = value[..bytes].par_chunks_exact_mut(bytes_per_frame);
    parts.zip(frames).for_each(|(part, frame)| fill(frame, part));
    value
}

/// The probabilities; of a segment without them, 255 in its mask.
fn fractional(work: &Work<'_>, frames: &Frames) -> Vec<u8> {
    frame_bytes(frames.as_slice(), frame_pixels(work), |frame, part| {
        let Some(index) = frame.segment_index else { return };
        match &work.findings.segments[index].probabilities {
            Some(probabilities) => {
                if let Some(values) = &probabilities.slices[frame.k] {
                    part.copy_from_slice(values);
                }
            }
            None => {
                if let Some(mask) = mask(work, frame) {
                    for_each_pixel(&mask.bits, |pixel| part[pixel] = u8::MAX);
                }
            }
        }
    })
}

/// The Segment Number of each pixel, in `N` bytes; 0 is background.
fn label_map<const N: usize>(
    work: &Work<'_>,
    frames: &Frames,
    bytes: impl Fn(u16) -> [u8; N] + Sync,
) -> Vec<u8> {
    frame_bytes(frames.as_slice(), frame_pixels(work) * N, |frame, part| {
        for (number, segment) in (1..).zip(&work.findings.segments[frames.segments.clone()]) {
            let Some(mask) = &segment.mask.slices[frame.k] else { continue };
            let label = bytes(number);
            for_each_pixel(&mask.bits, |pixel| {
                part[pixel * N..pixel * N + N].copy_from_slice(&label);
            });
        }
    })
}

/// Calls `each` with every pixel that is set, eight bytes of nothing at a time skipped.
fn for_each_pixel(bits: &[u8], mut each: impl FnMut(usize)) {
    for (index, word) in bits.chunks(8).enumerate() {
        let mut padded = [0; 8];
        padded[..word.len()].copy_from_slice(word);
        let mut rest = u64::from_le_bytes(padded);
        while rest != 0 {
            each(index * 64 + rest.trailing_zeros() as usize);
            rest &= rest - 1;
        }
    }
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
            let mut string = BitString::with_capacity(count * frames.len());
            for frame in &frames {
                string.push(frame, count);
            }
            assert_eq!(string.into_even_bytes(), slowly(&frames, count), "{count} bits");
        }
    }
}

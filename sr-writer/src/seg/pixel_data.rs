//! Pixel Data of BINARY segmentations: one bit string over all frames (PS3.5 §8.1.1, PS3.3 §C.8.20.2.2).

use dataset::{DataSet, Vr};

use super::frames::Frames;
use crate::work::Work;
use crate::{WriteError, tags};

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
    let [columns, rows, _] = work.source.geometry.size;
    let pixel_count = columns * rows;
    let bytes = pixel_count.saturating_mul(frames.count()).div_ceil(8);
    if bytes > VALUE_BYTES_MAX {
        let what = "bytes of Pixel Data";
        return Err(WriteError::TooMany { what, count: bytes, most: VALUE_BYTES_MAX });
    }
    let mut pixels = BitString::with_capacity(pixel_count * frames.count());
    for frame in frames.iter() {
        if let Some(slice) = &work.findings.segments[frame.segment_index].mask.slices[frame.k] {
            pixels.push(&slice.bits, pixel_count);
        }
    }
    set.put_bytes(tags::PIXEL_DATA, Vr::OB, pixels.into_even_bytes());
    Ok(())
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

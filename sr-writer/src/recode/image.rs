//! A result read back, to be written in another transfer syntax.

use std::borrow::Cow;
use std::collections::BTreeMap;

use dataset::{DataSet, Encoding, End, ReadLimits, Vr, encode, encode_implicit, read_prefix};
use rayon::prelude::*;

use super::deflate::deflate;
use super::encapsulate::{encapsulated, fragments};
use super::rle;
use crate::tags;

/// Bounds on reading our own files back.
const LIMITS: ReadLimits = ReadLimits {
    bytes_max: usize::MAX,
    depth_max: 32,
    elements_max: usize::MAX,
    value_bytes_max: 256 << 20,
};

/// Tag, VR, two reserved bytes and length of Pixel Data, the last attribute of what we write.
const ELEMENT_HEAD: usize = 12;

/// A result: its data set, and its pixels where it has any.
pub(super) struct Image<'a> {
    bytes: &'a [u8],
    data_set: DataSet,
    pixels: Option<Pixels<'a>>,
}

/// Pixel Data as it lies.
enum Pixels<'a> {
    /// One frame behind the other.
    Plain(&'a [u8]),
    /// A fragment a frame, in RLE Lossless.
    Rle(Vec<&'a [u8]>),
}

impl<'a> Image<'a> {
    /// `bytes` are a data set in Explicit VR Little Endian, Pixel Data plain or in RLE Lossless.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let prefix =
            read_prefix(bytes, Encoding::ExplicitLittle, tags::PIXEL_DATA, &LIMITS).ok()?;
        let pixels = match prefix.end {
            End::Stopped { offset } => Some(Pixels::read(bytes.get(offset..)?)?),
            End::Exhausted => None,
            End::Cut | End::AtLimit => return None,
        };
        Some(Self { bytes, data_set: prefix.data_set, pixels })
    }

    fn number(&self, tag: domain::Tag) -> usize {
        self.data_set.int(tag).and_then(|n| usize::try_from(n).ok()).unwrap_or(1)
    }

    /// In Explicit VR Little Endian.
    pub(super) fn explicit(mut self) -> Option<Cow<'a, [u8]>> {
        match &self.pixels {
            None | Some(Pixels::Plain(_)) => Some(self.bytes.into()),
            Some(Pixels::Rle(_)) => {
                let vr = if self.number(tags::BITS_ALLOCATED) > 8 { Vr::OW } else { Vr::OB };
                self.put_pixels(vr)?;
                Some(encode(&self.data_set).into())
            }
        }
    }

    /// In Implicit VR Little Endian: Pixel Data is OW there (PS3.5 §A.1); the bytes are the same.
    pub(super) fn implicit(mut self) -> Option<Vec<u8>> {
        self.put_pixels(Vr::OW)?;
        Some(encode_implicit(&self.data_set))
    }

    fn put_pixels(&mut self, vr: Vr) -> Option<()> {
        let value = match &self.pixels {
            None => return Some(()),
            Some(Pixels::Plain(pixels)) => pixels.to_vec(),
            Some(Pixels::Rle(_)) => {
                let mut value = self.frames()?.concat();
                value.resize(value.len().next_multiple_of(2), 0);
                value
            }
        };
        self.data_set.put_bytes(tags::PIXEL_DATA, vr, value);
        Some(())
    }

    /// Bits of a frame, samples together.
    fn frame_bits(&self) -> usize {
        let pixels = self.number(tags::ROWS) * self.number(tags::COLUMNS);
        pixels * self.number(tags::SAMPLES_PER_PIXEL) * self.number(tags::BITS_ALLOCATED)
    }

    fn frame_count(&self) -> usize {
        self.number(tags::NUMBER_OF_FRAMES)
    }

    /// Segments of a frame in RLE: a byte of a pixel each. `None` for frames of bits.
    fn rle_segments(&self) -> Option<usize> {
        let bytes = match self.number(tags::BITS_ALLOCATED) {
            8 => 1,
            16 => 2,
            _ => return None,
        };
        Some(bytes * self.number(tags::SAMPLES_PER_PIXEL))
    }

    /// The plain frames, each from a byte on: frames of bits are shifted to one.
    fn frames(&self) -> Option<Vec<Cow<'a, [u8]>>> {
        let bits = self.frame_bits();
        match self.pixels.as_ref()? {
            Pixels::Plain(pixels) => {
                (0..self.frame_count()).map(|frame| bits_at(pixels, frame * bits, bits)).collect()
            }
            Pixels::Rle(coded) => {
                let segments = self.rle_segments()?;
                let plain = |frame: &&[u8]| rle::plain_frame(frame, segments, bits / 8);
                coded.par_iter().map(|frame| plain(frame).map(Cow::from)).collect()
            }
        }
    }

    pub(super) fn rle(&self) -> Option<Vec<u8>> {
        let segments = self.rle_segments()?;
        match self.pixels.as_ref()? {
            Pixels::Rle(_) => Some(self.bytes.to_vec()),
            Pixels::Plain(_) => {
                let columns = self.number(tags::COLUMNS);
                let coded = |frame: &Cow<'_, [u8]>| rle::frame(frame, segments, columns);
                let coded: Vec<_> = self.frames()?.par_iter().map(coded).collect();
                Some(self.encapsulated(&coded))
            }
        }
    }

    pub(super) fn deflated_frames(&self) -> Option<Vec<u8>> {
        if self.number(tags::SAMPLES_PER_PIXEL) != 1 {
            return None;
        }
        let coded: Vec<_> = self.frames()?.par_iter().map(|frame| deflate(frame)).collect();
        Some(self.encapsulated(&coded))
    }

    /// In how many frames each value occurs; `None` of what is no label map.
    pub(super) fn frames_of_values(&self) -> Option<BTreeMap<i64, usize>> {
        let kind = self.data_set.text(tags::SEGMENTATION_TYPE);
        let segments = kind.filter(|kind| kind == "LABELMAP").and_then(|_| self.rle_segments())?;
        let values: Vec<_> =
            self.frames()?.par_iter().map(|frame| values_in(frame, segments)).collect();
        let mut counts = BTreeMap::new();
        for value in values.into_iter().flatten() {
            *counts.entry(value).or_insert(0) += 1;
        }
        Some(counts)
    }

    fn encapsulated(&self, frames: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = encode(&self.data_set);
        encapsulated(frames.iter().map(Vec::as_slice), &mut bytes);
        bytes
    }
}

impl<'a> Pixels<'a> {
    fn read(element: &'a [u8]) -> Option<Self> {
        let value = element.get(ELEMENT_HEAD..)?;
        if element.get(ELEMENT_HEAD - 4..ELEMENT_HEAD)? == u32::MAX.to_le_bytes() {
            fragments(value).map(Self::Rle)
        } else {
            Some(Self::Plain(value))
        }
    }
}

/// The values of a frame of 8 or 16 bits a pixel, little endian, each once.
fn values_in(frame: &[u8], bytes: usize) -> Vec<i64> {
    let mut found = vec![false; 1 << (8 * bytes)];
    for pixel in frame.chunks_exact(bytes) {
        let value = pixel.iter().rev().fold(0, |value, byte| value << 8 | usize::from(*byte));
        found[value] = true;
    }
    (0..).zip(found).filter(|(_, found)| *found).map(|(value, _)| value).collect()
}

/// `count` bits from bit `first` on, the first in bit 0; borrowed where they begin at a byte and end at one.
fn bits_at(bytes: &[u8], first: usize, count: usize) -> Option<Cow<'_, [u8]>> {
    let (start, shift) = (first / 8, first % 8);
    let end = (first + count).div_ceil(8);
    let part = bytes.get(start..end)?;
    if shift == 0 && count.is_multiple_of(8) {
        return Some(part.into());
    }
    let byte = |index: usize| part.get(index).copied().unwrap_or(0);
    let shifted = |index: usize| {
        let both = u16::from_le_bytes([byte(index), byte(index + 1)]) >> shift;
        both.to_le_bytes()[0]
    };
    let mut own: Vec<u8> = (0..count.div_ceil(8)).map(shifted).collect();
    if let (Some(last), rest @ 1..) = (own.last_mut(), count % 8) {
        *last &= (1 << rest) - 1;
    }
    Some(own.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_shifted_to_bytes() {
        let bytes = [0b1010_1010, 0b0101_0101, 0b1111_0000];
        assert_eq!(bits_at(&bytes, 0, 8).unwrap()[..], [0b1010_1010]);
        assert_eq!(bits_at(&bytes, 4, 8).unwrap()[..], [0b0101_1010]);
        assert_eq!(bits_at(&bytes, 5, 5).unwrap()[..], [0b0000_1101]);
        assert_eq!(bits_at(&bytes, 20, 4).unwrap()[..], [0b1111]);
        assert_eq!(bits_at(&bytes, 20, 5), None);
    }
}

//! Uncompressed frames (PS3.5 §8.1.1, §8.2, §A.1 to §A.5).

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, copy, sink};

use dataset::Vr;
use domain::{Unsuitable, UnsuitableCode};
use flate2::read::DeflateDecoder;

use crate::format::{Format, Planes};
use crate::found;
use crate::frame::Wanted;
use crate::syntax::ByteOrder;

/// Checks that the declared length holds the wanted frame and those in front of it.
pub(crate) fn check_declared(wanted: &Wanted<'_>) -> Result<(), Unsuitable> {
    let Some(length) = wanted.at.length else {
        let detail = "uncompressed Pixel Data of undefined length";
        return Err(wanted.fault(UnsuitableCode::Unreadable, detail));
    };
    let expected = frames_bytes(wanted);
    if length < expected { Err(wanted.truncated(expected, length)) } else { Ok(()) }
}

/// The samples of a frame; reads only their bytes.
pub(crate) fn read(wanted: &Wanted<'_>, order: ByteOrder) -> Result<Vec<u8>, Unsuitable> {
    check_declared(wanted)?;
    let mut file = wanted.open()?;
    let file_bytes = file.metadata().map_err(|error| wanted.unreadable(&error))?.len();
    let place = Place::of(wanted, order);
    // Nothing is allocated for bytes that are not there.
    let there = file_bytes.saturating_sub(wanted.at.offset);
    if there < place.end {
        return Err(wanted.truncated(place.end, there));
    }
    let from = wanted.at.offset.saturating_add(place.start);
    file.seek(SeekFrom::Start(from)).map_err(|error| wanted.unreadable(&error))?;
    let room = usize::try_from(place.end - place.start).unwrap_or(0);
    let bytes = place.read(&mut file, room).map_err(|error| wanted.unreadable(&error))?;
    let found = place.start + bytes.len() as u64;
    place.samples(bytes, found, wanted)
}

/// Where a frame is within the value of Pixel Data.
struct Place {
    /// First byte.
    start: u64,
    /// The byte behind the last.
    end: u64,
    /// Bits of the first byte, counted from its lowest, that belong to the frame before.
    bits_before: usize,
    /// What each word is turned round in.
    swapped_bytes: usize,
}

impl Place {
    fn of(wanted: &Wanted<'_>, order: ByteOrder) -> Self {
        let bits = wanted.format.native_bits();
        let first = bits.saturating_mul(wanted.frame_index as u64);
        let last = first.saturating_add(bits);
        let swapped_bytes = swapped_bytes(wanted, order);
        // Frames of bits and bytes may begin and end in the middle of a word that is turned round as a whole.
        let unit = if wanted.format.sample_bytes() == 1 { swapped_bytes as u64 } else { 1 };
        let start = first / (8 * unit) * unit;
        let bits_before = usize::try_from(first - 8 * start).unwrap_or(0);
        let end = last.div_ceil(8).next_multiple_of(unit);
        Self { start, end, bits_before, swapped_bytes }
    }

    /// All bytes, or those that are there; `room` is for bytes that are known to be.
    fn read(&self, input: &mut impl Read, room: usize) -> std::io::Result<Vec<u8>> {
        let length = self.end - self.start;
        let mut bytes = Vec::with_capacity(room);
        input.take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// What of the whole value is this frame's, as far as it is there.
    fn within<'a>(&self, value: &'a [u8]) -> &'a [u8] {
        let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX).min(value.len());
        &value[at(self.start)..at(self.end)]
    }

    /// `found` bytes of the value are there.
    fn samples(
        &self,
        mut bytes: Vec<u8>,
        found: u64,
        wanted: &Wanted<'_>,
    ) -> Result<Vec<u8>, Unsuitable> {
        if found < self.end {
            return Err(wanted.truncated(self.end, found));
        }
        if self.swapped_bytes > 1 {
            bytes.chunks_exact_mut(self.swapped_bytes).for_each(<[u8]>::reverse);
        }
        if wanted.format.bits_allocated > 1 {
            bytes.drain(..self.bits_before / 8);
        }
        arranged(bytes, wanted.format, self.bits_before)
            .ok_or_else(|| wanted.truncated(self.end, found))
    }
}

/// Bytes that big endian turns round together. Samples of one byte in the words of an OW value are swapped with them (PS3.5 §8.1.1).
fn swapped_bytes(wanted: &Wanted<'_>, order: ByteOrder) -> usize {
    match order {
        ByteOrder::Big if wanted.format.sample_bytes() > 1 => wanted.format.sample_bytes(),
        ByteOrder::Big if wanted.at.vr == Vr::OW => 2,
        ByteOrder::Little | ByteOrder::Big => 1,
    }
}

/// Samples by pixel, from a frame in little-endian order as Bits Allocated, Photometric Interpretation and Planar Configuration say.
/// `bits_before` counts only where a sample is a bit. `None` for too few bytes.
pub(crate) fn arranged(mut bytes: Vec<u8>, format: &Format, bits_before: usize) -> Option<Vec<u8>> {
    if format.bits_allocated == 1 {
        return unpacked(&bytes, format.frame_samples(), bits_before);
    }
    let length = usize::try_from(format.native_bits() / 8).ok()?;
    if bytes.len() < length {
        return None;
    }
    bytes.truncate(length);
    if format.photometric.is_subsampled() {
        Some(with_own_color(&bytes, format.sample_bytes()))
    } else if format.planes == Planes::Separate && format.samples > 1 {
        Some(interleaved(&bytes, format))
    } else {
        Some(bytes)
    }
}

/// One byte for each bit, the lowest first (PS3.5 §8.1.1).
fn unpacked(bytes: &[u8], count: usize, bits_before: usize) -> Option<Vec<u8>> {
    if bytes.len().saturating_mul(8) < bits_before + count {
        return None;
    }
    let bit = |at: usize| bytes[at / 8] >> (at % 8) & 1;
    Some((bits_before..bits_before + count).map(bit).collect())
}

/// Y1 Y2 B R becomes Y1 B R Y2 B R (PS3.3 §C.7.6.3.1.2).
fn with_own_color(bytes: &[u8], sample_bytes: usize) -> Vec<u8> {
    let mut samples = Vec::with_capacity(bytes.len() / 2 * 3);
    for pair in bytes.chunks_exact(4 * sample_bytes) {
        let (luminance, color) = pair.split_at(2 * sample_bytes);
        for y in luminance.chunks_exact(sample_bytes) {
            samples.extend_from_slice(y);
            samples.extend_from_slice(color);
        }
    }
    samples
}

/// Three planes become pixels.
fn interleaved(bytes: &[u8], format: &Format) -> Vec<u8> {
    let width = format.sample_bytes();
    let mut samples = vec![0; bytes.len()];
    for (color, plane) in bytes.chunks_exact(format.frame_pixels() * width).enumerate() {
        let places = samples.chunks_exact_mut(width).skip(color).step_by(format.samples);
        places.zip(plane.chunks_exact(width)).for_each(|(to, from)| to.copy_from_slice(from));
    }
    samples
}

/// Bytes in front of File Meta Information: preamble and `DICM` (PS3.10 §7.1).
const PREAMBLE_BYTES: u64 = 132;

/// Pixels of all frames that are kept after they were inflated, in bytes. More are too-large.
const INFLATED_MAX: u64 = 1 << 30;

/// The samples of a frame out of a data set that is deflated as a whole (PS3.5 §A.5).
///
/// It can be inflated from its start only: several frames are inflated at once, and kept.
pub(crate) fn read_deflated(wanted: &Wanted<'_>) -> Result<Vec<u8>, Unsuitable> {
    check_declared(wanted)?;
    let place = Place::of(wanted, ByteOrder::Little);
    if wanted.instance.frame_count == 1 {
        let bytes = inflate_frames(wanted)?;
        let found = bytes.len() as u64;
        return place.samples(bytes, found, wanted);
    }
    let all_bytes = frames_bytes(wanted);
    if all_bytes > INFLATED_MAX {
        let detail = format!("{all_bytes} bytes of deflated pixels, {INFLATED_MAX} are allowed");
        return Err(wanted.fault(UnsuitableCode::TooLarge, &detail));
    }
    let all = found::inflated(wanted.instance, || inflate_frames(wanted))?;
    place.samples(place.within(&all).to_vec(), all.len() as u64, wanted)
}

/// All frames, as far as they are there. What is in front of them is inflated and dropped.
fn inflate_frames(wanted: &Wanted<'_>) -> Result<Vec<u8>, Unsuitable> {
    let mut file = BufReader::new(wanted.open()?);
    let mut frames = Vec::new();
    let read = seek_data_set(&mut file).and_then(|()| {
        let mut inflated = DeflateDecoder::new(file);
        // Offsets of a deflated data set count its bytes after inflating.
        copy(&mut inflated.by_ref().take(wanted.at.offset), &mut sink())?;
        inflated.take(frames_bytes(wanted)).read_to_end(&mut frames)
    });
    read.map_err(|error| wanted.unreadable(&error))?;
    Ok(frames)
}

/// Bytes of all frames, uncompressed.
fn frames_bytes(wanted: &Wanted<'_>) -> u64 {
    wanted.format.native_bits().saturating_mul(wanted.instance.frame_count as u64).div_ceil(8)
}

/// Goes to the data set: behind File Meta Information, whose length is its first element (PS3.10 §7.1).
fn seek_data_set(file: &mut BufReader<File>) -> std::io::Result<()> {
    let mut group_length = [0; 12];
    file.seek(SeekFrom::Start(PREAMBLE_BYTES))?;
    file.read_exact(&mut group_length)?;
    let [2, 0, 0, 0, b'U', b'L', 4, 0, l0, l1, l2, l3] = group_length else {
        return Err(std::io::Error::other("no File Meta Information Group Length"));
    };
    file.seek_relative(i64::from(u32::from_le_bytes([l0, l1, l2, l3])))
}

/// Reads until `buffer` is full or the input ends; returns the number of bytes.
pub(crate) fn read_up_to(input: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut found = 0;
    while found < buffer.len() {
        match input.read(&mut buffer[found..]) {
            Ok(0) => break,
            Ok(count) => found += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

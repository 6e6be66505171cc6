//! Uncompressed frames (PS3.5 §8.1.1, §A.1 to §A.5).

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, copy, sink};

use dataset::Vr;
use domain::{Unsuitable, UnsuitableCode};
use flate2::read::DeflateDecoder;

use crate::frame::Wanted;
use crate::syntax::ByteOrder;

/// Checks that the declared length holds the wanted frame.
pub(crate) fn check_declared(wanted: &Wanted<'_>) -> Result<(), Unsuitable> {
    let Some(length) = wanted.at.length else {
        let detail = "uncompressed Pixel Data of undefined length";
        return Err(wanted.fault(UnsuitableCode::Unreadable, detail));
    };
    let frames = wanted.instance.frame_count as u64;
    let expected = (wanted.format.frame_bytes() as u64).saturating_mul(frames);
    if length < expected { Err(wanted.truncated(expected, length)) } else { Ok(()) }
}

/// The samples of a frame in little-endian order; reads only them.
pub(crate) fn read(wanted: &Wanted<'_>, order: ByteOrder) -> Result<Vec<u8>, Unsuitable> {
    check_declared(wanted)?;
    let mut file = wanted.open()?;
    let (start, length) = range(wanted, order);
    let from = wanted.at.offset.saturating_add(start);
    file.seek(SeekFrom::Start(from)).map_err(|error| wanted.unreadable(&error))?;
    let mut samples = vec![0; length];
    let found = read_up_to(&mut file, &mut samples).map_err(|error| wanted.unreadable(&error))?;
    if found < length {
        return Err(wanted.truncated(start + length as u64, start + found as u64));
    }
    Ok(in_order(samples, wanted, order))
}

/// First byte and number of bytes of the frame within the value.
fn range(wanted: &Wanted<'_>, order: ByteOrder) -> (u64, usize) {
    let length = wanted.format.frame_bytes();
    let start = (length as u64).saturating_mul(wanted.frame_index as u64);
    if is_swapped_by_word(wanted, order) {
        // Two samples share a word: a frame may begin or end in the middle of one.
        (start & !1, (odd_start(wanted) + length).next_multiple_of(2))
    } else {
        (start, length)
    }
}

/// 8-bit samples in the words of an OW value are swapped with them (PS3.5 §8.1.1).
fn is_swapped_by_word(wanted: &Wanted<'_>, order: ByteOrder) -> bool {
    order == ByteOrder::Big && wanted.format.sample_bytes == 1 && wanted.at.vr == Vr::OW
}

/// 1 when a frame of 8-bit samples begins in the middle of a word.
fn odd_start(wanted: &Wanted<'_>) -> usize {
    wanted.format.frame_bytes() % 2 * (wanted.frame_index % 2)
}

fn in_order(mut samples: Vec<u8>, wanted: &Wanted<'_>, order: ByteOrder) -> Vec<u8> {
    if is_swapped_by_word(wanted, order) {
        samples.as_chunks_mut::<2>().0.iter_mut().for_each(|word| word.reverse());
        samples.drain(..odd_start(wanted));
        samples.truncate(wanted.format.frame_bytes());
    } else if order == ByteOrder::Big {
        samples.chunks_exact_mut(wanted.format.sample_bytes).for_each(<[u8]>::reverse);
    }
    samples
}

/// Bytes in front of File Meta Information: preamble and `DICM` (PS3.10 §7.1).
const PREAMBLE_BYTES: u64 = 132;

/// The samples of a frame out of a data set that is deflated as a whole (PS3.5 §A.5).
///
/// All in front of it is inflated and dropped, so memory stays that of one frame.
pub(crate) fn read_deflated(wanted: &Wanted<'_>) -> Result<Vec<u8>, Unsuitable> {
    check_declared(wanted)?;
    let mut file = BufReader::new(wanted.open()?);
    let (start, length) = range(wanted, ByteOrder::Little);
    let mut samples = vec![0; length];
    let found = seek_data_set(&mut file)
        .and_then(|()| {
            let mut inflated = DeflateDecoder::new(file);
            // Offsets of a deflated data set count its bytes after inflating.
            copy(&mut inflated.by_ref().take(wanted.at.offset + start), &mut sink())?;
            read_up_to(&mut inflated, &mut samples)
        })
        .map_err(|error| wanted.unreadable(&error))?;
    if found < length {
        return Err(wanted.truncated(start + length as u64, start + found as u64));
    }
    Ok(samples)
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

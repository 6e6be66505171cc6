//! Results in other transfer syntaxes than the one they are written in: what a destination takes, losslessly.
//!
//! | transfer syntax | of |
//! |---|---|
//! | Explicit VR Little Endian | everything; as written |
//! | Implicit VR Little Endian | everything that is not encapsulated |
//! | Deflated Explicit VR Little Endian | everything (PS3.5 §A.5) |
//! | RLE Lossless | images of 8 or 16 bits (PS3.5 Annex G) |
//! | Deflated Image Frame Compression | images of one sample a pixel (PS3.5 §A.4.13) |

mod deflate;
mod encapsulate;
mod rle;

use dataset::{
    DataSet, Encoding, End, ReadLimits, encode, encode_implicit, file_meta_bytes, read_prefix,
};
use dicom_dictionary_std::uids;
use domain::TransferSyntaxUid;
use rayon::prelude::*;
use thiserror::Error;

use crate::tags;

use deflate::deflate;
use encapsulate::encapsulated;

/// Bounds on reading our own files back.
const LIMITS: ReadLimits =
    ReadLimits { bytes_max: usize::MAX, depth_max: 32, value_bytes_max: 256 << 20 };

/// Where the group length of file meta information is in a file, and how long it is: 132 bytes, then an element of 12.
const META_END: usize = 144;

/// Why a result cannot be written in another transfer syntax.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecodeError {
    /// The file is none of ours.
    #[error("not a result in Explicit VR Little Endian")]
    Foreign,
    /// This kind of object has no form in that transfer syntax.
    #[error("a result of this kind cannot be written in {0}")]
    Unsupported(TransferSyntaxUid),
}

/// Whether results of a SOP class and this number of bits a pixel can be written in a transfer syntax. `bits` is `None` for
/// what has no pixels.
#[must_use]
pub fn can_recode(to: &TransferSyntaxUid, bits: Option<u16>) -> bool {
    match Syntax::of(to) {
        Some(Syntax::Explicit | Syntax::Implicit | Syntax::Deflated) => true,
        Some(Syntax::Rle) => matches!(bits, Some(8 | 16)),
        Some(Syntax::DeflatedFrames) => bits.is_some(),
        None => false,
    }
}

/// A result file's data set, without file meta information, in another transfer syntax.
///
/// # Errors
/// [`RecodeError`]: the file is not one that [`crate::write()`] made, or has no form in `to`.
pub fn recode_data_set(file: &[u8], to: &TransferSyntaxUid) -> Result<Vec<u8>, RecodeError> {
    let unsupported = || RecodeError::Unsupported(to.clone());
    let data_set = &file[data_set_offset(file).ok_or(RecodeError::Foreign)?..];
    let syntax = Syntax::of(to).ok_or_else(unsupported)?;
    let is_image = || Image::read(data_set).ok_or(RecodeError::Foreign);
    match syntax {
        Syntax::Explicit => Ok(data_set.to_vec()),
        Syntax::Deflated => Ok(deflate(data_set)),
        Syntax::Implicit => Ok(is_image()?.implicit()),
        Syntax::Rle => is_image()?.rle().ok_or_else(unsupported),
        Syntax::DeflatedFrames => is_image()?.deflated_frames().ok_or_else(unsupported),
    }
}

/// The whole file (PS3.10) in another transfer syntax.
///
/// # Errors
/// Those of [`recode_data_set`].
pub fn recode_file(
    result: &crate::ResultInstance,
    to: &TransferSyntaxUid,
) -> Result<Vec<u8>, RecodeError> {
    let data_set = recode_data_set(&result.file, to)?;
    let mut identity = result.identity.clone();
    identity.transfer_syntax = to.clone();
    let mut file = file_meta_bytes(&dataset::FileMeta::of(&identity));
    file.extend_from_slice(&data_set);
    Ok(file)
}

fn data_set_offset(file: &[u8]) -> Option<usize> {
    let length = file.get(META_END - 4..META_END)?.try_into().ok()?;
    let is_ours = file.get(128..132) == Some(b"DICM");
    let offset = META_END.checked_add(usize::try_from(u32::from_le_bytes(length)).ok()?)?;
    (is_ours && offset <= file.len()).then_some(offset)
}

/// The transfer syntaxes that results can leave in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Syntax {
    Explicit,
    Implicit,
    Deflated,
    Rle,
    DeflatedFrames,
}

impl Syntax {
    fn of(uid: &TransferSyntaxUid) -> Option<Self> {
        match uid.as_str() {
            uids::EXPLICIT_VR_LITTLE_ENDIAN => Some(Self::Explicit),
            uids::IMPLICIT_VR_LITTLE_ENDIAN => Some(Self::Implicit),
            uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN => Some(Self::Deflated),
            uids::RLE_LOSSLESS => Some(Self::Rle),
            uids::DEFLATED_IMAGE_FRAME_COMPRESSION => Some(Self::DeflatedFrames),
            _ => None,
        }
    }
}

/// A result read back: its data set, and its pixels where it has any.
struct Image<'a> {
    data_set: DataSet,
    pixels: Option<&'a [u8]>,
}

impl<'a> Image<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let prefix =
            read_prefix(bytes, Encoding::ExplicitLittle, tags::PIXEL_DATA, &LIMITS).ok()?;
        let pixels = match prefix.end {
            // Behind tag, VR, two reserved bytes and length: Pixel Data is the last attribute of what we write.
            End::Stopped { offset } => Some(bytes.get(offset + 12..)?),
            End::Exhausted => None,
            End::Cut => return None,
        };
        Some(Self { data_set: prefix.data_set, pixels })
    }

    fn number(&self, tag: domain::Tag) -> usize {
        self.data_set.int(tag).and_then(|n| usize::try_from(n).ok()).unwrap_or(1)
    }

    fn implicit(mut self) -> Vec<u8> {
        let pixels = self.pixels.map(<[u8]>::to_vec);
        if let Some(pixels) = pixels {
            // Pixel Data is OW in Implicit VR (PS3.5 §A.1); the bytes are the same.
            self.data_set.put_bytes(tags::PIXEL_DATA, dataset::Vr::OW, pixels);
        }
        encode_implicit(&self.data_set)
    }

    /// Bits of a frame, samples together.
    fn frame_bits(&self) -> usize {
        let pixels = self.number(tags::ROWS) * self.number(tags::COLUMNS);
        pixels * self.number(tags::SAMPLES_PER_PIXEL) * self.number(tags::BITS_ALLOCATED)
    }

    fn frame_count(&self) -> usize {
        self.number(tags::NUMBER_OF_FRAMES)
    }

    /// The frames as they lie, each from a byte on: frames of bits are shifted to one.
    fn frames(&self) -> Option<Vec<std::borrow::Cow<'a, [u8]>>> {
        let (bits, pixels) = (self.frame_bits(), self.pixels?);
        (0..self.frame_count()).map(|frame| bits_at(pixels, frame * bits, bits)).collect()
    }

    fn rle(&self) -> Option<Vec<u8>> {
        let bytes = match self.number(tags::BITS_ALLOCATED) {
            8 => 1,
            16 => 2,
            _ => return None,
        };
        let segments = bytes * self.number(tags::SAMPLES_PER_PIXEL);
        let frames = self.frames()?;
        let columns = self.number(tags::COLUMNS);
        let coded = frames.par_iter().map(|frame| rle::frame(frame, segments, columns)).collect();
        Some(self.encapsulated(coded))
    }

    fn deflated_frames(&self) -> Option<Vec<u8>> {
        if self.number(tags::SAMPLES_PER_PIXEL) != 1 {
            return None;
        }
        let coded = self.frames()?.par_iter().map(|frame| deflate(frame)).collect();
        Some(self.encapsulated(coded))
    }

    fn encapsulated(&self, frames: Vec<Vec<u8>>) -> Vec<u8> {
        let mut bytes = encode(&self.data_set);
        encapsulated(frames, &mut bytes);
        bytes
    }
}

/// `count` bits from bit `first` on, the first in bit 0; borrowed where they begin at a byte and end at one.
fn bits_at(bytes: &[u8], first: usize, count: usize) -> Option<std::borrow::Cow<'_, [u8]>> {
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

    #[test]
    fn what_is_none_of_ours_is_refused() {
        let to = TransferSyntaxUid::parse(uids::IMPLICIT_VR_LITTLE_ENDIAN).unwrap();
        assert_eq!(recode_data_set(b"DICM", &to), Err(RecodeError::Foreign));
        assert_eq!(recode_data_set(&[0; 400], &to), Err(RecodeError::Foreign));
    }
}

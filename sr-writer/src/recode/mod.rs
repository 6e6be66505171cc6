//! Results in other transfer syntaxes than the one they are written in, which is Explicit VR Little Endian or, for LABELMAP, RLE
//! Lossless: what a destination takes, losslessly.
//!
//! | transfer syntax | of |
//! |---|---|
//! | Explicit VR Little Endian | everything |
//! | Implicit VR Little Endian | everything |
//! | Deflated Explicit VR Little Endian | everything (PS3.5 §A.5) |
//! | RLE Lossless | images of 8 or 16 bits (PS3.5 Annex G) |
//! | Deflated Image Frame Compression | images of one sample a pixel (PS3.5 §A.4.13) |

mod deflate;
mod encapsulate;
mod image;
pub(crate) mod rle;

use std::borrow::Cow;
use std::collections::BTreeMap;

use dataset::file_meta_bytes;
use dicom_dictionary_std::uids;
use domain::TransferSyntaxUid;
use thiserror::Error;

use deflate::deflate;
pub(crate) use encapsulate::encapsulated;
use image::Image;

/// Where the group length of file meta information is in a file, and how long it is: 132 bytes, then an element of 12.
const META_END: usize = 144;

/// Why a result cannot be written in another transfer syntax.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecodeError {
    /// The file is none of ours.
    #[error("not a result in Explicit VR Little Endian or RLE Lossless")]
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
    let result = Image::read(data_set).ok_or(RecodeError::Foreign)?;
    match syntax {
        Syntax::Explicit => result.explicit().map(Cow::into_owned).ok_or(RecodeError::Foreign),
        Syntax::Deflated => result.explicit().map(|set| deflate(&set)).ok_or(RecodeError::Foreign),
        Syntax::Implicit => result.implicit().ok_or(RecodeError::Foreign),
        Syntax::Rle => result.rle().ok_or_else(unsupported),
        Syntax::DeflatedFrames => result.deflated_frames().ok_or_else(unsupported),
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

/// In how many frames each value occurs, of a label map in Explicit VR Little Endian or RLE Lossless; `None` of all else.
pub(crate) fn frames_of_values(file: &[u8]) -> Option<BTreeMap<i64, usize>> {
    Image::read(&file[data_set_offset(file)?..])?.frames_of_values()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_none_of_ours_is_refused() {
        let to = TransferSyntaxUid::parse(uids::IMPLICIT_VR_LITTLE_ENDIAN).unwrap();
        assert_eq!(recode_data_set(b"DICM", &to), Err(RecodeError::Foreign));
        assert_eq!(recode_data_set(&[0; 400], &to), Err(RecodeError::Foreign));
    }
}

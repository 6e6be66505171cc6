//! Files of results, shown to people.

use dataset::{DataSet, Encoding, ReadLimits, read_prefix};
use dicom_dictionary_std::uids::{LABEL_MAP_SEGMENTATION_STORAGE, SEGMENTATION_STORAGE};
use domain::{TransferSyntaxUid, UidError};
use thiserror::Error;

use crate::table::table;
use crate::{recode, segments_table, tags, tree};

/// Sequence nesting of a file that is shown.
const DEPTH_MAX: usize = 64;

/// Why a file cannot be shown.
#[derive(Debug, Error)]
pub enum ShowError {
    /// There is no `DICM` behind a preamble (PS3.10 §7.1).
    #[error("not a DICOM file")]
    NotDicom,
    /// File Meta Information is cut off or has no transfer syntax.
    #[error("File Meta Information cannot be read: {0}")]
    Meta(String),
    /// The data set cannot be parsed.
    #[error("the data set cannot be read: {0}")]
    DataSet(String),
    /// Neither segments nor a content tree.
    #[error("neither a segmentation nor a structured report: SOP Class {0}")]
    NoResult(String),
}

/// A whole DICOM file as text: a Segmentation by [`segments_table`], a structured report by [`tree()`].
///
/// Of label maps in Explicit VR Little Endian or RLE Lossless, the pixels say how many frames show each segment.
///
/// # Errors
/// [`ShowError`] when the bytes are no DICOM file, cannot be parsed or are of another kind.
pub fn show(file: &[u8]) -> Result<String, ShowError> {
    let set = read(file)?;
    let sop_class = set.text(tags::SOP_CLASS_UID).unwrap_or_default();
    if [SEGMENTATION_STORAGE, LABEL_MAP_SEGMENTATION_STORAGE].contains(&sop_class.as_str()) {
        let counts = recode::frames_of_values(file);
        Ok(counts.map_or_else(|| segments_table(&set), |counts| table(&set, &Some(counts))))
    } else if set.contains(tags::VALUE_TYPE) {
        Ok(tree(&set))
    } else {
        Err(ShowError::NoResult(sop_class))
    }
}

fn read(file: &[u8]) -> Result<DataSet, ShowError> {
    let (meta, rest) = split_meta(file)?;
    let limits = ReadLimits {
        bytes_max: usize::MAX,
        depth_max: DEPTH_MAX,
        elements_max: usize::MAX,
        // Pixels are not read; nothing else in a result is longer than this.
        value_bytes_max: 1 << 20,
    };
    let prefix = read_prefix(meta, Encoding::ExplicitLittle, tags::PIXEL_DATA, &limits)
        .map_err(|error| ShowError::Meta(error.to_string()))?;
    let syntax = prefix.data_set.text(tags::TRANSFER_SYNTAX_UID).unwrap_or_default();
    let syntax = TransferSyntaxUid::parse(&syntax)
        .map_err(|error: UidError| ShowError::Meta(format!("Transfer Syntax UID: {error}")))?;
    let prefix = read_prefix(rest, Encoding::of(&syntax), tags::PIXEL_DATA, &limits)
        .map_err(|error| ShowError::DataSet(error.to_string()))?;
    Ok(prefix.data_set)
}

/// Group 0002 behind its length, and the data set (PS3.10 §7.1).
fn split_meta(file: &[u8]) -> Result<(&[u8], &[u8]), ShowError> {
    /// Tag, VR and length of File Meta Information Group Length (0002,0000), UL, 4 bytes.
    const GROUP_LENGTH: [u8; 8] = [2, 0, 0, 0, b'U', b'L', 4, 0];
    if file.get(128..132) != Some(b"DICM".as_slice()) {
        return Err(ShowError::NotDicom);
    }
    let cut = || ShowError::Meta("no group length, or the file ends in it".into());
    let group =
        file.get(132..).and_then(|group| group.strip_prefix(&GROUP_LENGTH)).ok_or_else(cut)?;
    let (length, group) = group.split_first_chunk::<4>().ok_or_else(cut)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| cut())?;
    group.split_at_checked(length).ok_or_else(cut)
}

//! What destinations want of results, as written → resolved.

use dicom_dictionary_std::uids;
use domain::{Companions, SegmentationKind, TransferSyntaxUid, UidError, Wishes};

use crate::written::{Companion, Destination, Segmentation, TransferSyntax};

/// The wishes of one destination.
///
/// # Errors
/// None, as long as the UIDs of the dictionary are UIDs.
pub(crate) fn wishes(written: &Destination) -> Result<Wishes, UidError> {
    let kind = |kind: &Segmentation| match kind {
        Segmentation::Binary => SegmentationKind::Binary,
        Segmentation::Fractional => SegmentationKind::Fractional,
        Segmentation::Labelmap => SegmentationKind::Labelmap,
    };
    let syntaxes = written.transfer_syntaxes.iter().map(|syntax| transfer_syntax(*syntax));
    Ok(Wishes {
        kinds: written.segmentation.iter().map(kind).collect(),
        frames_max: written.frames_max,
        keep_empty_frames: written.keep_empty_frames,
        companions: Companions {
            key_objects: written.companions.contains(&Companion::KeyObjects),
            secondary_capture: written.companions.contains(&Companion::SecondaryCapture),
            presentation_state: written.companions.contains(&Companion::PresentationState),
            rejection_note: written.companions.contains(&Companion::RejectionNote),
        },
        transfer_syntaxes: syntaxes.collect::<Result<_, _>>()?,
    })
}

fn transfer_syntax(syntax: TransferSyntax) -> Result<TransferSyntaxUid, UidError> {
    TransferSyntaxUid::parse(match syntax {
        TransferSyntax::Explicit => uids::EXPLICIT_VR_LITTLE_ENDIAN,
        TransferSyntax::Implicit => uids::IMPLICIT_VR_LITTLE_ENDIAN,
        TransferSyntax::Deflated => uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
        TransferSyntax::DeflatedFrames => uids::DEFLATED_IMAGE_FRAME_COMPRESSION,
        TransferSyntax::Rle => uids::RLE_LOSSLESS,
    })
}

//! Which SOP classes and transfer syntaxes are taken: what can be stored as received and found again by its study.

use dicom_core::dictionary::UidDictionary;
use dicom_dictionary_std::StandardSopClassDictionary;
use dicom_dictionary_std::uids;

/// The root of all UIDs of the DICOM standard.
const DICOM: &str = "1.2.840.10008.";
/// The arc of the composite storage SOP classes.
const STORAGE: &str = "1.2.840.10008.5.1.4.1.1.";
/// The arc of the transfer syntaxes with compressed Pixel Data (PS3.5 §A.4).
const COMPRESSED: &str = "1.2.840.10008.1.2.4.";

/// Explicit VR Big Endian, retired.
const EXPLICIT_VR_BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

/// Storage without a study: such instances have no Study Instance UID, and no place in the spool.
const WITHOUT_STUDY: [&str; 10] = [
    uids::MEDIA_STORAGE_DIRECTORY_STORAGE,
    uids::CT_DEFINED_PROCEDURE_PROTOCOL_STORAGE,
    uids::XA_DEFINED_PROCEDURE_PROTOCOL_STORAGE,
    uids::PROTOCOL_APPROVAL_STORAGE,
    uids::INVENTORY_STORAGE,
    uids::HANGING_PROTOCOL_STORAGE,
    uids::COLOR_PALETTE_STORAGE,
    uids::GENERIC_IMPLANT_TEMPLATE_STORAGE,
    uids::IMPLANT_ASSEMBLY_TEMPLATE_STORAGE,
    uids::IMPLANT_TEMPLATE_GROUP_STORAGE,
];

/// Transfer syntaxes of the compressed arc whose Pixel Data is elsewhere: there is nothing to store (PS3.5 §A.6).
const BY_REFERENCE: [&str; 4] = [
    "1.2.840.10008.1.2.4.94",
    "1.2.840.10008.1.2.4.95",
    "1.2.840.10008.1.2.4.204",
    "1.2.840.10008.1.2.4.205",
];

/// Is this a Storage SOP Class whose instances belong to a study?
///
/// Classes of the standard are known by name, or, when they are newer than the dictionary, by their arc. Private
/// classes are taken on trust: a modality sends them along with its images.
pub(crate) fn is_storage(sop_class: &str) -> bool {
    if !sop_class.starts_with(DICOM) {
        return domain::SopClassUid::parse(sop_class).is_ok();
    }
    let entry = StandardSopClassDictionary.by_uid(sop_class);
    match entry {
        Some(entry) => entry.name.contains("Storage") && !is_other_storage(sop_class),
        None => sop_class.starts_with(STORAGE),
    }
}

fn is_other_storage(sop_class: &str) -> bool {
    let commitment = [
        uids::STORAGE_COMMITMENT_PUSH_MODEL,
        "1.2.840.10008.1.20.2",   // Storage Commitment Pull Model, retired
        "1.2.840.10008.5.1.1.27", // Stored Print Storage, retired
    ];
    commitment.contains(&sop_class) || WITHOUT_STUDY.contains(&sop_class)
}

/// Can a data set in this transfer syntax be looked into and stored as received?
pub(crate) fn is_storable_as(transfer_syntax: &str) -> bool {
    let plain = [
        uids::IMPLICIT_VR_LITTLE_ENDIAN,
        uids::EXPLICIT_VR_LITTLE_ENDIAN,
        EXPLICIT_VR_BIG_ENDIAN,
        uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
        uids::ENCAPSULATED_UNCOMPRESSED_EXPLICIT_VR_LITTLE_ENDIAN,
        uids::RLE_LOSSLESS,
        uids::DEFLATED_IMAGE_FRAME_COMPRESSION,
    ];
    let compressed =
        transfer_syntax.starts_with(COMPRESSED) && !BY_REFERENCE.contains(&transfer_syntax);
    plain.contains(&transfer_syntax) || compressed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_documents_and_what_is_not_yet_in_the_dictionary() {
        for uid in [
            uids::CT_IMAGE_STORAGE,
            uids::ENHANCED_MR_IMAGE_STORAGE,
            uids::SEGMENTATION_STORAGE,
            "1.2.840.10008.5.1.4.1.1.66.7", // Label Map Segmentation
            uids::COMPREHENSIVE3_DSR_STORAGE,
            uids::KEY_OBJECT_SELECTION_DOCUMENT_STORAGE,
            uids::ENCAPSULATED_PDF_STORAGE,
            uids::RAW_DATA_STORAGE,
            uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PROCESSING,
            uids::RT_BEAMS_DELIVERY_INSTRUCTION_STORAGE,
            uids::CT_PERFORMED_PROCEDURE_PROTOCOL_STORAGE,
            "1.2.840.10008.5.1.4.1.1.999.1", // of a future edition
            "1.3.12.2.1107.5.9.1",           // private: CSA Non-Image
        ] {
            assert!(is_storage(uid), "{uid}");
        }
    }

    #[test]
    fn what_is_no_storage_or_has_no_study() {
        for uid in [
            uids::VERIFICATION,
            uids::STORAGE_COMMITMENT_PUSH_MODEL,
            uids::STUDY_ROOT_QUERY_RETRIEVE_INFORMATION_MODEL_FIND,
            uids::MODALITY_WORKLIST_INFORMATION_MODEL_FIND,
            uids::INVENTORY_FIND,
            uids::HANGING_PROTOCOL_STORAGE,
            "1.2.840.10008.5.1.4.99",
            "not a uid",
            "",
        ] {
            assert!(!is_storage(uid), "{uid}");
        }
    }

    #[test]
    fn transfer_syntaxes() {
        for uid in [
            uids::IMPLICIT_VR_LITTLE_ENDIAN,
            EXPLICIT_VR_BIG_ENDIAN,
            uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
            uids::JPEG_BASELINE8_BIT,
            uids::JPEG2000_LOSSLESS,
            uids::HTJ2K,
            uids::JPEGXL,
            uids::RLE_LOSSLESS,
        ] {
            assert!(is_storable_as(uid), "{uid}");
        }
        for uid in [uids::JPIP_REFERENCED, "1.2.840.10008.1.2.7.1", "1.2.840.113619.5.2", ""] {
            assert!(!is_storable_as(uid), "{uid}");
        }
    }
}

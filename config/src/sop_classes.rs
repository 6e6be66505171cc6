//! SOP Classes as they are written: a UID, a keyword of PS3.6, or the name of a group.

use dicom_core::dictionary::UidDictionary;
use dicom_dictionary_std::StandardSopClassDictionary;
use domain::SopClassUid;

/// Groups, and the keywords of what is in them.
const GROUPS: [(&str, &[&str]); 13] = [
    ("ct", &["CTImageStorage", "EnhancedCTImageStorage", "LegacyConvertedEnhancedCTImageStorage"]),
    (
        "mr",
        &[
            "MRImageStorage",
            "EnhancedMRImageStorage",
            "EnhancedMRColorImageStorage",
            "LegacyConvertedEnhancedMRImageStorage",
        ],
    ),
    (
        "pet",
        &[
            "PositronEmissionTomographyImageStorage",
            "EnhancedPETImageStorage",
            "LegacyConvertedEnhancedPETImageStorage",
        ],
    ),
    ("nm", &["NuclearMedicineImageStorage"]),
    (
        "us",
        &["UltrasoundImageStorage", "UltrasoundMultiFrameImageStorage", "EnhancedUSVolumeStorage"],
    ),
    (
        "xray",
        &[
            "ComputedRadiographyImageStorage",
            "DigitalXRayImageStorageForPresentation",
            "DigitalXRayImageStorageForProcessing",
            "XRayAngiographicImageStorage",
            "EnhancedXAImageStorage",
            "XRayRadiofluoroscopicImageStorage",
            "EnhancedXRFImageStorage",
            "XRay3DAngiographicImageStorage",
        ],
    ),
    (
        "mammography",
        &[
            "DigitalMammographyXRayImageStorageForPresentation",
            "DigitalMammographyXRayImageStorageForProcessing",
            "BreastTomosynthesisImageStorage",
            "BreastProjectionXRayImageStorageForPresentation",
            "BreastProjectionXRayImageStorageForProcessing",
        ],
    ),
    (
        "visible-light",
        &[
            "VLEndoscopicImageStorage",
            "VLMicroscopicImageStorage",
            "VLSlideCoordinatesMicroscopicImageStorage",
            "VLPhotographicImageStorage",
            "VLWholeSlideMicroscopyImageStorage",
        ],
    ),
    (
        "ophthalmic",
        &[
            "OphthalmicPhotography8BitImageStorage",
            "OphthalmicPhotography16BitImageStorage",
            "OphthalmicTomographyImageStorage",
        ],
    ),
    (
        "secondary-capture",
        &[
            "SecondaryCaptureImageStorage",
            "MultiFrameSingleBitSecondaryCaptureImageStorage",
            "MultiFrameGrayscaleByteSecondaryCaptureImageStorage",
            "MultiFrameGrayscaleWordSecondaryCaptureImageStorage",
            "MultiFrameTrueColorSecondaryCaptureImageStorage",
        ],
    ),
    ("segmentation", &["SegmentationStorage", "SurfaceSegmentationStorage"]),
    (
        "report",
        &[
            "BasicTextSRStorage",
            "EnhancedSRStorage",
            "ComprehensiveSRStorage",
            "Comprehensive3DSRStorage",
            "KeyObjectSelectionDocumentStorage",
        ],
    ),
    ("rt", &["RTImageStorage", "RTDoseStorage", "RTStructureSetStorage", "RTPlanStorage"]),
];

/// The SOP Classes of one entry of a list.
///
/// # Errors
/// When it is no UID, no keyword and no group.
pub(crate) fn sop_classes(written: &str) -> Result<Vec<SopClassUid>, String> {
    if let Some((_, keywords)) = GROUPS.iter().find(|(name, _)| *name == written) {
        return keywords.iter().map(|keyword| by_keyword(keyword)).collect();
    }
    if written.starts_with(|first: char| first.is_ascii_digit()) {
        let uid = SopClassUid::parse(written).map_err(|error| format!("{written:?}: {error}"));
        return Ok(vec![uid?]);
    }
    by_keyword(written).map(|uid| vec![uid])
}

fn by_keyword(keyword: &str) -> Result<SopClassUid, String> {
    let entry = StandardSopClassDictionary.by_keyword(keyword);
    let known = entry.and_then(|entry| SopClassUid::parse(entry.uid).ok());
    known.ok_or_else(|| {
        let groups: Vec<_> = GROUPS.iter().map(|(name, _)| *name).collect();
        format!(
            "{keyword:?} is no UID, no keyword of a SOP Class, and none of {}",
            groups.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_has_what_its_keywords_say() {
        for (name, keywords) in GROUPS {
            assert_eq!(sop_classes(name).map(|uids| uids.len()), Ok(keywords.len()), "{name}");
        }
    }

    #[test]
    fn uids_and_keywords() {
        let ct = Ok(vec![SopClassUid::parse("1.2.840.10008.5.1.4.1.1.2").unwrap()]);
        assert_eq!(sop_classes("CTImageStorage"), ct);
        assert_eq!(sop_classes("1.2.840.10008.5.1.4.1.1.2"), ct);
        assert!(sop_classes("CTImage").unwrap_err().contains("none of ct, mr"));
        assert!(sop_classes("1.2.x").is_err());
    }
}

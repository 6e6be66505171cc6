//! Segmentation (PS3.3 §A.51).

use dataset::{Vr, tags};

use super::common::{ALGORITHM, CODE, REFERENCE};
use super::frames::{FRAME_GROUPS, SHARED_GROUPS};
use super::{MANY, row};
use crate::module::Attribute;
use crate::module::Inside::{Any, Items, OneOf, Unseen};
use crate::module::Kind::{One, OneC, Three, Two};

/// Segmented Property Type: a code with its modifier (PS3.3 Table C.8.20-4).
pub(crate) const PROPERTY_TYPE: &[Attribute] = &[
    row(tags::CODE_VALUE, "CodeValue", Vr::SH, OneC, Any),
    row(tags::LONG_CODE_VALUE, "LongCodeValue", Vr::UC, OneC, Any),
    row(tags::CODING_SCHEME_DESIGNATOR, "CodingSchemeDesignator", Vr::SH, One, Any),
    row(tags::CODE_MEANING, "CodeMeaning", Vr::LO, One, Any),
    row(
        tags::SEGMENTED_PROPERTY_TYPE_MODIFIER_CODE_SEQUENCE,
        "SegmentedPropertyTypeModifierCodeSequence",
        Vr::SQ,
        Three,
        Items(CODE, 1, 1),
    ),
];

/// A segment (PS3.3 §C.8.20.2). Tracking and algorithm, optional in the standard, are always written by us.
pub(crate) const SEGMENT: &[Attribute] = &[
    row(tags::SEGMENT_NUMBER, "SegmentNumber", Vr::US, One, Any),
    row(tags::SEGMENT_LABEL, "SegmentLabel", Vr::LO, One, Any),
    row(tags::SEGMENT_ALGORITHM_TYPE, "SegmentAlgorithmType", Vr::CS, One, OneOf(&["AUTOMATIC"])),
    row(tags::SEGMENT_ALGORITHM_NAME, "SegmentAlgorithmName", Vr::LO, One, Any),
    row(
        tags::SEGMENTED_PROPERTY_CATEGORY_CODE_SEQUENCE,
        "SegmentedPropertyCategoryCodeSequence",
        Vr::SQ,
        One,
        Items(CODE, 1, 1),
    ),
    row(
        tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE,
        "SegmentedPropertyTypeCodeSequence",
        Vr::SQ,
        One,
        Items(PROPERTY_TYPE, 1, 1),
    ),
    row(tags::ANATOMIC_REGION_SEQUENCE, "AnatomicRegionSequence", Vr::SQ, Three, Items(CODE, 1, 1)),
    row(
        tags::SEGMENTATION_ALGORITHM_IDENTIFICATION_SEQUENCE,
        "SegmentationAlgorithmIdentificationSequence",
        Vr::SQ,
        One,
        Items(ALGORITHM, 1, 1),
    ),
    row(
        tags::RECOMMENDED_DISPLAY_CIE_LAB_VALUE,
        "RecommendedDisplayCIELabValue",
        Vr::US,
        Three,
        Any,
    ),
    row(tags::TRACKING_ID, "TrackingID", Vr::UT, OneC, Any),
    row(tags::TRACKING_UID, "TrackingUID", Vr::UI, OneC, Any),
];

/// A series of Common Instance Reference (PS3.3 §C.12.2).
pub(crate) const SERIES_REFERENCE: &[Attribute] = &[
    row(tags::SERIES_INSTANCE_UID, "SeriesInstanceUID", Vr::UI, One, Any),
    row(
        tags::REFERENCED_INSTANCE_SEQUENCE,
        "ReferencedInstanceSequence",
        Vr::SQ,
        One,
        Items(REFERENCE, 1, MANY),
    ),
];

/// A dimension (PS3.3 §C.7.6.17).
pub(crate) const DIMENSION_INDEX: &[Attribute] = &[
    row(tags::DIMENSION_ORGANIZATION_UID, "DimensionOrganizationUID", Vr::UI, One, Any),
    row(tags::DIMENSION_INDEX_POINTER, "DimensionIndexPointer", Vr::AT, One, Any),
    row(tags::FUNCTIONAL_GROUP_POINTER, "FunctionalGroupPointer", Vr::AT, One, Any),
    row(tags::DIMENSION_DESCRIPTION_LABEL, "DimensionDescriptionLabel", Vr::LO, Three, Any),
];

/// A Dimension Organization.
pub(crate) const ORGANIZATION: &[Attribute] =
    &[row(tags::DIMENSION_ORGANIZATION_UID, "DimensionOrganizationUID", Vr::UI, One, Any)];

/// Segmentation (PS3.3 §A.51): what it has beside [`super::COMMON`].
pub(crate) const SEGMENTATION: &[Attribute] = &[
    row(tags::MODALITY, "Modality", Vr::CS, One, OneOf(&["SEG"])),
    row(tags::BODY_PART_EXAMINED, "BodyPartExamined", Vr::CS, Three, Any),
    row(tags::LATERALITY, "Laterality", Vr::CS, OneC, OneOf(&["L", "R"])),
    row(tags::ANATOMICAL_ORIENTATION_TYPE, "AnatomicalOrientationType", Vr::CS, Three, Any),
    row(tags::REQUEST_ATTRIBUTES_SEQUENCE, "RequestAttributesSequence", Vr::SQ, Three, Unseen),
    row(tags::FRAME_OF_REFERENCE_UID, "FrameOfReferenceUID", Vr::UI, OneC, Any),
    row(tags::POSITION_REFERENCE_INDICATOR, "PositionReferenceIndicator", Vr::LO, Three, Any),
    row(tags::PATIENT_ORIENTATION, "PatientOrientation", Vr::CS, Three, Any),
    row(tags::IMAGE_TYPE, "ImageType", Vr::CS, One, OneOf(&["DERIVED\\PRIMARY"])),
    row(tags::CONTENT_LABEL, "ContentLabel", Vr::CS, One, Any),
    row(tags::CONTENT_DESCRIPTION, "ContentDescription", Vr::LO, Two, Any),
    row(tags::CONTENT_CREATOR_NAME, "ContentCreatorName", Vr::PN, Two, Any),
    row(tags::SAMPLES_PER_PIXEL, "SamplesPerPixel", Vr::US, One, OneOf(&["1"])),
    row(
        tags::PHOTOMETRIC_INTERPRETATION,
        "PhotometricInterpretation",
        Vr::CS,
        One,
        OneOf(&["MONOCHROME2"]),
    ),
    row(tags::ROWS, "Rows", Vr::US, One, Any),
    row(tags::COLUMNS, "Columns", Vr::US, One, Any),
    row(tags::BITS_ALLOCATED, "BitsAllocated", Vr::US, One, Any),
    row(tags::BITS_STORED, "BitsStored", Vr::US, One, Any),
    row(tags::HIGH_BIT, "HighBit", Vr::US, One, Any),
    row(tags::PIXEL_REPRESENTATION, "PixelRepresentation", Vr::US, One, OneOf(&["0"])),
    row(tags::PIXEL_PADDING_VALUE, "PixelPaddingValue", Vr::US, OneC, OneOf(&["0"])),
    row(tags::LOSSY_IMAGE_COMPRESSION, "LossyImageCompression", Vr::CS, One, OneOf(&["00", "01"])),
    row(tags::LOSSY_IMAGE_COMPRESSION_RATIO, "LossyImageCompressionRatio", Vr::DS, OneC, Any),
    row(tags::LOSSY_IMAGE_COMPRESSION_METHOD, "LossyImageCompressionMethod", Vr::CS, OneC, Any),
    row(tags::BURNED_IN_ANNOTATION, "BurnedInAnnotation", Vr::CS, One, OneOf(&["NO"])),
    row(
        tags::SEGMENTATION_TYPE,
        "SegmentationType",
        Vr::CS,
        One,
        OneOf(&["BINARY", "FRACTIONAL", "LABELMAP"]),
    ),
    row(
        tags::SEGMENTATION_FRACTIONAL_TYPE,
        "SegmentationFractionalType",
        Vr::CS,
        OneC,
        OneOf(&["PROBABILITY"]),
    ),
    row(tags::MAXIMUM_FRACTIONAL_VALUE, "MaximumFractionalValue", Vr::US, OneC, Any),
    row(tags::SEGMENTS_OVERLAP, "SegmentsOverlap", Vr::CS, One, OneOf(&["YES", "NO"])),
    row(tags::SEGMENT_SEQUENCE, "SegmentSequence", Vr::SQ, One, Items(SEGMENT, 1, MANY)),
    row(
        tags::DIMENSION_ORGANIZATION_SEQUENCE,
        "DimensionOrganizationSequence",
        Vr::SQ,
        One,
        Items(ORGANIZATION, 1, 1),
    ),
    row(
        tags::DIMENSION_INDEX_SEQUENCE,
        "DimensionIndexSequence",
        Vr::SQ,
        One,
        Items(DIMENSION_INDEX, 1, 2),
    ),
    row(
        tags::DIMENSION_ORGANIZATION_TYPE,
        "DimensionOrganizationType",
        Vr::CS,
        Three,
        OneOf(&["3D"]),
    ),
    row(tags::NUMBER_OF_FRAMES, "NumberOfFrames", Vr::IS, One, Any),
    row(
        tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
        "SharedFunctionalGroupsSequence",
        Vr::SQ,
        One,
        Items(SHARED_GROUPS, 1, 1),
    ),
    row(
        tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
        "PerFrameFunctionalGroupsSequence",
        Vr::SQ,
        One,
        Items(FRAME_GROUPS, 1, MANY),
    ),
    row(
        tags::REFERENCED_SERIES_SEQUENCE,
        "ReferencedSeriesSequence",
        Vr::SQ,
        One,
        Items(SERIES_REFERENCE, 1, 1),
    ),
];

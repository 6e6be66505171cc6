//! Functional groups of a Segmentation (PS3.3 §C.7.6.16).

use dataset::{Vr, tags};

use super::common::CODE;
use super::row;
use crate::module::Attribute;
use crate::module::Inside::{Any, Items, OneOf};
use crate::module::Kind::{One, OneC};

/// Source Image of Derivation Image (PS3.3 §C.7.6.16.2.6).
pub(crate) const SOURCE_IMAGE: &[Attribute] = &[
    row(tags::REFERENCED_SOP_CLASS_UID, "ReferencedSOPClassUID", Vr::UI, One, Any),
    row(tags::REFERENCED_SOP_INSTANCE_UID, "ReferencedSOPInstanceUID", Vr::UI, One, Any),
    row(tags::REFERENCED_FRAME_NUMBER, "ReferencedFrameNumber", Vr::IS, OneC, Any),
    row(
        tags::SPATIAL_LOCATIONS_PRESERVED,
        "SpatialLocationsPreserved",
        Vr::CS,
        One,
        OneOf(&["YES"]),
    ),
    row(
        tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE,
        "PurposeOfReferenceCodeSequence",
        Vr::SQ,
        One,
        Items(CODE, 1, 1),
    ),
];

/// Derivation Image.
pub(crate) const DERIVATION: &[Attribute] = &[
    row(tags::DERIVATION_CODE_SEQUENCE, "DerivationCodeSequence", Vr::SQ, One, Items(CODE, 1, 1)),
    row(tags::SOURCE_IMAGE_SEQUENCE, "SourceImageSequence", Vr::SQ, One, Items(SOURCE_IMAGE, 1, 1)),
];

/// Frame Content (PS3.3 §C.7.6.16.2.2).
pub(crate) const FRAME_CONTENT: &[Attribute] = &[
    row(tags::DIMENSION_INDEX_VALUES, "DimensionIndexValues", Vr::UL, One, Any),
    row(tags::TEMPORAL_POSITION_INDEX, "TemporalPositionIndex", Vr::UL, OneC, Any),
];

/// Plane Position (Patient).
pub(crate) const PLANE_POSITION: &[Attribute] =
    &[row(tags::IMAGE_POSITION_PATIENT, "ImagePositionPatient", Vr::DS, One, Any)];

/// Plane Orientation (Patient).
pub(crate) const PLANE_ORIENTATION: &[Attribute] =
    &[row(tags::IMAGE_ORIENTATION_PATIENT, "ImageOrientationPatient", Vr::DS, One, Any)];

/// Pixel Measures.
pub(crate) const PIXEL_MEASURES: &[Attribute] = &[
    row(tags::PIXEL_SPACING, "PixelSpacing", Vr::DS, One, Any),
    row(tags::SLICE_THICKNESS, "SliceThickness", Vr::DS, One, Any),
    row(tags::SPACING_BETWEEN_SLICES, "SpacingBetweenSlices", Vr::DS, OneC, Any),
];

/// Segment Identification (PS3.3 §C.8.20.3.1).
pub(crate) const SEGMENT_IDENTIFICATION: &[Attribute] =
    &[row(tags::REFERENCED_SEGMENT_NUMBER, "ReferencedSegmentNumber", Vr::US, One, Any)];

/// Functional groups of a frame.
pub(crate) const FRAME_GROUPS: &[Attribute] = &[
    row(
        tags::FRAME_CONTENT_SEQUENCE,
        "FrameContentSequence",
        Vr::SQ,
        One,
        Items(FRAME_CONTENT, 1, 1),
    ),
    row(
        tags::PLANE_POSITION_SEQUENCE,
        "PlanePositionSequence",
        Vr::SQ,
        OneC,
        Items(PLANE_POSITION, 1, 1),
    ),
    row(
        tags::DERIVATION_IMAGE_SEQUENCE,
        "DerivationImageSequence",
        Vr::SQ,
        One,
        Items(DERIVATION, 1, 1),
    ),
    row(
        tags::SEGMENT_IDENTIFICATION_SEQUENCE,
        "SegmentIdentificationSequence",
        Vr::SQ,
        OneC,
        Items(SEGMENT_IDENTIFICATION, 1, 1),
    ),
];

/// Functional groups of all frames.
pub(crate) const SHARED_GROUPS: &[Attribute] = &[
    row(
        tags::PIXEL_MEASURES_SEQUENCE,
        "PixelMeasuresSequence",
        Vr::SQ,
        OneC,
        Items(PIXEL_MEASURES, 1, 1),
    ),
    row(
        tags::PLANE_ORIENTATION_SEQUENCE,
        "PlaneOrientationSequence",
        Vr::SQ,
        OneC,
        Items(PLANE_ORIENTATION, 1, 1),
    ),
];

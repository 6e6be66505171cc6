//! Module tables as data (PS3.3, 2026b), as far as our results go: what is not here is a stranger in them. An optional attribute
//! that we always write is as good as required.

use dataset::{Vr, tags};
use domain::Tag;

use crate::module::Inside::{Any, Items, OneOf, Unseen};
use crate::module::Kind::{One, OneC, Three, Two};
use crate::module::{Attribute, Inside, Kind};

/// No bound on items.
const MANY: usize = usize::MAX;

const fn row(tag: Tag, keyword: &'static str, vr: Vr, kind: Kind, inside: Inside) -> Attribute {
    Attribute { tag, keyword, vr, kind, inside }
}

/// A Code Sequence item (PS3.3 Table 8.8-1).
pub(crate) const CODE: &[Attribute] = &[
    row(tags::CODE_VALUE, "CodeValue", Vr::SH, OneC, Any),
    row(tags::LONG_CODE_VALUE, "LongCodeValue", Vr::UC, OneC, Any),
    row(tags::CODING_SCHEME_DESIGNATOR, "CodingSchemeDesignator", Vr::SH, One, Any),
    row(tags::CODE_MEANING, "CodeMeaning", Vr::LO, One, Any),
];

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

/// Algorithm Identification Macro (PS3.3 Table 10-19). Version is type 1.
pub(crate) const ALGORITHM: &[Attribute] = &[
    row(
        tags::ALGORITHM_FAMILY_CODE_SEQUENCE,
        "AlgorithmFamilyCodeSequence",
        Vr::SQ,
        One,
        Items(CODE, 1, 1),
    ),
    row(tags::ALGORITHM_NAME, "AlgorithmName", Vr::LO, One, Any),
    row(tags::ALGORITHM_VERSION, "AlgorithmVersion", Vr::LO, One, Any),
    row(tags::ALGORITHM_SOURCE, "AlgorithmSource", Vr::LO, Three, Any),
    row(tags::ALGORITHM_PARAMETERS, "AlgorithmParameters", Vr::LT, Three, Any),
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

/// Contributing Equipment (PS3.3 §C.12.1): Manufacturer is type 1 here.
pub(crate) const CONTRIBUTOR: &[Attribute] = &[
    row(
        tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE,
        "PurposeOfReferenceCodeSequence",
        Vr::SQ,
        One,
        Items(CODE, 1, 1),
    ),
    row(tags::MANUFACTURER, "Manufacturer", Vr::LO, One, Any),
    row(tags::INSTITUTION_NAME, "InstitutionName", Vr::LO, Three, Any),
    row(tags::INSTITUTION_ADDRESS, "InstitutionAddress", Vr::ST, Three, Any),
    row(tags::STATION_NAME, "StationName", Vr::SH, Three, Any),
    row(tags::INSTITUTIONAL_DEPARTMENT_NAME, "InstitutionalDepartmentName", Vr::LO, Three, Any),
    row(tags::MANUFACTURER_MODEL_NAME, "ManufacturerModelName", Vr::LO, Three, Any),
    row(tags::DEVICE_SERIAL_NUMBER, "DeviceSerialNumber", Vr::LO, Three, Any),
    row(tags::SOFTWARE_VERSIONS, "SoftwareVersions", Vr::LO, Three, Any),
    row(tags::CONTRIBUTION_DATE_TIME, "ContributionDateTime", Vr::DT, Three, Any),
    row(tags::CONTRIBUTION_DESCRIPTION, "ContributionDescription", Vr::ST, Three, Any),
];

/// A reference to an instance (PS3.3 Table 10-11).
pub(crate) const REFERENCE: &[Attribute] = &[
    row(tags::REFERENCED_SOP_CLASS_UID, "ReferencedSOPClassUID", Vr::UI, One, Any),
    row(tags::REFERENCED_SOP_INSTANCE_UID, "ReferencedSOPInstanceUID", Vr::UI, One, Any),
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

/// Modules that every result has: SOP Common, General Series, General and Enhanced General Equipment.
pub(crate) const COMMON: &[Attribute] = &[
    row(tags::SPECIFIC_CHARACTER_SET, "SpecificCharacterSet", Vr::CS, OneC, Any),
    row(tags::TIMEZONE_OFFSET_FROM_UTC, "TimezoneOffsetFromUTC", Vr::SH, Three, Any),
    row(
        tags::LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED,
        "LongitudinalTemporalInformationModified",
        Vr::CS,
        Three,
        Any,
    ),
    row(tags::SOP_CLASS_UID, "SOPClassUID", Vr::UI, One, Any),
    row(tags::SOP_INSTANCE_UID, "SOPInstanceUID", Vr::UI, One, Any),
    row(tags::INSTANCE_CREATION_DATE, "InstanceCreationDate", Vr::DA, Three, Any),
    row(tags::INSTANCE_CREATION_TIME, "InstanceCreationTime", Vr::TM, Three, Any),
    row(tags::CONTENT_QUALIFICATION, "ContentQualification", Vr::CS, One, OneOf(&["RESEARCH"])),
    row(
        tags::CONTRIBUTING_EQUIPMENT_SEQUENCE,
        "ContributingEquipmentSequence",
        Vr::SQ,
        One,
        Items(CONTRIBUTOR, 1, MANY),
    ),
    row(tags::SERIES_INSTANCE_UID, "SeriesInstanceUID", Vr::UI, One, Any),
    row(tags::SERIES_NUMBER, "SeriesNumber", Vr::IS, One, Any),
    row(tags::SERIES_DATE, "SeriesDate", Vr::DA, Three, Any),
    row(tags::SERIES_TIME, "SeriesTime", Vr::TM, Three, Any),
    row(tags::SERIES_DESCRIPTION, "SeriesDescription", Vr::LO, One, Any),
    row(tags::STUDY_INSTANCE_UID, "StudyInstanceUID", Vr::UI, One, Any),
    row(tags::INSTANCE_NUMBER, "InstanceNumber", Vr::IS, One, Any),
    row(tags::CONTENT_DATE, "ContentDate", Vr::DA, One, Any),
    row(tags::CONTENT_TIME, "ContentTime", Vr::TM, One, Any),
    row(tags::MANUFACTURER, "Manufacturer", Vr::LO, One, Any),
    row(tags::MANUFACTURER_MODEL_NAME, "ManufacturerModelName", Vr::LO, One, Any),
    row(tags::DEVICE_SERIAL_NUMBER, "DeviceSerialNumber", Vr::LO, One, Any),
    row(tags::SOFTWARE_VERSIONS, "SoftwareVersions", Vr::LO, One, Any),
    row(tags::STATION_NAME, "StationName", Vr::SH, Three, Any),
];

/// Segmentation (PS3.3 §A.51): what it has beside [`COMMON`].
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

/// Content Template (PS3.3 §C.18.8).
pub(crate) const TEMPLATE: &[Attribute] = &[
    row(tags::MAPPING_RESOURCE, "MappingResource", Vr::CS, One, OneOf(&["DCMR"])),
    row(tags::MAPPING_RESOURCE_UID, "MappingResourceUID", Vr::UI, Three, Any),
    row(tags::TEMPLATE_IDENTIFIER, "TemplateIdentifier", Vr::CS, One, Any),
];

/// A series of evidence (PS3.3 Table C.17-3).
pub(crate) const EVIDENCE_SERIES: &[Attribute] = &[
    row(tags::SERIES_INSTANCE_UID, "SeriesInstanceUID", Vr::UI, One, Any),
    row(
        tags::REFERENCED_SOP_SEQUENCE,
        "ReferencedSOPSequence",
        Vr::SQ,
        One,
        Items(REFERENCE, 1, MANY),
    ),
];

/// A study of evidence.
pub(crate) const EVIDENCE: &[Attribute] = &[
    row(tags::STUDY_INSTANCE_UID, "StudyInstanceUID", Vr::UI, One, Any),
    row(
        tags::REFERENCED_SERIES_SEQUENCE,
        "ReferencedSeriesSequence",
        Vr::SQ,
        One,
        Items(EVIDENCE_SERIES, 1, MANY),
    ),
];

/// Comprehensive 3D SR (PS3.3 §A.35.13): what it has beside [`COMMON`].
pub(crate) const REPORT: &[Attribute] = &[
    row(tags::MODALITY, "Modality", Vr::CS, One, OneOf(&["SR"])),
    row(
        tags::REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE,
        "ReferencedPerformedProcedureStepSequence",
        Vr::SQ,
        Two,
        Unseen,
    ),
    row(tags::COMPLETION_FLAG, "CompletionFlag", Vr::CS, One, OneOf(&["COMPLETE"])),
    row(tags::VERIFICATION_FLAG, "VerificationFlag", Vr::CS, One, OneOf(&["UNVERIFIED"])),
    row(tags::PRELIMINARY_FLAG, "PreliminaryFlag", Vr::CS, One, OneOf(&["PRELIMINARY", "FINAL"])),
    row(
        tags::PERFORMED_PROCEDURE_CODE_SEQUENCE,
        "PerformedProcedureCodeSequence",
        Vr::SQ,
        Two,
        Unseen,
    ),
    row(tags::REFERENCED_REQUEST_SEQUENCE, "ReferencedRequestSequence", Vr::SQ, OneC, Unseen),
    row(
        tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE,
        "CurrentRequestedProcedureEvidenceSequence",
        Vr::SQ,
        One,
        Items(EVIDENCE, 1, 1),
    ),
    row(
        tags::PREDECESSOR_DOCUMENTS_SEQUENCE,
        "PredecessorDocumentsSequence",
        Vr::SQ,
        OneC,
        Items(EVIDENCE, 1, MANY),
    ),
    row(tags::VALUE_TYPE, "ValueType", Vr::CS, One, OneOf(&["CONTAINER"])),
    row(
        tags::CONCEPT_NAME_CODE_SEQUENCE,
        "ConceptNameCodeSequence",
        Vr::SQ,
        One,
        Items(CODE, 1, 1),
    ),
    row(tags::CONTINUITY_OF_CONTENT, "ContinuityOfContent", Vr::CS, One, OneOf(&["SEPARATE"])),
    row(
        tags::CONTENT_TEMPLATE_SEQUENCE,
        "ContentTemplateSequence",
        Vr::SQ,
        One,
        Items(TEMPLATE, 1, 1),
    ),
    row(tags::CONTENT_SEQUENCE, "ContentSequence", Vr::SQ, One, Unseen),
];

/// A measured value (PS3.3 §C.18.1).
pub(crate) const MEASURED: &[Attribute] = &[
    row(tags::NUMERIC_VALUE, "NumericValue", Vr::DS, One, Any),
    row(
        tags::MEASUREMENT_UNITS_CODE_SEQUENCE,
        "MeasurementUnitsCodeSequence",
        Vr::SQ,
        One,
        Items(CODE, 1, 1),
    ),
];

/// A reference of a content item (PS3.3 Table C.18.4-1).
pub(crate) const CONTENT_REFERENCE: &[Attribute] = &[
    row(tags::REFERENCED_SOP_CLASS_UID, "ReferencedSOPClassUID", Vr::UI, One, Any),
    row(tags::REFERENCED_SOP_INSTANCE_UID, "ReferencedSOPInstanceUID", Vr::UI, One, Any),
    row(tags::REFERENCED_FRAME_NUMBER, "ReferencedFrameNumber", Vr::IS, OneC, Any),
    row(tags::REFERENCED_SEGMENT_NUMBER, "ReferencedSegmentNumber", Vr::US, OneC, Any),
];

/// A content item (PS3.3 Table C.17-5); which of them it has follows from its value type.
pub(crate) const ITEM: &[Attribute] = &[
    row(
        tags::RELATIONSHIP_TYPE,
        "RelationshipType",
        Vr::CS,
        One,
        OneOf(&[
            "CONTAINS",
            "HAS OBS CONTEXT",
            "HAS ACQ CONTEXT",
            "HAS CONCEPT MOD",
            "HAS PROPERTIES",
            "SELECTED FROM",
        ]),
    ),
    row(
        tags::VALUE_TYPE,
        "ValueType",
        Vr::CS,
        One,
        OneOf(&["CONTAINER", "CODE", "TEXT", "NUM", "UIDREF", "IMAGE", "SCOORD"]),
    ),
    row(
        tags::CONCEPT_NAME_CODE_SEQUENCE,
        "ConceptNameCodeSequence",
        Vr::SQ,
        OneC,
        Items(CODE, 1, 1),
    ),
    row(tags::CONTINUITY_OF_CONTENT, "ContinuityOfContent", Vr::CS, OneC, OneOf(&["SEPARATE"])),
    row(
        tags::CONTENT_TEMPLATE_SEQUENCE,
        "ContentTemplateSequence",
        Vr::SQ,
        OneC,
        Items(TEMPLATE, 1, 1),
    ),
    row(tags::CONCEPT_CODE_SEQUENCE, "ConceptCodeSequence", Vr::SQ, OneC, Unseen),
    row(tags::TEXT_VALUE, "TextValue", Vr::UT, OneC, Any),
    row(tags::UID, "UID", Vr::UI, OneC, Any),
    row(
        tags::MEASURED_VALUE_SEQUENCE,
        "MeasuredValueSequence",
        Vr::SQ,
        OneC,
        Items(MEASURED, 1, 1),
    ),
    row(
        tags::REFERENCED_SOP_SEQUENCE,
        "ReferencedSOPSequence",
        Vr::SQ,
        OneC,
        Items(CONTENT_REFERENCE, 1, 1),
    ),
    row(tags::GRAPHIC_TYPE, "GraphicType", Vr::CS, OneC, OneOf(&["POLYLINE", "POINT"])),
    row(tags::GRAPHIC_DATA, "GraphicData", Vr::FL, OneC, Any),
    row(tags::CONTENT_SEQUENCE, "ContentSequence", Vr::SQ, OneC, Unseen),
];
/// Attributes of patient and study, which are the source's own business (PS3.3 §C.7.1, §C.7.2).
pub(crate) const COPIED: &[Tag] = &[
    tags::REFERENCED_PATIENT_SEQUENCE,
    tags::PATIENT_NAME,
    tags::PATIENT_ID,
    tags::ISSUER_OF_PATIENT_ID,
    tags::TYPE_OF_PATIENT_ID,
    tags::ISSUER_OF_PATIENT_ID_QUALIFIERS_SEQUENCE,
    tags::SOURCE_PATIENT_GROUP_IDENTIFICATION_SEQUENCE,
    tags::GROUP_OF_PATIENTS_IDENTIFICATION_SEQUENCE,
    tags::PATIENT_BIRTH_DATE,
    tags::PATIENT_BIRTH_TIME,
    tags::PATIENT_BIRTH_DATE_IN_ALTERNATIVE_CALENDAR,
    tags::PATIENT_DEATH_DATE_IN_ALTERNATIVE_CALENDAR,
    tags::PATIENT_ALTERNATIVE_CALENDAR,
    tags::PATIENT_SEX,
    tags::QUALITY_CONTROL_SUBJECT,
    tags::STRAIN_DESCRIPTION,
    tags::STRAIN_NOMENCLATURE,
    tags::STRAIN_STOCK_SEQUENCE,
    tags::STRAIN_ADDITIONAL_INFORMATION,
    tags::STRAIN_CODE_SEQUENCE,
    tags::GENETIC_MODIFICATIONS_SEQUENCE,
    tags::OTHER_PATIENT_NAMES,
    tags::OTHER_PATIENT_I_DS_SEQUENCE,
    tags::REFERENCED_PATIENT_PHOTO_SEQUENCE,
    tags::ETHNIC_GROUP_CODE_SEQUENCE,
    tags::PATIENT_SPECIES_DESCRIPTION,
    tags::PATIENT_SPECIES_CODE_SEQUENCE,
    tags::PATIENT_BREED_DESCRIPTION,
    tags::PATIENT_BREED_CODE_SEQUENCE,
    tags::BREED_REGISTRATION_SEQUENCE,
    tags::RESPONSIBLE_PERSON,
    tags::RESPONSIBLE_PERSON_ROLE,
    tags::RESPONSIBLE_ORGANIZATION,
    tags::PATIENT_COMMENTS,
    tags::PATIENT_IDENTITY_REMOVED,
    tags::DEIDENTIFICATION_METHOD,
    tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE,
    tags::CLINICAL_TRIAL_SPONSOR_NAME,
    tags::CLINICAL_TRIAL_PROTOCOL_ID,
    tags::CLINICAL_TRIAL_PROTOCOL_NAME,
    tags::ISSUER_OF_CLINICAL_TRIAL_PROTOCOL_ID,
    tags::OTHER_CLINICAL_TRIAL_PROTOCOL_I_DS_SEQUENCE,
    tags::CLINICAL_TRIAL_SITE_ID,
    tags::CLINICAL_TRIAL_SITE_NAME,
    tags::ISSUER_OF_CLINICAL_TRIAL_SITE_ID,
    tags::CLINICAL_TRIAL_SUBJECT_ID,
    tags::ISSUER_OF_CLINICAL_TRIAL_SUBJECT_ID,
    tags::CLINICAL_TRIAL_SUBJECT_READING_ID,
    tags::ISSUER_OF_CLINICAL_TRIAL_SUBJECT_READING_ID,
    tags::CLINICAL_TRIAL_PROTOCOL_ETHICS_COMMITTEE_NAME,
    tags::CLINICAL_TRIAL_PROTOCOL_ETHICS_COMMITTEE_APPROVAL_NUMBER,
    tags::STUDY_DATE,
    tags::STUDY_TIME,
    tags::ACCESSION_NUMBER,
    tags::ISSUER_OF_ACCESSION_NUMBER_SEQUENCE,
    tags::REFERRING_PHYSICIAN_NAME,
    tags::REFERRING_PHYSICIAN_IDENTIFICATION_SEQUENCE,
    tags::CONSULTING_PHYSICIAN_NAME,
    tags::CONSULTING_PHYSICIAN_IDENTIFICATION_SEQUENCE,
    tags::STUDY_DESCRIPTION,
    tags::PROCEDURE_CODE_SEQUENCE,
    tags::PHYSICIANS_OF_RECORD,
    tags::PHYSICIANS_OF_RECORD_IDENTIFICATION_SEQUENCE,
    tags::NAME_OF_PHYSICIANS_READING_STUDY,
    tags::PHYSICIANS_READING_STUDY_IDENTIFICATION_SEQUENCE,
    tags::REFERENCED_STUDY_SEQUENCE,
    tags::STUDY_ID,
    tags::REQUESTING_SERVICE,
    tags::REQUESTING_SERVICE_CODE_SEQUENCE,
    tags::REASON_FOR_PERFORMED_PROCEDURE_CODE_SEQUENCE,
    tags::ADMITTING_DIAGNOSES_DESCRIPTION,
    tags::ADMITTING_DIAGNOSES_CODE_SEQUENCE,
    tags::PATIENT_AGE,
    tags::PATIENT_SIZE,
    tags::PATIENT_SIZE_CODE_SEQUENCE,
    tags::PATIENT_BODY_MASS_INDEX,
    tags::MEASURED_AP_DIMENSION,
    tags::MEASURED_LATERAL_DIMENSION,
    tags::PATIENT_WEIGHT,
    tags::MEDICAL_ALERTS,
    tags::ALLERGIES,
    tags::OCCUPATION,
    tags::SMOKING_STATUS,
    tags::ADDITIONAL_PATIENT_HISTORY,
    tags::PREGNANCY_STATUS,
    tags::LAST_MENSTRUAL_DATE,
    tags::PATIENT_SEX_NEUTERED,
    tags::REASON_FOR_VISIT,
    tags::REASON_FOR_VISIT_CODE_SEQUENCE,
    tags::ADMISSION_ID,
    tags::ISSUER_OF_ADMISSION_ID_SEQUENCE,
    tags::SERVICE_EPISODE_ID,
    tags::SERVICE_EPISODE_DESCRIPTION,
    tags::ISSUER_OF_SERVICE_EPISODE_ID_SEQUENCE,
    tags::PATIENT_STATE,
    tags::CLINICAL_TRIAL_TIME_POINT_ID,
    tags::CLINICAL_TRIAL_TIME_POINT_DESCRIPTION,
    tags::LONGITUDINAL_TEMPORAL_OFFSET_FROM_EVENT,
    tags::LONGITUDINAL_TEMPORAL_EVENT_TYPE,
    tags::CLINICAL_TRIAL_TIME_POINT_TYPE_CODE_SEQUENCE,
    tags::ISSUER_OF_CLINICAL_TRIAL_TIME_POINT_ID,
    tags::CONSENT_FOR_CLINICAL_TRIAL_USE_SEQUENCE,
];

//! What every result has (PS3.3 §C.7, §C.12), and the macros that all use.

use dataset::{Vr, tags};

use super::{MANY, row};
use crate::module::Attribute;
use crate::module::Inside::{Any, Items, OneOf};
use crate::module::Kind::{One, OneC, Three};

/// A Code Sequence item (PS3.3 Table 8.8-1).
pub(crate) const CODE: &[Attribute] = &[
    row(tags::CODE_VALUE, "CodeValue", Vr::SH, OneC, Any),
    row(tags::LONG_CODE_VALUE, "LongCodeValue", Vr::UC, OneC, Any),
    row(tags::CODING_SCHEME_DESIGNATOR, "CodingSchemeDesignator", Vr::SH, One, Any),
    row(tags::CODE_MEANING, "CodeMeaning", Vr::LO, One, Any),
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

//! Comprehensive 3D SR (PS3.3 §A.35.13) and its content items.

use dataset::{Vr, tags};

use super::common::{CODE, REFERENCE};
use super::{MANY, row};
use crate::module::Attribute;
use crate::module::Inside::{Any, Items, OneOf, Unseen};
use crate::module::Kind::{One, OneC, Three, Two};

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

/// Comprehensive 3D SR (PS3.3 §A.35.13): what it has beside [`super::COMMON`].
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

//! A report broken in one way.

use dataset::Vr;
use domain::Tag;

use crate::change::{at, coded, cut, inside, item, remove, short, text};
use crate::made::tags;
use crate::{Mutation, SR};

const CONTENT: Tag = tags::CONTENT_SEQUENCE;
const EVIDENCE: &[(Tag, usize)] = &[(tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE, 0)];

#[expect(clippy::too_many_lines, reason = "it is a table")]
pub(crate) fn report_mutations() -> Vec<Mutation> {
    vec![
        (
            "another title",
            "title",
            SR,
            Box::new(coded(tags::CONCEPT_NAME_CODE_SEQUENCE, tags::CODE_VALUE, "126001")),
        ),
        (
            "another root template",
            "template",
            SR,
            inside(
                &[(tags::CONTENT_TEMPLATE_SEQUENCE, 0)],
                text(tags::TEMPLATE_IDENTIFIER, Vr::CS, "1501"),
            ),
        ),
        (
            "VERIFIED without an observer",
            "enumerated-value",
            SR,
            Box::new(text(tags::VERIFICATION_FLAG, Vr::CS, "VERIFIED")),
        ),
        (
            "PARTIAL",
            "enumerated-value",
            SR,
            Box::new(text(tags::COMPLETION_FLAG, Vr::CS, "PARTIAL")),
        ),
        ("no language", "missing-row", SR, cut("121049")),
        (
            "language outside CID 5000",
            "language",
            SR,
            item(
                "121049",
                coded(tags::CONCEPT_CODE_SEQUENCE, tags::CODING_SCHEME_DESIGNATOR, "ISO639_2"),
            ),
        ),
        ("no Observer Type", "missing-row", SR, cut("121005")),
        ("no Device Observer UID", "missing-row", SR, cut("121012")),
        ("no Procedure reported", "missing-row", SR, cut("121058")),
        ("no Image Library", "missing-row", SR, cut("111028")),
        ("library without Modality", "missing-row", SR, cut("121139")),
        ("no Imaging Measurements", "missing-row", SR, cut("126010")),
        ("no Algorithm Name", "missing-row", SR, cut("111001")),
        ("no Algorithm Version", "missing-row", SR, cut("111003")),
        ("no Tracking Identifier", "missing-row", SR, cut("112039")),
        ("no Tracking Unique Identifier", "missing-row", SR, cut("112040")),
        (
            "another Tracking UID than the segment's",
            "tracking",
            SR,
            item("112040", text(tags::UID, Vr::UI, "1.2.3")),
        ),
        ("no Finding", "missing-row", SR, cut("121071")),
        ("no Finding category", "missing-row", SR, cut("276214006")),
        (
            "another group template",
            "template",
            SR,
            item("125007", |group| {
                at(
                    group,
                    &[(tags::CONTENT_TEMPLATE_SEQUENCE, 0)],
                    &text(tags::TEMPLATE_IDENTIFIER, Vr::CS, "1410"),
                )
            }),
        ),
        ("no Referenced Segment", "region", SR, cut("121191")),
        (
            "no Referenced Segment Number",
            "segment-number",
            SR,
            item("121191", |image| {
                at(
                    image,
                    &[(tags::REFERENCED_SOP_SEQUENCE, 0)],
                    &remove(tags::REFERENCED_SEGMENT_NUMBER),
                )
            }),
        ),
        (
            "a segment that is none",
            "segment-reference",
            SR,
            item("121191", |image| {
                at(
                    image,
                    &[(tags::REFERENCED_SOP_SEQUENCE, 0)],
                    &short(tags::REFERENCED_SEGMENT_NUMBER, 9),
                )
            }),
        ),
        ("no source series", "missing-row", SR, cut("121232")),
        (
            "another source series",
            "source-series",
            SR,
            item("121232", text(tags::UID, Vr::UI, "1.2.99")),
        ),
        (
            "wrong meaning of source series",
            "unknown-code",
            SR,
            item("121232", |uid| {
                at(
                    uid,
                    &[(tags::CONCEPT_NAME_CODE_SEQUENCE, 0)],
                    &text(tags::CODE_MEANING, Vr::LO, "Source Series for Segmentation"),
                )
            }),
        ),
        (
            "Volume in mm",
            "unit",
            SR,
            item("118565006", |num| {
                at(
                    num,
                    &[(tags::MEASURED_VALUE_SEQUENCE, 0)],
                    &coded(tags::MEASUREMENT_UNITS_CODE_SEQUENCE, tags::CODE_VALUE, "mm"),
                )
            }),
        ),
        (
            "a number without a unit",
            "missing-attribute",
            SR,
            item("118565006", |num| {
                at(
                    num,
                    &[(tags::MEASURED_VALUE_SEQUENCE, 0)],
                    &remove(tags::MEASUREMENT_UNITS_CODE_SEQUENCE),
                )
            }),
        ),
        (
            "a number without a value",
            "empty-attribute",
            SR,
            item("118565006", |num| {
                at(
                    num,
                    &[(tags::MEASURED_VALUE_SEQUENCE, 0)],
                    &text(tags::NUMERIC_VALUE, Vr::DS, ""),
                )
            }),
        ),
        (
            "two numbers in one",
            "measurement",
            SR,
            item("118565006", |num| {
                at(
                    num,
                    &[(tags::MEASURED_VALUE_SEQUENCE, 0)],
                    &text(tags::NUMERIC_VALUE, Vr::DS, "1\\2"),
                )
            }),
        ),
        (
            "laterality outside CID 244",
            "laterality",
            SR,
            item("272741003", coded(tags::CONCEPT_CODE_SEQUENCE, tags::CODE_VALUE, "399488007")),
        ),
        (
            "wrong relationship of Tracking Identifier",
            "row",
            SR,
            item("112039", text(tags::RELATIONSHIP_TYPE, Vr::CS, "CONTAINS")),
        ),
        (
            "forbidden relationship",
            "relationship",
            SR,
            item("121232", text(tags::RELATIONSHIP_TYPE, Vr::CS, "HAS CONCEPT MOD")),
        ),
        (
            "no relationship",
            "missing-attribute",
            SR,
            item("121071", remove(tags::RELATIONSHIP_TYPE)),
        ),
        (
            "unknown value type",
            "enumerated-value",
            SR,
            item("121071", text(tags::VALUE_TYPE, Vr::CS, "WORD")),
        ),
        (
            "CODE without its code",
            "item-value",
            SR,
            item("121071", remove(tags::CONCEPT_CODE_SEQUENCE)),
        ),
        ("empty text", "empty-attribute", SR, item("112039", text(tags::TEXT_VALUE, Vr::UT, ""))),
        (
            "odd Graphic Data",
            "graphic-data",
            SR,
            item("111030", |region| {
                region.put_f32s(tags::GRAPHIC_DATA, &[0.0, 0.0, 2.0, 0.0, 2.0, 4.0, 0.0, 4.0, 0.0])
            }),
        ),
        (
            "an open polyline",
            "graphic-data",
            SR,
            item("111030", |region| {
                region.put_f32s(tags::GRAPHIC_DATA, &[0.0, 0.0, 2.0, 0.0, 2.0, 4.0, 0.0, 4.0])
            }),
        ),
        (
            "a box outside the image",
            "graphic-data",
            SR,
            item("111030", |region| {
                region.put_f32s(
                    tags::GRAPHIC_DATA,
                    &[0.0, 0.0, 90.0, 0.0, 90.0, 4.0, 0.0, 4.0, 0.0, 0.0],
                )
            }),
        ),
        ("a box without an image", "region", SR, item("111030", remove(CONTENT))),
        (
            "no evidence",
            "missing-attribute",
            SR,
            Box::new(remove(tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE)),
        ),
        (
            "evidence of another study",
            "evidence",
            SR,
            inside(EVIDENCE, text(tags::STUDY_INSTANCE_UID, Vr::UI, "1.77")),
        ),
        (
            "evidence without the Segmentation",
            "evidence",
            SR,
            inside(EVIDENCE, |study| {
                let first = study.items(tags::REFERENCED_SERIES_SEQUENCE)[..1].to_vec();
                study.put_items(tags::REFERENCED_SERIES_SEQUENCE, first);
            }),
        ),
        ("the same SOP Instance UID twice", "same-instance", SR, Box::new(|_| {})),
    ]
}

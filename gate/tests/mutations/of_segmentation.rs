//! A Segmentation broken in one way.

use dataset::Vr;
use domain::Tag;

use crate::change::{at, coded, inside, remove, short, text};
use crate::made::tags;
use crate::{Mutation, SEG};

const FRAMES: Tag = tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE;
const SHARED: Tag = tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE;
const DERIVATION: &[(Tag, usize)] = &[(FRAMES, 0), (tags::DERIVATION_IMAGE_SEQUENCE, 0)];
const SOURCE: &[(Tag, usize)] =
    &[(FRAMES, 0), (tags::DERIVATION_IMAGE_SEQUENCE, 0), (tags::SOURCE_IMAGE_SEQUENCE, 0)];
const SEGMENT: &[(Tag, usize)] = &[(tags::SEGMENT_SEQUENCE, 0)];
const ALGORITHM: &[(Tag, usize)] =
    &[(tags::SEGMENT_SEQUENCE, 0), (tags::SEGMENTATION_ALGORITHM_IDENTIFICATION_SEQUENCE, 0)];
const CONTENT_OF_FRAME: &[(Tag, usize)] = &[(FRAMES, 0), (tags::FRAME_CONTENT_SEQUENCE, 0)];
const IDENTIFICATION: &[(Tag, usize)] = &[(FRAMES, 0), (tags::SEGMENT_IDENTIFICATION_SEQUENCE, 0)];

#[expect(clippy::too_many_lines, reason = "it is a table")]
pub(crate) fn segmentation_mutations() -> Vec<Mutation> {
    vec![
        ("no SOP Class UID", "sop-class", SEG, Box::new(remove(tags::SOP_CLASS_UID))),
        ("no Image Type", "missing-attribute", SEG, Box::new(remove(tags::IMAGE_TYPE))),
        (
            "Image Type ORIGINAL",
            "enumerated-value",
            SEG,
            Box::new(text(tags::IMAGE_TYPE, Vr::CS, "ORIGINAL\\PRIMARY")),
        ),
        (
            "empty Content Label",
            "empty-attribute",
            SEG,
            Box::new(text(tags::CONTENT_LABEL, Vr::CS, "")),
        ),
        ("no Manufacturer", "missing-attribute", SEG, Box::new(remove(tags::MANUFACTURER))),
        (
            "empty Software Versions",
            "empty-attribute",
            SEG,
            Box::new(text(tags::SOFTWARE_VERSIONS, Vr::LO, "")),
        ),
        ("Modality OT", "enumerated-value", SEG, Box::new(text(tags::MODALITY, Vr::CS, "OT"))),
        (
            "Instance Number as LO",
            "value-representation",
            SEG,
            Box::new(text(tags::INSTANCE_NUMBER, Vr::LO, "1")),
        ),
        (
            "Series Instance UID with letters",
            "uid",
            SEG,
            Box::new(text(tags::SERIES_INSTANCE_UID, Vr::UI, "1.2.x")),
        ),
        (
            "UID component with leading zero",
            "uid",
            SEG,
            Box::new(text(tags::SERIES_INSTANCE_UID, Vr::UI, "1.02")),
        ),
        (
            "a foreign attribute",
            "stranger",
            SEG,
            Box::new(text(tags::SLICE_THICKNESS, Vr::DS, "3")),
        ),
        (
            "a private attribute",
            "private",
            SEG,
            Box::new(text(Tag::new(0x0099, 0x0010), Vr::LO, "X")),
        ),
        (
            "not marked",
            "not-marked",
            SEG,
            Box::new(text(tags::SERIES_DESCRIPTION, Vr::LO, "Liver")),
        ),
        (
            "Content Qualification PRODUCT",
            "enumerated-value",
            SEG,
            Box::new(text(tags::CONTENT_QUALIFICATION, Vr::CS, "PRODUCT")),
        ),
        ("another study", "study", SEG, Box::new(text(tags::STUDY_INSTANCE_UID, Vr::UI, "1.77"))),
        ("another patient", "patient", SEG, Box::new(text(tags::PATIENT_ID, Vr::LO, "OTHER"))),
        ("Bits Allocated 8", "bits", SEG, Box::new(short(tags::BITS_ALLOCATED, 8))),
        ("High Bit 7", "bits", SEG, Box::new(short(tags::HIGH_BIT, 7))),
        ("other Rows", "size", SEG, Box::new(short(tags::ROWS, 4))),
        (
            "Segmentation Type of another class",
            "kind-and-class",
            SEG,
            Box::new(text(tags::SEGMENTATION_TYPE, Vr::CS, "LABELMAP")),
        ),
        (
            "Fractional Type in BINARY",
            "fractional",
            SEG,
            Box::new(|set| {
                set.put_text(tags::SEGMENTATION_FRACTIONAL_TYPE, Vr::CS, "PROBABILITY");
                set.put_u16s(tags::MAXIMUM_FRACTIONAL_VALUE, &[255]);
            }),
        ),
        (
            "no Frame of Reference UID",
            "frame-of-reference",
            SEG,
            Box::new(remove(tags::FRAME_OF_REFERENCE_UID)),
        ),
        (
            "another Frame of Reference",
            "frame-of-reference",
            SEG,
            Box::new(text(tags::FRAME_OF_REFERENCE_UID, Vr::UI, "1.99")),
        ),
        (
            "Segment Numbers with a gap",
            "segment-number",
            SEG,
            inside(&[(tags::SEGMENT_SEQUENCE, 1)], short(tags::SEGMENT_NUMBER, 3)),
        ),
        (
            "no Segment Label",
            "missing-attribute",
            SEG,
            inside(SEGMENT, remove(tags::SEGMENT_LABEL)),
        ),
        (
            "Algorithm Type MANUAL",
            "enumerated-value",
            SEG,
            inside(SEGMENT, text(tags::SEGMENT_ALGORITHM_TYPE, Vr::CS, "MANUAL")),
        ),
        (
            "no Algorithm Name",
            "missing-attribute",
            SEG,
            inside(SEGMENT, remove(tags::SEGMENT_ALGORITHM_NAME)),
        ),
        (
            "no Algorithm Version",
            "missing-attribute",
            SEG,
            inside(ALGORITHM, remove(tags::ALGORITHM_VERSION)),
        ),
        ("no Tracking UID", "tracking", SEG, inside(SEGMENT, remove(tags::TRACKING_UID))),
        ("no Tracking ID", "tracking", SEG, inside(SEGMENT, remove(tags::TRACKING_ID))),
        (
            "Tracking UID twice",
            "tracking",
            SEG,
            Box::new(|set| {
                let uid = set.items(tags::SEGMENT_SEQUENCE)[0].text(tags::TRACKING_UID).unwrap();
                at(set, &[(tags::SEGMENT_SEQUENCE, 1)], &|segment| {
                    segment.put_uid(tags::TRACKING_UID, &uid)
                });
            }),
        ),
        (
            "no Property Type",
            "missing-attribute",
            SEG,
            inside(SEGMENT, remove(tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE)),
        ),
        (
            "unknown Property Type",
            "unknown-code",
            SEG,
            inside(
                SEGMENT,
                coded(tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE, tags::CODE_VALUE, "4711"),
            ),
        ),
        (
            "wrong Code Meaning",
            "unknown-code",
            SEG,
            inside(SEGMENT, |segment| {
                at(
                    segment,
                    &[(tags::SEGMENTED_PROPERTY_CATEGORY_CODE_SEQUENCE, 0)],
                    &text(tags::CODE_MEANING, Vr::LO, "Anatomy"),
                )
            }),
        ),
        (
            "code without a scheme",
            "missing-attribute",
            SEG,
            inside(SEGMENT, |segment| {
                at(
                    segment,
                    &[(tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE, 0)],
                    &remove(tags::CODING_SCHEME_DESIGNATOR),
                )
            }),
        ),
        (
            "modifier beside the type",
            "stranger",
            SEG,
            inside(SEGMENT, |segment| {
                let code = segment.items(tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE).to_vec();
                segment.put_items(tags::SEGMENTED_PROPERTY_TYPE_MODIFIER_CODE_SEQUENCE, code);
            }),
        ),
        (
            "wrong derivation code",
            "derivation-code",
            SEG,
            inside(DERIVATION, coded(tags::DERIVATION_CODE_SEQUENCE, tags::CODE_VALUE, "113072")),
        ),
        (
            "wrong source purpose",
            "purpose-code",
            SEG,
            inside(
                SOURCE,
                coded(tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, tags::CODE_VALUE, "121324"),
            ),
        ),
        (
            "no Derivation Image",
            "missing-attribute",
            SEG,
            inside(&[(FRAMES, 0)], remove(tags::DERIVATION_IMAGE_SEQUENCE)),
        ),
        (
            "locations not preserved",
            "enumerated-value",
            SEG,
            inside(SOURCE, text(tags::SPATIAL_LOCATIONS_PRESERVED, Vr::CS, "NO")),
        ),
        (
            "a source that is none",
            "source-reference",
            SEG,
            inside(SOURCE, text(tags::REFERENCED_SOP_INSTANCE_UID, Vr::UI, "1.3.99")),
        ),
        (
            "a source of another class",
            "source-reference",
            SEG,
            inside(
                SOURCE,
                text(tags::REFERENCED_SOP_CLASS_UID, Vr::UI, "1.2.840.10008.5.1.4.1.1.4"),
            ),
        ),
        (
            "a frame of a single-frame source",
            "source-frame",
            SEG,
            inside(SOURCE, text(tags::REFERENCED_FRAME_NUMBER, Vr::IS, "1")),
        ),
        (
            "no Plane Position",
            "geometry",
            SEG,
            inside(&[(FRAMES, 0)], remove(tags::PLANE_POSITION_SEQUENCE)),
        ),
        (
            "a shifted position",
            "position",
            SEG,
            inside(
                &[(FRAMES, 0), (tags::PLANE_POSITION_SEQUENCE, 0)],
                text(tags::IMAGE_POSITION_PATIENT, Vr::DS, "-10.50\\-20.25\\2.51"),
            ),
        ),
        (
            "no Pixel Measures",
            "geometry",
            SEG,
            inside(&[(SHARED, 0)], remove(tags::PIXEL_MEASURES_SEQUENCE)),
        ),
        (
            "no Plane Orientation",
            "geometry",
            SEG,
            inside(&[(SHARED, 0)], remove(tags::PLANE_ORIENTATION_SEQUENCE)),
        ),
        (
            "one frame too few in Number of Frames",
            "frame-count",
            SEG,
            Box::new(text(tags::NUMBER_OF_FRAMES, Vr::IS, "3")),
        ),
        (
            "a frame without a segment",
            "segment-reference",
            SEG,
            inside(&[(FRAMES, 0)], remove(tags::SEGMENT_IDENTIFICATION_SEQUENCE)),
        ),
        (
            "a frame of an unknown segment",
            "segment-reference",
            SEG,
            inside(IDENTIFICATION, short(tags::REFERENCED_SEGMENT_NUMBER, 7)),
        ),
        (
            "one dimension value too few",
            "dimension-values",
            SEG,
            inside(CONTENT_OF_FRAME, |content| {
                content.put_u32s(tags::DIMENSION_INDEX_VALUES, &[1])
            }),
        ),
        (
            "a dimension value of 0",
            "dimension-values",
            SEG,
            inside(CONTENT_OF_FRAME, |content| {
                content.put_u32s(tags::DIMENSION_INDEX_VALUES, &[1, 0])
            }),
        ),
        (
            "two frames at one index",
            "dimension-values",
            SEG,
            inside(CONTENT_OF_FRAME, |content| {
                content.put_u32s(tags::DIMENSION_INDEX_VALUES, &[1, 2])
            }),
        ),
        (
            "a dimension value of another segment",
            "dimension-values",
            SEG,
            inside(CONTENT_OF_FRAME, |content| {
                content.put_u32s(tags::DIMENSION_INDEX_VALUES, &[2, 1])
            }),
        ),
        (
            "a dimension less",
            "dimensions",
            SEG,
            Box::new(|set| {
                let first = set.items(tags::DIMENSION_INDEX_SEQUENCE)[..1].to_vec();
                set.put_items(tags::DIMENSION_INDEX_SEQUENCE, first);
            }),
        ),
        (
            "a dimension of another organization",
            "dimensions",
            SEG,
            inside(
                &[(tags::DIMENSION_INDEX_SEQUENCE, 0)],
                text(tags::DIMENSION_ORGANIZATION_UID, Vr::UI, "1.5"),
            ),
        ),
        (
            "no Referenced Series",
            "missing-attribute",
            SEG,
            Box::new(remove(tags::REFERENCED_SERIES_SEQUENCE)),
        ),
        (
            "a reference too few",
            "references",
            SEG,
            inside(&[(tags::REFERENCED_SERIES_SEQUENCE, 0)], |series| {
                let rest = series.items(tags::REFERENCED_INSTANCE_SEQUENCE)[1..].to_vec();
                series.put_items(tags::REFERENCED_INSTANCE_SEQUENCE, rest);
            }),
        ),
        (
            "Pixel Data too short",
            "pixel-length",
            SEG,
            Box::new(|set| set.put_bytes(tags::PIXEL_DATA, Vr::OB, vec![0; 16])),
        ),
        ("no Pixel Data", "pixels", SEG, Box::new(remove(tags::PIXEL_DATA))),
        (
            "Contributing Equipment without Manufacturer",
            "empty-attribute",
            SEG,
            inside(
                &[(tags::CONTRIBUTING_EQUIPMENT_SEQUENCE, 0)],
                text(tags::MANUFACTURER, Vr::LO, ""),
            ),
        ),
    ]
}

//! Multi-frame Dimension (PS3.3 §C.7.6.17): frames are told apart by segment, then by position or place in time.

use dataset::{DataSet, Vr};
use domain::Tag;

use super::frames::{Frame, Frames};
use crate::work::Work;
use crate::{SegmentationKind, tags};

/// Which indices the frames of a Segmentation have, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dimension {
    /// Referenced Segment Number.
    Segment,
    /// Image Position (Patient).
    Position,
    /// Temporal Position Index, for frames without a place.
    Time,
}

/// A label map has all segments in each frame, and only what lies in the patient has positions.
fn dimensions(work: &Work<'_>) -> &'static [Dimension] {
    let is_label_map = work.form.kind == SegmentationKind::Labelmap;
    match (is_label_map, work.source.place.is_some()) {
        (false, true) => &[Dimension::Segment, Dimension::Position],
        (false, false) => &[Dimension::Segment, Dimension::Time],
        (true, true) => &[Dimension::Position],
        (true, false) => &[Dimension::Time],
    }
}

/// Puts the organization and its indices.
pub(crate) fn put_dimensions(set: &mut DataSet, work: &Work<'_>, frames: &Frames) {
    let organization = work.uids.dimension_organization();
    let mut item = DataSet::new();
    item.put_uid(tags::DIMENSION_ORGANIZATION_UID, &organization);
    set.put_items(tags::DIMENSION_ORGANIZATION_SEQUENCE, vec![item]);
    let index = |dimension: &Dimension| index(&organization, *dimension);
    let indices = dimensions(work).iter().map(index).collect();
    set.put_items(tags::DIMENSION_INDEX_SEQUENCE, indices);
    // Only one volume of equally spaced frames may say so.
    let is_label_map = work.form.kind == SegmentationKind::Labelmap;
    if is_label_map && work.source.place.is_some() && frames.are_contiguous() {
        set.put_text(tags::DIMENSION_ORGANIZATION_TYPE, Vr::CS, "3D");
    }
}

/// Dimension Index Values of a frame.
pub(crate) fn index_values(work: &Work<'_>, frames: &Frames, frame: &Frame) -> Vec<u32> {
    let value = |dimension: &Dimension| match dimension {
        Dimension::Segment => frames.segment_number(frame).unwrap_or(0),
        Dimension::Position | Dimension::Time => frame.position_number,
    };
    let saturated = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    dimensions(work).iter().map(value).map(saturated).collect()
}

fn index(organization: &str, dimension: Dimension) -> DataSet {
    let (attribute, group, label) = match dimension {
        Dimension::Segment => {
            (tags::REFERENCED_SEGMENT_NUMBER, tags::SEGMENT_IDENTIFICATION_SEQUENCE, "Segment")
        }
        Dimension::Position => (
            tags::IMAGE_POSITION_PATIENT,
            tags::PLANE_POSITION_SEQUENCE,
            "Position along the normal",
        ),
        Dimension::Time => {
            (tags::TEMPORAL_POSITION_INDEX, tags::FRAME_CONTENT_SEQUENCE, "Order of the frames")
        }
    };
    let mut item = DataSet::new();
    item.put_uid(tags::DIMENSION_ORGANIZATION_UID, organization);
    item.put_bytes(tags::DIMENSION_INDEX_POINTER, Vr::AT, tag_bytes(attribute));
    item.put_bytes(tags::FUNCTIONAL_GROUP_POINTER, Vr::AT, tag_bytes(group));
    item.put_text(tags::DIMENSION_DESCRIPTION_LABEL, Vr::LO, label);
    item
}

/// VR AT, little endian: group, then element.
fn tag_bytes(tag: Tag) -> Vec<u8> {
    [tag.group.to_le_bytes(), tag.element.to_le_bytes()].concat()
}

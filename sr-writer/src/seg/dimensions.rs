//! Multi-frame Dimension (PS3.3 §C.7.6.17): frames are told apart by segment, then by position.

use dataset::{DataSet, Vr};
use domain::Tag;

use crate::tags;
use crate::work::Work;

/// Puts the organization and its two indices.
pub(crate) fn put_dimensions(set: &mut DataSet, work: &Work<'_>) {
    let organization = work.uids.dimension_organization();
    let mut item = DataSet::new();
    item.put_uid(tags::DIMENSION_ORGANIZATION_UID, &organization);
    set.put_items(tags::DIMENSION_ORGANIZATION_SEQUENCE, vec![item]);
    let segment = index(
        &organization,
        (tags::REFERENCED_SEGMENT_NUMBER, tags::SEGMENT_IDENTIFICATION_SEQUENCE),
        "Segment",
    );
    let position = index(
        &organization,
        (tags::IMAGE_POSITION_PATIENT, tags::PLANE_POSITION_SEQUENCE),
        "Position along the normal",
    );
    set.put_items(tags::DIMENSION_INDEX_SEQUENCE, vec![segment, position]);
}

/// An index over `attribute`, which is in functional group `group`.
fn index(organization: &str, (attribute, group): (Tag, Tag), label: &str) -> DataSet {
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

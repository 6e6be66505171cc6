//! TID 1411, Volumetric ROI Measurements and Qualitative Evaluations: one group a segment.

use domain::{InstanceIdentity, Segment, Target};

use super::item::Item;
use super::item::Relationship::{Contains, HasConceptMod, HasObsContext};
use super::tid1419::measurements;
use super::tid4019::algorithm;
use crate::coding::{
    ANATOMICAL_STRUCTURE, BODY_STRUCTURE, FINDING, FINDING_CATEGORY, FINDING_SITE, LATERALITY,
    MEASUREMENT_GROUP, REFERENCED_SEGMENT, SOURCE_SERIES, TRACKING_IDENTIFIER,
    TRACKING_UNIQUE_IDENTIFIER,
};
use crate::work::Work;

/// The group of segment `number`, tied to the Segmentation by its number and by the same Tracking UID.
pub(crate) fn volumetric_group(
    work: &Work<'_>,
    segmentation: &InstanceIdentity,
    number: u16,
    segment: &Segment,
) -> Item {
    let index = usize::from(number) - 1;
    let tracking_uid = work.uids.segment_tracking(index + 1);
    let source = work.source;
    Item::container(MEASUREMENT_GROUP)
        .template("1411")
        .with_all(HasObsContext, tracking(&work.tracking_identifiers[index], &tracking_uid))
        .with_all(Contains, finding(&segment.target))
        .with(Contains, Item::segment(REFERENCED_SEGMENT, segmentation, number))
        .with(Contains, Item::uid(SOURCE_SERIES, source.series.as_str()))
        .with_all(HasConceptMod, finding_site(&segment.target))
        .with_all(HasConceptMod, algorithm(work.findings))
        .with_all(Contains, measurements(segment, &source.geometry, &source.modality))
}

/// Tracking Identifier and Tracking Unique Identifier.
fn tracking(identifier: &str, uid: &str) -> [Item; 2] {
    [Item::text(TRACKING_IDENTIFIER, identifier), Item::uid(TRACKING_UNIQUE_IDENTIFIER, uid)]
}

/// Category and type.
fn finding(target: &Target) -> [Item; 2] {
    [Item::code(FINDING_CATEGORY, &target.category), Item::code(FINDING, &target.property_type)]
}

/// The Anatomic Region; for an anatomical structure without one, the structure itself. Other targets have no site then.
fn finding_site(target: &Target) -> Option<Item> {
    let is_anatomy = target.category == ANATOMICAL_STRUCTURE.concept()
        || target.category == BODY_STRUCTURE.concept();
    let structure = is_anatomy.then_some(&target.property_type);
    let site = Item::code(FINDING_SITE, target.anatomic_region.as_ref().or(structure)?);
    let laterality = target.laterality.iter().map(|side| Item::code(LATERALITY, side));
    Some(site.with_all(HasConceptMod, laterality))
}

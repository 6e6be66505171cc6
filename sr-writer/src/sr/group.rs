//! Rows that TID 1410 and TID 1411 share.

use domain::Target;

use super::item::Item;
use super::item::Relationship::HasConceptMod;
use crate::coding::{
    ANATOMICAL_STRUCTURE, BODY_STRUCTURE, FINDING, FINDING_CATEGORY, FINDING_SITE, LATERALITY,
    TRACKING_IDENTIFIER, TRACKING_UNIQUE_IDENTIFIER,
};

/// Tracking Identifier and Tracking Unique Identifier.
pub(crate) fn tracking(identifier: &str, uid: &str) -> [Item; 2] {
    [Item::text(TRACKING_IDENTIFIER, identifier), Item::uid(TRACKING_UNIQUE_IDENTIFIER, uid)]
}

/// Category and type.
pub(crate) fn finding(target: &Target) -> [Item; 2] {
    [Item::code(FINDING_CATEGORY, &target.category), Item::code(FINDING, &target.property_type)]
}

/// The Anatomic Region; for an anatomical structure without one, the structure itself. Other targets have no site then.
pub(crate) fn finding_site(target: &Target) -> Option<Item> {
    let is_anatomy = target.category == ANATOMICAL_STRUCTURE.concept()
        || target.category == BODY_STRUCTURE.concept();
    let structure = is_anatomy.then_some(&target.property_type);
    let site = Item::code(FINDING_SITE, target.anatomic_region.as_ref().or(structure)?);
    let laterality = target.laterality.iter().map(|side| Item::code(LATERALITY, side));
    Some(site.with_all(HasConceptMod, laterality))
}

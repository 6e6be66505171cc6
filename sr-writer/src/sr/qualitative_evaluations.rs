//! Qualitative Evaluations of TID 1500 (rows 12 and 13): what was looked for and not found.
//!
//! Absent targets are not measurement groups (TID 1501), because readers and validators take all groups of a report for the
//! same template, and those of segments are volumetric.

use domain::Target;

use super::item::Item;
use super::item::Relationship::{Contains, HasConceptMod};
use crate::coding::{ABSENT, FINDING_SITE, LATERALITY, QUALITATIVE_EVALUATIONS};
use crate::work::Work;

/// (target) = (Absent) for each absent target; `None` when all were found.
pub(crate) fn qualitative_evaluations(work: &Work<'_>) -> Option<Item> {
    let targets = &work.findings.absent;
    (!targets.is_empty()).then(|| {
        Item::container(QUALITATIVE_EVALUATIONS).with_all(Contains, targets.iter().map(absent))
    })
}

/// Side (CID 210) and region are modifiers: without its region, an absent neoplasm would be absent from the whole body.
fn absent(target: &Target) -> Item {
    let region = target.anatomic_region.iter().map(|site| Item::code(FINDING_SITE, site));
    let side = target.laterality.iter().map(|side| Item::code(LATERALITY, side));
    Item::code_of_target(&target.property_type, &ABSENT.concept())
        .with_all(HasConceptMod, region)
        .with_all(HasConceptMod, side)
}

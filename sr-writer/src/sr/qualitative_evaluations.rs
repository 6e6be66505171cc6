//! Qualitative Evaluations of TID 1500 (rows 12 and 13): what was looked for and not found.
//!
//! Absent targets are not measurement groups (TID 1501), because readers and validators take all groups of a report for the
//! same template, and those of segments are volumetric.

use domain::Absent;

use super::item::Item;
use super::item::Relationship::{Contains, HasConceptMod, HasProperties};
use crate::coding::{
    ABSENT, CERTAINTY, COMMENT, FINDING_SITE, LATERALITY, PERCENT, QUALITATIVE_EVALUATIONS,
};
use crate::work::Work;

/// (target) = (Absent) for each absent target; `None` when all were found.
pub(crate) fn qualitative_evaluations(work: &Work<'_>) -> Option<Item> {
    let targets = &work.findings.absent;
    (!targets.is_empty()).then(|| {
        Item::container(QUALITATIVE_EVALUATIONS).with_all(Contains, targets.iter().map(absent))
    })
}

/// Side (CID 210) and region are modifiers: without its region, an absent neoplasm would be absent from the whole body. Why
/// it counts as absent, and how sure that is, are properties.
fn absent(absent: &Absent) -> Item {
    let Absent { target, reason } = absent;
    let certainty = reason.certainty().map(|c| Item::number(CERTAINTY, c * 100.0, PERCENT));
    let region = target.anatomic_region.iter().map(|site| Item::code(FINDING_SITE, site));
    let side = target.laterality.iter().map(|side| Item::code(LATERALITY, side));
    Item::code_of_target(&target.property_type, &ABSENT.concept())
        .with_all(HasConceptMod, region)
        .with_all(HasConceptMod, side)
        .with_all(HasProperties, certainty)
        .with(HasProperties, Item::text(COMMENT, &reason.to_string()))
}

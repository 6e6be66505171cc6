//! TID 1501, Measurement and Qualitative Evaluation Group: one for each thing that was looked for and not found.

use domain::Target;

use super::item::Item;
use super::item::Relationship::{Contains, HasConceptMod, HasObsContext};
use super::tid1411::{finding, finding_site, tracking};
use super::tid4019::algorithm;
use crate::coding::{ABSENT, MEASUREMENT_GROUP, PRESENCE};
use crate::work::Work;

/// The group of the target `number`, from 1, among the absent: what, where, (Presence of property) = (Absent).
pub(crate) fn absent_group(work: &Work<'_>, number: usize, target: &Target) -> Item {
    let identifier = format!("{} absent", target.label);
    Item::container(MEASUREMENT_GROUP)
        .template("1501")
        .with_all(HasObsContext, tracking(&identifier, &work.uids.absent_tracking(number)))
        .with_all(Contains, finding(target))
        .with_all(HasConceptMod, finding_site(target))
        .with_all(HasConceptMod, algorithm(work.findings))
        .with(Contains, Item::code(PRESENCE, &ABSENT.concept()))
}

//! TID 1411, Volumetric ROI Measurements and Qualitative Evaluations: one group a segment.

use domain::Segment;

use super::group::{finding, finding_site, tracking};
use super::item::Item;
use super::item::Relationship::{Contains, HasConceptMod, HasObsContext};
use super::tid1419::measurements;
use crate::coding::{MEASUREMENT_GROUP, REFERENCED_SEGMENT, SOURCE_SERIES};
use crate::work::Work;

/// The group of segment `index`, tied to its Segmentation by Segment Number and by the same Tracking UID.
pub(crate) fn volumetric_group(work: &Work<'_>, index: usize, segment: &Segment) -> Item {
    let tracking_uid = work.uids.segment_tracking(index + 1);
    let (segmentation, number) = work.segment(index);
    Item::container(MEASUREMENT_GROUP)
        .template("1411")
        .with_all(HasObsContext, tracking(&work.tracking_identifiers[index], &tracking_uid))
        .with_all(Contains, finding(&segment.target))
        .with(Contains, Item::segment(REFERENCED_SEGMENT, segmentation, number))
        .with(Contains, Item::uid(SOURCE_SERIES, work.source.series.as_str()))
        .with_all(HasConceptMod, finding_site(&segment.target))
        .with_all(Contains, measurements(segment, work.source))
}

//! TID 1410, Planar ROI Measurements and Qualitative Evaluations: segments of frames without a place, and boxes.

use domain::{PlanarBox, Segment};
use series::SourceSlice;

use super::group::{finding, finding_site, tracking};
use super::item::Item;
use super::item::Relationship::{Contains, HasConceptMod, HasObsContext, SelectedFrom};
use super::tid1419::{box_measurements, measurements};
use crate::SegmentationKind;
use crate::coding::{
    BOUNDED_BY, GEOMETRIC_PURPOSE, IMAGE_REGION, MEASUREMENT_GROUP, REFERENCED_SEGMENTATION_FRAME,
    SOURCE_IMAGE_FOR_SEGMENTATION,
};
use crate::seg::frame_number;
use crate::work::Work;

/// The group of segment `index` in its largest frame.
pub(crate) fn planar_group(work: &Work<'_>, index: usize, segment: &Segment, k: usize) -> Item {
    let slice = &work.source.slices[k];
    begin(work, index, segment)
        .with(Contains, region(work, index, k))
        .with(Contains, image_of(slice).named(SOURCE_IMAGE_FOR_SEGMENTATION))
        .with_all(HasConceptMod, finding_site(&segment.target))
        .with_all(Contains, measurements(segment, work.source))
}

/// The frame of the Segmentation that shows the segment. A reference names a frame or a segment, not both (PS3.3 Table 10-3);
/// a frame of a label map shows all segments, so there it is the segment.
fn region(work: &Work<'_>, index: usize, k: usize) -> Item {
    let (segmentation, number) = work.segment(index);
    match work.form.kind {
        SegmentationKind::Binary | SegmentationKind::Fractional => {
            let frame = frame_number(work, index, k);
            Item::frame(segmentation, Some(frame)).named(REFERENCED_SEGMENTATION_FRAME)
        }
        SegmentationKind::Labelmap => {
            Item::segment(REFERENCED_SEGMENTATION_FRAME, segmentation, number)
        }
    }
}

/// The group of box `number` (from 1) of a segment: it has the Tracking UID of the box, not of the segment, because templates
/// take what has the same Tracking UID for the same finding at another time.
pub(crate) fn box_group(
    work: &Work<'_>,
    (index, segment): (usize, &Segment),
    number: usize,
    of_box: &PlanarBox,
) -> Item {
    let identifier = format!("{} box {number}", work.tracking_identifiers[index]);
    let uid = work.uids.box_tracking(index + 1, number);
    let slice = &work.source.slices[of_box.k];
    let region = Item::polyline(IMAGE_REGION, &corners(of_box)).with(SelectedFrom, image_of(slice));
    Item::container(MEASUREMENT_GROUP)
        .template("1410")
        .with_all(HasObsContext, tracking(&identifier, &uid))
        .with_all(Contains, finding(&segment.target))
        .with(Contains, Item::code(GEOMETRIC_PURPOSE, &BOUNDED_BY.concept()))
        .with(Contains, region)
        .with_all(HasConceptMod, finding_site(&segment.target))
        .with_all(Contains, box_measurements(of_box, work.source))
}

fn begin(work: &Work<'_>, index: usize, segment: &Segment) -> Item {
    let tracking_uid = work.uids.segment_tracking(index + 1);
    Item::container(MEASUREMENT_GROUP)
        .template("1410")
        .with_all(HasObsContext, tracking(&work.tracking_identifiers[index], &tracking_uid))
        .with_all(Contains, finding(&segment.target))
}

/// The instance, and the frame of one that has several.
fn image_of(slice: &SourceSlice) -> Item {
    Item::frame(&slice.instance.identity, slice.frame_number)
}

/// Five points of a closed polyline along the outer edges of the pixels: (column, row), the top left corner of the image
/// being (0, 0) (PS3.3 §C.18.6.1.1).
fn corners(of_box: &PlanarBox) -> [[f32; 2]; 5] {
    let edge = |index: usize| u16::try_from(index).map_or(f32::MAX, f32::from);
    let [left, top] = of_box.first.map(edge);
    let [right, bottom] = of_box.last.map(|index| edge(index + 1));
    [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]
}

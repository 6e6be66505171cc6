//! TID 1600, Image Library: the source series, with what all its images share said once (TID 1602).

use super::item::Item;
use super::item::Relationship::{Contains, HasAcqContext};
use crate::coding::{
    Code, FRAME_OF_REFERENCE_UID, HORIZONTAL_PIXEL_SPACING, IMAGE_LIBRARY, IMAGE_LIBRARY_GROUP,
    MILLIMETRE, MODALITY, PIXEL_DATA_COLUMNS, PIXEL_DATA_ROWS, PIXELS, SPACING_BETWEEN_SLICES,
    VERTICAL_PIXEL_SPACING, modality,
};
use crate::work::Work;

/// One group with the shared descriptors and an entry for each instance, in the order of their first slice.
pub(crate) fn image_library(work: &Work<'_>) -> Item {
    let images = work.source.instances.iter().map(|instance| Item::image(&instance.identity));
    let group = Item::container(IMAGE_LIBRARY_GROUP)
        .with_all(HasAcqContext, descriptors(work))
        .with_all(Contains, images);
    Item::container(IMAGE_LIBRARY).template("1600").with(Contains, group)
}

fn descriptors(work: &Work<'_>) -> Vec<Item> {
    let source = work.source;
    let [columns, rows, _] = source.geometry.size;
    let [column_mm, row_mm, slice_mm] = source.geometry.spacing_mm;
    let length = |name, mm| Item::number(name, mm, MILLIMETRE);
    vec![
        Item::code(MODALITY, &modality(&source.modality)),
        Item::uid(FRAME_OF_REFERENCE_UID, source.frame_of_reference.as_str()),
        pixels(PIXEL_DATA_ROWS, rows),
        pixels(PIXEL_DATA_COLUMNS, columns),
        length(HORIZONTAL_PIXEL_SPACING, column_mm),
        length(VERTICAL_PIXEL_SPACING, row_mm),
        length(SPACING_BETWEEN_SLICES, slice_mm),
    ]
}

fn pixels(name: Code, count: usize) -> Item {
    Item::number(name, u32::try_from(count).map_or(0.0, f64::from), PIXELS)
}

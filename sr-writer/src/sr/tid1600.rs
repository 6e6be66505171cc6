//! TID 1600, Image Library: the source series, with what all its images share said once (TID 1602).

use domain::SourceGrid;

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
    let [columns, rows, _] = source.grid.size();
    let length = |(name, mm)| Item::number(name, mm, MILLIMETRE);
    let mut items = vec![Item::code(MODALITY, &modality(&source.modality))];
    let place = source.place.as_ref();
    items.extend(
        place.map(|place| Item::uid(FRAME_OF_REFERENCE_UID, place.frame_of_reference.as_str())),
    );
    items.extend([pixels(PIXEL_DATA_ROWS, rows), pixels(PIXEL_DATA_COLUMNS, columns)]);
    items.extend(spacings(&source.grid).into_iter().map(length));
    items
}

/// The distances between pixels and slices that the source tells, in mm.
fn spacings(grid: &SourceGrid) -> Vec<(Code, f64)> {
    let in_plane =
        |[x, y]: [f64; 2]| vec![(HORIZONTAL_PIXEL_SPACING, x), (VERTICAL_PIXEL_SPACING, y)];
    match grid {
        SourceGrid::Patient(geometry) => {
            let [x, y, z] = geometry.spacing_mm;
            let mut spacings = in_plane([x, y]);
            spacings.push((SPACING_BETWEEN_SLICES, z));
            spacings
        }
        SourceGrid::Frames(stack) => stack.pixel_spacing_mm.map(in_plane).unwrap_or_default(),
    }
}

fn pixels(name: Code, count: usize) -> Item {
    Item::number(name, u32::try_from(count).map_or(0.0, f64::from), PIXELS)
}

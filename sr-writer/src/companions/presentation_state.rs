//! Grayscale Softcopy Presentation State (PS3.3 §A.33.1): outlines of the segments over the source images.

use dataset::{DataSet, Vr};
use domain::Segment;
use series::SourceSlice;

use super::Companion;
use super::outline::{Corner, outlines};
use crate::iod::sop_reference;
use crate::seg::cielab;
use crate::text::{LO_MAX, ascii, code_string};
use crate::work::Work;
use crate::{ResultInstance, WriteError, tags};

/// Points of one outline; what has more is left out, because viewers have limits, too.
const POINTS_MAX: usize = 20_000;

/// The outlines of all segments; none for colour, which has presentation states of its own, and none where nothing was found
/// or the source's rescaling differs from slice to slice.
pub(crate) fn write(work: &Work<'_>) -> Result<Option<ResultInstance>, WriteError> {
    let samples = work.header.int(tags::SAMPLES_PER_PIXEL).unwrap_or(1);
    let Some(first) = work.source.slices.first() else { return Ok(None) };
    let rescale =
        |slice: &SourceSlice| [slice.rescale_slope, slice.rescale_intercept].map(f64::to_bits);
    let same = work.source.slices.iter().all(|slice| rescale(slice) == rescale(first));
    if samples != 1 || !same || work.findings.segments.is_empty() {
        return Ok(None);
    }
    let identity = Companion::PresentationState.identity(work, 1)?;
    let mut set = Companion::PresentationState.begin(work, &identity);
    put_identification(&mut set, work);
    let used = used_slices(work);
    put_relationship(&mut set, work, &used);
    put_displayed_area(&mut set, work, &used);
    put_layers(&mut set, work);
    put_annotations(&mut set, work);
    put_lookup(&mut set, work, first);
    Ok(Some(Companion::PresentationState.end(identity, &set)))
}

/// Presentation State Identification (§C.11.10).
fn put_identification(set: &mut DataSet, work: &Work<'_>) {
    set.put_text(tags::INSTANCE_NUMBER, Vr::IS, "1");
    set.put_text(tags::CONTENT_LABEL, Vr::CS, &code_string(&work.findings.model.name));
    let description = format!("Outlines: {}", work.findings.model.title);
    set.put_text(tags::CONTENT_DESCRIPTION, Vr::LO, &ascii(&description, LO_MAX));
    set.put_text(tags::PRESENTATION_CREATION_DATE, Vr::DA, &work.created.date);
    set.put_text(tags::PRESENTATION_CREATION_TIME, Vr::TM, &work.created.time);
    set.put_empty(tags::CONTENT_CREATOR_NAME, Vr::PN);
}

/// The slices that show a segment.
fn used_slices<'a>(work: &Work<'a>) -> Vec<&'a SourceSlice> {
    let shows = |k: &usize| work.findings.segments.iter().any(|s| s.mask.slices[*k].is_some());
    (0..work.source.slices.len()).filter(shows).map(|k| &work.source.slices[k]).collect()
}

/// References to the images of slices, each image once with the frames that are meant.
fn references(slices: &[&SourceSlice]) -> Vec<DataSet> {
    let mut items: Vec<(&SourceSlice, Vec<String>)> = Vec::new();
    for slice in slices {
        let frame = slice.frame_number.map(|number| number.to_string());
        let uid = &slice.instance.identity.sop_instance;
        match items.iter_mut().find(|(known, _)| known.instance.identity.sop_instance == *uid) {
            Some((_, frames)) => frames.extend(frame),
            None => items.push((slice, frame.into_iter().collect())),
        }
    }
    let item = |(slice, frames): (&SourceSlice, Vec<String>)| {
        let mut item = sop_reference(&slice.instance.identity);
        if !frames.is_empty() {
            item.put_text(tags::REFERENCED_FRAME_NUMBER, Vr::IS, &frames.join("\\"));
        }
        item
    };
    items.into_iter().map(item).collect()
}

/// Presentation State Relationship (§C.11.11).
fn put_relationship(set: &mut DataSet, work: &Work<'_>, used: &[&SourceSlice]) {
    let mut series = DataSet::new();
    series.put_uid(tags::SERIES_INSTANCE_UID, work.source.series.as_str());
    series.put_items(tags::REFERENCED_IMAGE_SEQUENCE, references(used));
    set.put_items(tags::REFERENCED_SERIES_SEQUENCE, vec![series]);
}

/// Displayed Area (§C.10.4): all of the image, as large as the screen allows.
fn put_displayed_area(set: &mut DataSet, work: &Work<'_>, used: &[&SourceSlice]) {
    let [columns, rows, _] = work.source.grid.size();
    let corner = |x: usize, y: usize| -> Vec<u8> {
        [x, y]
            .into_iter()
            .flat_map(|n| i32::try_from(n).unwrap_or(i32::MAX).to_le_bytes())
            .collect()
    };
    let mut area = DataSet::new();
    area.put_items(tags::REFERENCED_IMAGE_SEQUENCE, references(used));
    area.put_bytes(tags::DISPLAYED_AREA_TOP_LEFT_HAND_CORNER, Vr::SL, corner(1, 1));
    area.put_bytes(tags::DISPLAYED_AREA_BOTTOM_RIGHT_HAND_CORNER, Vr::SL, corner(columns, rows));
    area.put_text(tags::PRESENTATION_SIZE_MODE, Vr::CS, "SCALE TO FIT");
    match &work.source.place {
        Some(place) => {
            let bytes = place.pixel_spacing_bytes.clone();
            area.put_bytes(tags::PRESENTATION_PIXEL_SPACING, Vr::DS, bytes);
        }
        None => area.put_text(tags::PRESENTATION_PIXEL_ASPECT_RATIO, Vr::IS, "1\\1"),
    }
    set.put_items(tags::DISPLAYED_AREA_SELECTION_SEQUENCE, vec![area]);
}

/// The layer of segment `index`.
fn layer(index: usize) -> String {
    format!("SEGMENT {}", index + 1)
}

/// Graphic Layer (§C.10.7): one a segment, in its colour.
fn put_layers(set: &mut DataSet, work: &Work<'_>) {
    let item = |(index, segment): (usize, &Segment)| {
        let mut item = DataSet::new();
        item.put_text(tags::GRAPHIC_LAYER, Vr::CS, &layer(index));
        item.put_text(tags::GRAPHIC_LAYER_ORDER, Vr::IS, &(index + 1).to_string());
        let color = cielab(segment.target.color_rgb);
        item.put_u16s(tags::GRAPHIC_LAYER_RECOMMENDED_DISPLAY_CIE_LAB_VALUE, &color);
        let label = ascii(&segment.target.label, LO_MAX);
        item.put_text(tags::GRAPHIC_LAYER_DESCRIPTION, Vr::LO, &label);
        item
    };
    let items = work.findings.segments.iter().enumerate().map(item).collect();
    set.put_items(tags::GRAPHIC_LAYER_SEQUENCE, items);
}

/// Graphic Annotation (§C.10.5): the outlines of each segment in each slice.
fn put_annotations(set: &mut DataSet, work: &Work<'_>) {
    let mut items = Vec::new();
    for (index, segment) in work.findings.segments.iter().enumerate() {
        for (k, slice) in segment.mask.slices.iter().enumerate() {
            let Some(slice) = slice else { continue };
            let drawn: Vec<DataSet> = outlines(&segment.mask, slice)
                .iter()
                .filter(|outline| outline.len() <= POINTS_MAX)
                .map(|outline| polyline(outline))
                .collect();
            if drawn.is_empty() {
                continue;
            }
            let mut item = DataSet::new();
            item.put_items(tags::REFERENCED_IMAGE_SEQUENCE, references(&[&work.source.slices[k]]));
            item.put_text(tags::GRAPHIC_LAYER, Vr::CS, &layer(index));
            item.put_items(tags::GRAPHIC_OBJECT_SEQUENCE, drawn);
            items.push(item);
        }
    }
    set.put_items(tags::GRAPHIC_ANNOTATION_SEQUENCE, items);
}

/// In PIXEL units the centre of the first pixel is (1, 1), so its top left corner is (0.5, 0.5).
fn polyline(outline: &[Corner]) -> DataSet {
    let at = |n: usize| u16::try_from(n).map_or(f32::MAX, f32::from) + 0.5;
    let points: Vec<f32> = outline.iter().flat_map(|(i, j)| [at(*i), at(*j)]).collect();
    let count = u16::try_from(outline.len()).unwrap_or(u16::MAX);
    let mut object = DataSet::new();
    object.put_text(tags::GRAPHIC_ANNOTATION_UNITS, Vr::CS, "PIXEL");
    object.put_u16s(tags::GRAPHIC_DIMENSIONS, &[2]);
    object.put_u16s(tags::NUMBER_OF_GRAPHIC_POINTS, &[count]);
    object.put_f32s(tags::GRAPHIC_DATA, &points);
    object.put_text(tags::GRAPHIC_TYPE, Vr::CS, "POLYLINE");
    object.put_text(tags::GRAPHIC_FILLED, Vr::CS, "N");
    object
}

/// Modality LUT (§C.11.1) and Softcopy VOI LUT (§C.11.8) of the source, Softcopy Presentation LUT (§C.11.6).
fn put_lookup(set: &mut DataSet, work: &Work<'_>, first: &SourceSlice) {
    if work.header.contains(tags::RESCALE_SLOPE) {
        set.put_decimals(tags::RESCALE_INTERCEPT, &[first.rescale_intercept]);
        set.put_decimals(tags::RESCALE_SLOPE, &[first.rescale_slope]);
        let rescale_type = work.header.text(tags::RESCALE_TYPE).filter(|text| !text.is_empty());
        set.put_text(tags::RESCALE_TYPE, Vr::LO, rescale_type.as_deref().unwrap_or("US"));
    }
    let window = [tags::WINDOW_CENTER, tags::WINDOW_WIDTH].map(|tag| work.header.number(tag));
    if let [Some(center), Some(width)] = window
        && width >= 1.0
    {
        let mut item = DataSet::new();
        item.put_decimals(tags::WINDOW_CENTER, &[center]);
        item.put_decimals(tags::WINDOW_WIDTH, &[width]);
        set.put_items(tags::SOFTCOPY_VOILUT_SEQUENCE, vec![item]);
    }
    let inverse =
        work.header.text(tags::PHOTOMETRIC_INTERPRETATION).as_deref() == Some("MONOCHROME1");
    let shape = if inverse { "INVERSE" } else { "IDENTITY" };
    set.put_text(tags::PRESENTATION_LUT_SHAPE, Vr::CS, shape);
}

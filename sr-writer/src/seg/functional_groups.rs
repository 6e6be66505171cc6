//! Multi-frame Functional Groups (PS3.3 §C.7.6.16 and §A.51.5): where each frame lies, what it shows and what it was made of.

use dataset::{DataSet, Element, Value, Vr};
use domain::{Tag, VolumeGeometry};
use series::{Place, SourceInstance, SourceSeries, SourceSlice};

use super::dimensions::index_values;
use super::frames::{Frame, Frames};
use crate::coding::{SEGMENTATION, SOURCE_IMAGE, put_code};
use crate::iod::sop_reference;
use crate::work::Work;
use crate::{WriteError, tags};

/// Most frames that Dimension Index Values, VR UL, can tell apart; Number of Frames is a 32-bit number too.
const FRAMES_MAX: usize = i32::MAX as usize;

/// Puts Number of Frames, the shared groups and the groups of each frame.
pub(crate) fn put_functional_groups(
    set: &mut DataSet,
    work: &Work<'_>,
    frames: &Frames,
) -> Result<(), WriteError> {
    let count = frames.count();
    if count > FRAMES_MAX {
        return Err(WriteError::TooMany { what: "frames", count, most: FRAMES_MAX });
    }
    set.put_text(tags::NUMBER_OF_FRAMES, Vr::IS, &count.to_string());
    set.put_items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![shared(work)]);
    let per_frame = frames.iter().map(|frame| per_frame(work, frames, frame)).collect();
    set.put_items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, per_frame);
    Ok(())
}

/// The longest decimal string (PS3.5 §6.2).
const DECIMAL_CHARACTERS_MAX: usize = 16;

/// A functional group: a sequence of one item.
fn put_group(set: &mut DataSet, tag: Tag, item: DataSet) {
    set.put_items(tag, vec![item]);
}

/// Decimal strings to the letter as they were received; written anew where the source breaks the 16 characters of VR DS
/// (PS3.5 §6.2), which moves nothing by more than the last of 15 digits.
fn put_received(set: &mut DataSet, tag: Tag, bytes: &[u8]) {
    set.put_bytes(tag, Vr::DS, bytes.to_vec());
    let too_long = |text: &[u8]| text.trim_ascii().len() > DECIMAL_CHARACTERS_MAX;
    if bytes.split(|byte| *byte == b'\\').any(too_long) {
        let numbers = set.numbers(tag);
        set.put_decimals(tag, &numbers);
    }
}

/// What lies in the patient says how; of frames without a place nothing is shared.
fn shared(work: &Work<'_>) -> DataSet {
    let mut groups = DataSet::new();
    let source = work.source;
    if let (Some(place), Some(geometry)) = (&source.place, source.grid.in_patient()) {
        let measures = pixel_measures(source, place, geometry);
        put_group(&mut groups, tags::PIXEL_MEASURES_SEQUENCE, measures);
        let mut orientation = DataSet::new();
        put_received(&mut orientation, tags::IMAGE_ORIENTATION_PATIENT, &place.orientation_bytes);
        put_group(&mut groups, tags::PLANE_ORIENTATION_SEQUENCE, orientation);
    }
    groups
}

/// Pixel Measures. Spacing Between Slices is the distance of the source's planes, whatever their thickness is.
fn pixel_measures(source: &SourceSeries, place: &Place, geometry: &VolumeGeometry) -> DataSet {
    let mut measures = DataSet::new();
    put_received(&mut measures, tags::PIXEL_SPACING, &place.pixel_spacing_bytes);
    let spacing = geometry.spacing_mm[2];
    measures.put_decimals(tags::SPACING_BETWEEN_SLICES, &[spacing]);
    match source.slices.first().and_then(slice_thickness) {
        Some(bytes) => put_received(&mut measures, tags::SLICE_THICKNESS, &bytes),
        None => measures.put_decimals(tags::SLICE_THICKNESS, &[spacing]),
    }
    measures
}

/// Slice Thickness of the source as received, where it has one above 0.
fn slice_thickness(slice: &SourceSlice) -> Option<Vec<u8>> {
    let holders = measures_of(&slice.instance, slice.frame_index);
    let holder = holders.into_iter().flatten().find(|holder| {
        holder.number(tags::SLICE_THICKNESS).is_some_and(|mm| mm.is_finite() && mm > 0.0)
    })?;
    match holder.get(tags::SLICE_THICKNESS)? {
        Element { value: Value::Bytes(bytes), .. } => Some(bytes.clone()),
        Element { value: Value::Items(_), .. } => None,
    }
}

/// Where a source may have its Slice Thickness: the groups of the frame, the shared groups, the top.
fn measures_of(instance: &SourceInstance, frame_index: usize) -> [Option<&DataSet>; 3] {
    let header = &instance.header;
    let per_frame = header.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).get(frame_index);
    let shared = header.items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).first();
    let [per_frame, shared] =
        [per_frame, shared].map(|groups| groups?.items(tags::PIXEL_MEASURES_SEQUENCE).first());
    [per_frame, shared, Some(header)]
}

fn per_frame(work: &Work<'_>, frames: &Frames, frame: &Frame) -> DataSet {
    let slice = &work.source.slices[frame.k];
    let mut groups = DataSet::new();
    put_group(&mut groups, tags::FRAME_CONTENT_SEQUENCE, frame_content(work, frames, frame));
    if let Some(place) = &slice.position {
        let mut position = DataSet::new();
        put_received(&mut position, tags::IMAGE_POSITION_PATIENT, &place.bytes);
        put_group(&mut groups, tags::PLANE_POSITION_SEQUENCE, position);
    }
    put_group(&mut groups, tags::DERIVATION_IMAGE_SEQUENCE, derivation_image(slice));
    if let Some(number) = frames.segment_number(frame) {
        let mut segment = DataSet::new();
        segment.put_u16s(tags::REFERENCED_SEGMENT_NUMBER, &[saturated(number)]);
        put_group(&mut groups, tags::SEGMENT_IDENTIFICATION_SEQUENCE, segment);
    }
    groups
}

/// Segments were counted before frames are made, so nothing is ever cut here.
fn saturated(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// The indices; frames without a place also say where they come in time.
fn frame_content(work: &Work<'_>, frames: &Frames, frame: &Frame) -> DataSet {
    let mut content = DataSet::new();
    content.put_u32s(tags::DIMENSION_INDEX_VALUES, &index_values(work, frames, frame));
    if work.source.place.is_none() {
        let place_in_time = u32::try_from(frame.position_number).unwrap_or(u32::MAX);
        content.put_u32s(tags::TEMPORAL_POSITION_INDEX, &[place_in_time]);
    }
    content
}

/// The mask was drawn on the pixels of this source frame, which keep their places.
fn derivation_image(slice: &SourceSlice) -> DataSet {
    let mut source = sop_reference(&slice.instance.identity);
    if let Some(number) = slice.frame_number {
        source.put_text(tags::REFERENCED_FRAME_NUMBER, Vr::IS, &number.to_string());
    }
    source.put_text(tags::SPATIAL_LOCATIONS_PRESERVED, Vr::CS, "YES");
    let purpose = SOURCE_IMAGE.concept();
    put_code(&mut source, tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, &purpose);
    let mut derivation = DataSet::new();
    put_code(&mut derivation, tags::DERIVATION_CODE_SEQUENCE, &SEGMENTATION.concept());
    derivation.put_items(tags::SOURCE_IMAGE_SEQUENCE, vec![source]);
    derivation
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        let mut set = DataSet::new();
        put_received(&mut set, tags::IMAGE_POSITION_PATIENT, bytes);
        match &set.get(tags::IMAGE_POSITION_PATIENT).unwrap().value {
            Value::Bytes(bytes) => String::from_utf8(bytes.clone()).unwrap(),
            Value::Items(_) => unreachable!("put as bytes"),
        }
    }

    #[test]
    fn legal_decimals_are_kept_and_longer_ones_written_anew() {
        assert_eq!(text(b"1.50\\-2.000\\3e0 "), "1.50\\-2.000\\3e0 ");
        let anew = text(b"-94.2803170889928\\-149.659736336136\\1 ");
        assert_eq!(anew.trim_end(), "-94.280317088993\\-149.65973633614\\1");
    }
}

//! The Segmentation (PS3.3 §A.51): a segment a finding, on the grid of the source, in the form that was asked for.

mod color;
mod dimensions;
mod frames;
mod functional_groups;
mod image;
mod label_map;
mod pixel_data;
mod runs;
mod segment;

use dataset::DataSet;

use crate::iod::{
    SeriesRole, put_equipment, put_frame_of_reference, put_patient_and_study, put_series,
    put_sop_common, series_items,
};
use crate::parts::Part;
use crate::work::Work;
use crate::{ResultInstance, ResultKind, WriteError, tags};

pub(crate) use color::cielab;
use frames::{Frame, Frames};
pub(crate) use label_map::coded_slices;

/// Makes the Segmentations of findings with at least one segment.
pub(crate) fn write(work: &Work<'_>) -> Result<Vec<ResultInstance>, WriteError> {
    let numbered = (1..).zip(work.parts.iter());
    numbered.map(|(number, part)| write_part(work, part, number)).collect()
}

fn write_part(work: &Work<'_>, part: &Part, number: usize) -> Result<ResultInstance, WriteError> {
    let identity = part.identity.clone();
    let frames = Frames::of(work, part);
    let mut set = DataSet::new();
    put_patient_and_study(&mut set, work.header, &work.source.study);
    put_series(&mut set, work, SeriesRole::Segmentation, identity.series.as_str());
    put_frame_of_reference(&mut set, work);
    put_equipment(&mut set, &work.context.device);
    image::put_segmentation_image(&mut set, work, number)?;
    segment::put_segments(&mut set, work, part.segments.clone());
    dimensions::put_dimensions(&mut set, work, &frames);
    functional_groups::put_functional_groups(&mut set, work, &frames)?;
    put_common_instance_reference(&mut set, work, &frames);
    put_sop_common(&mut set, work, &identity);
    let file = pixel_data::file_with_pixels(&identity, &set, work, &frames)?;
    Ok(ResultInstance { kind: ResultKind::Segmentation, identity, file })
}

/// The number, from 1, of the frame that shows segment `index` of the findings in slice `k`.
pub(crate) fn frame_number(work: &Work<'_>, index: usize, k: usize) -> u32 {
    let of_segment = |part: &&Part| part.segments.contains(&index);
    let frames = work.parts.iter().find(of_segment).map(|part| Frames::of(work, part));
    let is_it = |frame: &Frame| frame.k == k && frame.segment_index.is_none_or(|i| i == index);
    let place = frames.and_then(|frames| frames.iter().position(is_it)).unwrap_or(0);
    u32::try_from(place + 1).unwrap_or(u32::MAX)
}

/// Common Instance Reference (PS3.3 §C.12.2): every source instance that a frame refers to, once.
fn put_common_instance_reference(set: &mut DataSet, work: &Work<'_>, frames: &Frames) {
    let used: std::collections::BTreeSet<_> =
        frames.positions().map(|k| &work.source.slices[k].instance.identity.sop_instance).collect();
    let instances = work.source.instances.iter().map(|instance| &instance.identity);
    let referenced = instances.filter(|identity| used.contains(&identity.sop_instance));
    let items = series_items(referenced, tags::REFERENCED_INSTANCE_SEQUENCE);
    set.put_items(tags::REFERENCED_SERIES_SEQUENCE, items);
}

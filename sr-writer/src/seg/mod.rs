//! The Segmentation (PS3.3 §A.51): one BINARY segment a finding, on the grid of the source, without empty frames.

mod color;
mod dimensions;
mod frames;
mod functional_groups;
mod image;
mod pixel_data;
mod segment;

use dataset::DataSet;
use dicom_dictionary_std::uids::SEGMENTATION_STORAGE;
use domain::{InstanceIdentity, SopClassUid};

use crate::iod::{
    SeriesRole, file, put_equipment, put_frame_of_reference, put_patient_and_study, put_series,
    put_sop_common, series_items, transfer_syntax,
};
use crate::work::Work;
use crate::{ResultInstance, ResultKind, WriteError, tags};

use frames::Frames;

/// Makes the Segmentation of findings with at least one segment.
pub(crate) fn write(work: &Work<'_>) -> Result<ResultInstance, WriteError> {
    let identity = InstanceIdentity {
        study: work.source.study.clone(),
        series: work.uids.segmentation_series()?,
        sop_instance: work.uids.segmentation()?,
        sop_class: SopClassUid::parse(SEGMENTATION_STORAGE)?,
        transfer_syntax: transfer_syntax()?,
    };
    let frames = Frames::of(work.findings);
    let mut set = DataSet::new();
    put_patient_and_study(&mut set, work.header, &work.source.study);
    put_series(&mut set, work, SeriesRole::Segmentation, identity.series.as_str());
    put_frame_of_reference(&mut set, work);
    put_equipment(&mut set, &work.context.device);
    image::put_segmentation_image(&mut set, work)?;
    segment::put_segments(&mut set, work)?;
    dimensions::put_dimensions(&mut set, work);
    functional_groups::put_functional_groups(&mut set, work, &frames)?;
    put_common_instance_reference(&mut set, work, &frames);
    put_sop_common(&mut set, work, &identity);
    pixel_data::put_pixel_data(&mut set, work, &frames)?;
    let file = file(&identity, &set);
    Ok(ResultInstance { kind: ResultKind::Segmentation, identity, file })
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

//! Frames that claim no place in the patient: 2-D images, cine, endoscopy, photographs.

use std::sync::Arc;

use dataset::{DataSet, tags};
use domain::{FrameStack, IntensityUnit, SourceGrid, Unsuitable, UnsuitableCode};

use crate::pixel_values::PixelValues;
use crate::{SourceInstance, SourceSeries, SourceSlice};

/// Whether no instance claims a place in the patient: none has a Frame of Reference UID, a position, an orientation, or
/// functional groups that might hold them.
///
/// A slice that has one of them and lacks another is no photograph; [`crate::assemble`] says what is missing.
pub(crate) fn is_placeless(instances: &[Arc<SourceInstance>]) -> bool {
    let claims = [
        tags::FRAME_OF_REFERENCE_UID,
        tags::IMAGE_POSITION_PATIENT,
        tags::IMAGE_ORIENTATION_PATIENT,
        tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
        tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
    ];
    let has_value = |header: &DataSet, tag| {
        !header.items(tag).is_empty() || header.text(tag).is_some_and(|text| !text.is_empty())
    };
    let claims = |instance: &Arc<SourceInstance>| {
        claims.into_iter().any(|tag| has_value(&instance.header, tag))
    };
    !instances.iter().any(claims)
}

/// Stacks the frames by Instance Number, then by SOP Instance UID.
///
/// # Errors
/// [`UnsuitableCode::MixedGrid`] when rows or columns differ, [`UnsuitableCode::MissingGeometry`] without them,
/// [`UnsuitableCode::PixelFormat`] for a Rescale Slope that is none.
pub(crate) fn stack_frames(instances: &[Arc<SourceInstance>]) -> Result<SourceSeries, Unsuitable> {
    let mut ordered = instances.to_vec();
    ordered.sort_by_key(|instance| {
        let number = instance.header.int(tags::INSTANCE_NUMBER).unwrap_or(i64::MAX);
        (number, instance.identity.sop_instance.clone())
    });
    let Some(first) = ordered.first().cloned() else {
        return Err(Unsuitable::new(UnsuitableCode::TooFewSlices, "no instances"));
    };
    let [columns, rows] = extent(&first)?;
    for other in &ordered {
        check_extent(other, [columns, rows])?;
    }
    let slices = ordered.iter().map(slices_of).collect::<Result<Vec<_>, _>>()?.concat();
    Ok(SourceSeries {
        study: first.identity.study.clone(),
        series: first.identity.series.clone(),
        modality: first.header.text(tags::MODALITY).unwrap_or_default(),
        grid: SourceGrid::Frames(FrameStack {
            size: [columns, rows, slices.len()],
            pixel_spacing_mm: common_spacing(&ordered),
        }),
        place: None,
        slices,
        instances: ordered,
        unit: IntensityUnit::Signal,
    })
}

fn extent(instance: &SourceInstance) -> Result<[usize; 2], Unsuitable> {
    let count = |tag| instance.header.int(tag).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    match [count(tags::COLUMNS), count(tags::ROWS)] {
        [0, _] | [_, 0] => {
            let detail =
                format!("{}: Rows or Columns are absent or 0", instance.identity.sop_instance);
            Err(Unsuitable::new(UnsuitableCode::MissingGeometry, detail))
        }
        extent => Ok(extent),
    }
}

fn check_extent(instance: &SourceInstance, wanted: [usize; 2]) -> Result<(), Unsuitable> {
    let found = extent(instance)?;
    if found == wanted {
        return Ok(());
    }
    let detail = format!(
        "{} has {} x {} pixels, others of its series {} x {}, and no place in the patient tells how they go together",
        instance.identity.sop_instance, found[0], found[1], wanted[0], wanted[1]
    );
    Err(Unsuitable::new(UnsuitableCode::MixedGrid, detail))
}

fn slices_of(instance: &Arc<SourceInstance>) -> Result<Vec<SourceSlice>, Unsuitable> {
    let values = PixelValues::read(&instance.header, Some(&instance.header)).map_err(|fault| {
        Unsuitable::new(fault.code, format!("{}: {}", instance.identity.sop_instance, fault.detail))
    })?;
    let is_multi_frame = instance.header.contains(tags::NUMBER_OF_FRAMES);
    let slice = |frame_index: usize| SourceSlice {
        instance: Arc::clone(instance),
        frame_index,
        frame_number: u32::try_from(frame_index + 1).ok().filter(|_| is_multi_frame),
        position: None,
        rescale_slope: values.slope,
        rescale_intercept: values.intercept,
    };
    Ok((0..instance.frame_count).map(slice).collect())
}

/// Pixel Spacing (PS3.3 §10.7.1.3) as columns, rows, in mm, where all instances have the same.
fn common_spacing(instances: &[Arc<SourceInstance>]) -> Option<[f64; 2]> {
    let spacing = |instance: &SourceInstance| {
        let spacing = instance.header.checked_numbers(tags::PIXEL_SPACING).ok()?;
        match spacing[..] {
            [row_mm, column_mm] if row_mm > 0.0 && column_mm > 0.0 => Some([column_mm, row_mm]),
            _ => None,
        }
    };
    let mut all = instances.iter().map(|instance| spacing(instance));
    let first = all.next()??;
    all.all(|other| other == Some(first)).then_some(first)
}

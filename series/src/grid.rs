//! Frames to a grid.

use std::sync::Arc;

use dataset::tags;
use domain::{IntensityUnit, Limits, SourceGrid, Unsuitable, UnsuitableCode, VolumeGeometry};

use crate::frame::{Frame, frames_of};
use crate::placeless::{is_placeless, stack_frames};
use crate::stack::{check_alike, check_distances, check_fit, distances_mm, mean_mm, sort};
use crate::{Place, SlicePosition, SourceInstance, SourceSeries, SourceSlice};

/// Frames of a series, of all its instances. A number of them is declared in a few bytes, and each takes half a kilobyte.
const FRAMES_MAX: usize = 65_536;

/// Distance that a lone slice is given when its header tells neither spacing nor thickness, in mm.
const LONE_SLICE_MM: f64 = 1.0;

/// Orders the frames of a series along their normal and checks that they make up a regular grid; frames of which none
/// claims a place in the patient are stacked instead, in the order of their Instance Numbers.
///
/// Instance Numbers play no part. The spacing of the grid is the mean distance; a lone slice gets its Spacing Between Slices,
/// else its Slice Thickness, else 1 mm. Tolerances are in the documentation of this crate.
///
/// # Errors
/// [`UnsuitableCode::TooFewSlices`] without instances, [`UnsuitableCode::TooLarge`], [`UnsuitableCode::NoPixels`],
/// [`UnsuitableCode::MissingGeometry`], [`UnsuitableCode::MixedOrientation`], [`UnsuitableCode::MixedGrid`],
/// [`UnsuitableCode::DuplicateSlice`], [`UnsuitableCode::Gap`], [`UnsuitableCode::GantryTilt`] and, for a Rescale Slope that is none,
/// [`UnsuitableCode::PixelFormat`]; the detail names instances and distances.
pub fn assemble(
    instances: &[Arc<SourceInstance>],
    limits: &Limits,
) -> Result<SourceSeries, Unsuitable> {
    let Some(first) = instances.first() else {
        return Err(Unsuitable::new(UnsuitableCode::TooFewSlices, "no instances"));
    };
    check_extent(instances, limits)?;
    check_one_series(first, instances)?;
    if is_placeless(instances) {
        return stack_frames(instances);
    }
    let mut frames = Vec::with_capacity(instances.len());
    for instance in instances {
        frames.extend(frames_of(instance)?);
    }
    check_alike(&frames)?;
    sort(&mut frames);
    let distances = distances_mm(&frames);
    check_distances(&frames, &distances)?;
    let Some(geometry) = geometry(&frames, mean_mm(&distances)) else {
        return Err(Unsuitable::new(UnsuitableCode::TooFewSlices, "no frames"));
    };
    check_fit(&frames, &geometry)?;
    source_series(frames, geometry)
        .ok_or_else(|| Unsuitable::new(UnsuitableCode::TooFewSlices, "no frames"))
}

/// Bounds first, so that nothing below works on more than is allowed.
fn check_extent(instances: &[Arc<SourceInstance>], limits: &Limits) -> Result<(), Unsuitable> {
    let too_large = |what, count, most| {
        let detail = format!("{count} {what}, {most} are allowed");
        Err(Unsuitable::new(UnsuitableCode::TooLarge, detail))
    };
    if instances.len() > limits.series_instances_max {
        return too_large("instances", instances.len(), limits.series_instances_max);
    }
    let frames = frame_count(instances);
    if frames > FRAMES_MAX {
        return too_large("frames", frames, FRAMES_MAX);
    }
    let mut voxels = 0_usize;
    for instance in instances {
        if instance.pixel_data.is_none() {
            let detail = format!("{} has no Pixel Data", instance.identity.sop_instance);
            return Err(Unsuitable::new(UnsuitableCode::NoPixels, detail));
        }
        let extent = |tag| {
            let count = instance.header.int(tag).and_then(|n| usize::try_from(n).ok());
            count.unwrap_or(0)
        };
        let frame = extent(tags::ROWS).saturating_mul(extent(tags::COLUMNS));
        voxels = voxels.saturating_add(frame.saturating_mul(instance.frame_count));
    }
    if voxels > limits.volume_voxels_max {
        return too_large("voxels", voxels, limits.volume_voxels_max);
    }
    Ok(())
}

/// Frames of all instances that have pixels.
pub(crate) fn frame_count(instances: &[Arc<SourceInstance>]) -> usize {
    let images = instances.iter().filter(|instance| instance.pixel_data.is_some());
    images.fold(0, |sum: usize, image| sum.saturating_add(image.frame_count))
}

/// Whether there are more frames than a grid may have.
pub(crate) fn has_too_many_frames(instances: &[Arc<SourceInstance>]) -> bool {
    frame_count(instances) > FRAMES_MAX
}

fn check_one_series(
    first: &SourceInstance,
    instances: &[Arc<SourceInstance>],
) -> Result<(), Unsuitable> {
    let of = |instance: &SourceInstance| {
        (instance.identity.study.clone(), instance.identity.series.clone())
    };
    let wanted = of(first);
    let Some(other) = instances.iter().find(|instance| of(instance) != wanted) else {
        return Ok(());
    };
    let detail = format!(
        "{} is of series {}, not {}",
        other.identity.sop_instance, other.identity.series, wanted.1
    );
    Err(Unsuitable::new(UnsuitableCode::MixedGrid, detail))
}

fn geometry(frames: &[Frame], spacing_mm: Option<f64>) -> Option<VolumeGeometry> {
    let plane = &frames.first()?.plane;
    let [row, column] = plane.directions;
    let [x, y] = plane.spacing_mm;
    let z = spacing_mm.or(plane.thickness_mm).unwrap_or(LONE_SLICE_MM);
    Some(VolumeGeometry {
        size: [plane.columns, plane.rows, frames.len()],
        spacing_mm: [x, y, z],
        origin_mm: plane.position_mm,
        directions: [row, column, plane.normal()],
    })
}

fn source_series(frames: Vec<Frame>, geometry: VolumeGeometry) -> Option<SourceSeries> {
    let Frame { instance, plane, .. } = frames.first()?.clone();
    let hounsfield = frames.iter().all(|frame| frame.values.unit == IntensityUnit::Hounsfield);
    Some(SourceSeries {
        study: instance.identity.study.clone(),
        series: instance.identity.series.clone(),
        modality: instance.header.text(tags::MODALITY).unwrap_or_default(),
        grid: SourceGrid::Patient(geometry),
        place: Some(Place {
            frame_of_reference: plane.frame_of_reference,
            orientation_bytes: plane.orientation_bytes,
            pixel_spacing_bytes: plane.spacing_bytes,
        }),
        instances: in_order(&frames),
        slices: frames.into_iter().map(slice).collect(),
        unit: if hounsfield { IntensityUnit::Hounsfield } else { IntensityUnit::Signal },
    })
}

/// Each instance once, where its first frame is.
fn in_order(frames: &[Frame]) -> Vec<Arc<SourceInstance>> {
    let mut seen = std::collections::BTreeSet::new();
    let is_new = |frame: &&Frame| seen.insert(frame.instance.identity.sop_instance.clone());
    frames.iter().filter(is_new).map(|frame| Arc::clone(&frame.instance)).collect()
}

fn slice(frame: Frame) -> SourceSlice {
    let number = u32::try_from(frame.frame_index + 1).ok();
    SourceSlice {
        frame_number: number.filter(|_| frame.is_multi_frame),
        instance: frame.instance,
        frame_index: frame.frame_index,
        position: Some(SlicePosition {
            mm: frame.plane.position_mm,
            bytes: frame.plane.position_bytes,
        }),
        rescale_slope: frame.values.slope,
        rescale_intercept: frame.values.intercept,
    }
}

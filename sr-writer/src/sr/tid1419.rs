//! TID 1419, ROI Measurements: the numbers of a segment.

use domain::{
    Axes, Bounds, Extent, Intensity, IntensityUnit, PlanarBox, Segment, SourceGrid, VolumeGeometry,
};
use series::SourceSeries;

use super::item::Item;
use super::item::Relationship::HasConceptMod;
use crate::coding::{
    AREA, ATTENUATION, CERTAINTY, CUBIC_CENTIMETRE, Code, DEPTH, DERIVATION, ECHOGENICITY, HEIGHT,
    HOUNSFIELD, LONG_AXIS, MAXIMUM, MAXIMUM_3D_DIAMETER, MEAN, MEASUREMENT_METHOD, MEDIAN,
    MILLIMETRE, MINIMUM, MR_SIGNAL, NM_ACTIVITY, NO_UNITS, PERCENT, PIXELS, SHORT_AXIS,
    SQUARE_MILLIMETRE, STANDARD_DEVIATION, SURFACE_AREA, VOLUME, VOXEL_SUMMATION, WIDTH,
};

/// All NUM items of a segment; to be added as contained. `docs/measurements.md` defines them.
///
/// Width, Height and Depth (CID 7470) are the extents of the box around the segment, in mm, along rows, columns and normal of
/// the source images: number of voxels times spacing. Certainty of Finding is the model's own mean probability, in %.
pub(crate) fn measurements(segment: &Segment, source: &SourceSeries) -> Vec<Item> {
    let measured = &segment.measurements;
    let mut items = extent(&measured.extent);
    items.extend(measured.intensity.iter().flat_map(|of| intensities(of, &source.modality)));
    if let Some(geometry) = source.grid.in_patient() {
        items.extend(box_lengths(&measured.bounds, geometry));
    }
    items.extend(segment.confidence.map(|c| Item::number(CERTAINTY, c.0 * 100.0, PERCENT)));
    items
}

/// Volume in cm³, areas in mm², lengths in mm; area in pixels where the size of a pixel is unknown.
fn extent(extent: &Extent) -> Vec<Item> {
    match *extent {
        Extent::Volumetric { volume_mm3, surface_area_mm2, maximum_diameter_mm, axes } => {
            let method = Item::code(MEASUREMENT_METHOD, &VOXEL_SUMMATION.concept());
            let volume = Item::number(VOLUME, volume_mm3 / 1000.0, CUBIC_CENTIMETRE);
            let surface = Item::number(SURFACE_AREA, surface_area_mm2, SQUARE_MILLIMETRE);
            let diameter = Item::number(MAXIMUM_3D_DIAMETER, maximum_diameter_mm, MILLIMETRE);
            let volume = volume.with(HasConceptMod, method);
            [volume, surface, diameter].into_iter().chain(lengths(axes)).collect()
        }
        Extent::Planar { area_mm2, axes, .. } => {
            let area = Item::number(AREA, area_mm2, SQUARE_MILLIMETRE);
            [area].into_iter().chain(lengths(axes)).collect()
        }
        Extent::Pixels { area_pixels, .. } => {
            vec![Item::number(AREA, counted(area_pixels), PIXELS)]
        }
    }
}

fn lengths(axes: Axes) -> [Item; 2] {
    [
        Item::number(LONG_AXIS, axes.long_mm, MILLIMETRE),
        Item::number(SHORT_AXIS, axes.short_mm, MILLIMETRE),
    ]
}

/// Width and Height of a box: in mm where the size of a pixel is known, else in pixels.
pub(crate) fn box_measurements(of_box: &PlanarBox, source: &SourceSeries) -> Vec<Item> {
    let spacing_mm = match &source.grid {
        SourceGrid::Patient(geometry) => Some([geometry.spacing_mm[0], geometry.spacing_mm[1]]),
        SourceGrid::Frames(stack) => stack.pixel_spacing_mm,
    };
    let side = |axis: usize| counted(of_box.last[axis].saturating_sub(of_box.first[axis]) + 1);
    let item = |(name, axis): (Code, usize)| match spacing_mm {
        Some(mm) => Item::number(name, side(axis) * mm[axis], MILLIMETRE),
        None => Item::number(name, side(axis), PIXELS),
    };
    [(WIDTH, 0), (HEIGHT, 1)].map(item).into()
}

fn counted(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

fn intensities(measured: &Intensity, modality: &str) -> Vec<Item> {
    let (name, unit) = intensity(measured.unit, modality);
    let derived = [
        (MEAN, measured.mean),
        (STANDARD_DEVIATION, measured.standard_deviation),
        (MINIMUM, measured.minimum),
        (MAXIMUM, measured.maximum),
        (MEDIAN, measured.median),
    ];
    let item = |(derivation, value): (Code, f64)| {
        let modifier = Item::code(DERIVATION, &derivation.concept());
        Item::number(name, value, unit).with(HasConceptMod, modifier)
    };
    derived.map(item).into()
}

/// What the intensities of a modality are (CID 7180). Hounsfield units only where they are known to be; otherwise without unit.
fn intensity(unit: IntensityUnit, modality: &str) -> (Code, Code) {
    match (unit, modality) {
        (IntensityUnit::Hounsfield, _) => (ATTENUATION, HOUNSFIELD),
        (IntensityUnit::Signal, "PT" | "NM") => (NM_ACTIVITY, NO_UNITS),
        (IntensityUnit::Signal, "US" | "IVUS") => (ECHOGENICITY, NO_UNITS),
        (IntensityUnit::Signal, "CT" | "XA" | "DX" | "CR" | "MG" | "RF") => (ATTENUATION, NO_UNITS),
        (IntensityUnit::Signal, _) => (MR_SIGNAL, NO_UNITS),
    }
}

fn box_lengths(bounds: &Bounds, grid: &VolumeGeometry) -> Vec<Item> {
    let length = |axis: usize| {
        let count = bounds.last[axis].saturating_sub(bounds.first[axis]) + 1;
        counted(count) * grid.spacing_mm[axis]
    };
    [WIDTH, HEIGHT, DEPTH]
        .into_iter()
        .zip([0, 1, 2])
        .map(|(name, axis)| Item::number(name, length(axis), MILLIMETRE))
        .collect()
}

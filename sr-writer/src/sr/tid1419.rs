//! TID 1419, ROI Measurements: the numbers of a segment.

use domain::{IntensityUnit, Measurements, Segment, VolumeGeometry};

use super::item::Item;
use super::item::Relationship::HasConceptMod;
use crate::coding::{
    ATTENUATION, CERTAINTY, CUBIC_CENTIMETRE, Code, DEPTH, DERIVATION, ECHOGENICITY, HEIGHT,
    HOUNSFIELD, MAXIMUM, MEAN, MEASUREMENT_METHOD, MILLIMETRE, MINIMUM, MR_SIGNAL, NM_ACTIVITY,
    NO_UNITS, PERCENT, STANDARD_DEVIATION, VOLUME, VOXEL_SUMMATION, WIDTH,
};

/// All NUM items of a segment; to be added as contained.
///
/// Volume is in cm³, by voxel summation. Width, Height and Depth (CID 7470) are the extents of the box around the segment, in
/// mm, along rows, columns and normal of the source images: number of voxels times spacing. Certainty of Finding is the
/// model's own mean probability, in %.
pub(crate) fn measurements(segment: &Segment, grid: &VolumeGeometry, modality: &str) -> Vec<Item> {
    let measured = &segment.measurements;
    let mut items = vec![volume(measured)];
    items.extend(intensities(measured, modality));
    items.extend(extents(measured, grid));
    items.extend(segment.confidence.map(|c| Item::number(CERTAINTY, c.0 * 100.0, PERCENT)));
    items
}

fn volume(measured: &Measurements) -> Item {
    Item::number(VOLUME, measured.volume_mm3 / 1000.0, CUBIC_CENTIMETRE)
        .with(HasConceptMod, Item::code(MEASUREMENT_METHOD, &VOXEL_SUMMATION.concept()))
}

fn intensities(measured: &Measurements, modality: &str) -> Vec<Item> {
    let (name, unit) = intensity(measured.unit, modality);
    let derived = [
        (MEAN, measured.mean),
        (STANDARD_DEVIATION, measured.standard_deviation),
        (MINIMUM, measured.minimum),
        (MAXIMUM, measured.maximum),
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

fn extents(measured: &Measurements, grid: &VolumeGeometry) -> Vec<Item> {
    let bounds = &measured.bounds;
    let extent = |axis: usize| {
        let count = bounds.last[axis].saturating_sub(bounds.first[axis]) + 1;
        u32::try_from(count).map_or(f64::NAN, f64::from) * grid.spacing_mm[axis]
    };
    [WIDTH, HEIGHT, DEPTH]
        .into_iter()
        .zip([0, 1, 2])
        .map(|(name, axis)| Item::number(name, extent(axis), MILLIMETRE))
        .collect()
}

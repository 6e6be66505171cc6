//! What holds of the measurements of any mask.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use domain::{Axes, Extent, IntensityUnit, Mask, Measurements, SourceGrid, VolumeGeometry};
use inference::{Volume, measure};
use proptest::collection::vec;
use proptest::prelude::*;

/// A segment in a volume of its own.
#[derive(Debug, Clone)]
struct Case {
    size: [usize; 3],
    spacing_mm: [f64; 3],
    /// Of each voxel its value, and whether it is in the segment.
    voxels: Vec<(f32, bool)>,
}

impl Case {
    fn measure(&self) -> Option<Measurements> {
        let inside: Vec<bool> = self.voxels.iter().map(|(_, inside)| *inside).collect();
        let grid = SourceGrid::Patient(VolumeGeometry {
            size: self.size,
            spacing_mm: self.spacing_mm,
            origin_mm: [1.0, -2.0, 3.0],
            directions: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        });
        let values = self.voxels.iter().map(|(value, _)| *value).collect();
        let volume = Volume { grid, values, unit: IntensityUnit::Signal };
        measure(&Mask::from_voxels(self.size[0], self.size[1], &inside), &volume)
    }

    /// The voxels of this case on another grid, each taken from where a function says; outside of
    /// it nothing is set.
    fn seen(
        &self,
        size: [usize; 3],
        spacing_mm: [f64; 3],
        from: impl Fn([usize; 3]) -> Option<[usize; 3]>,
    ) -> Self {
        let voxel = |n: usize| {
            let at = [n % size[0], n / size[0] % size[1], n / size[0] / size[1]];
            let [i, j, k] = from(at).filter(|at| (0..3).all(|axis| at[axis] < self.size[axis]))?;
            Some(self.voxels[(k * self.size[1] + j) * self.size[0] + i])
        };
        let voxels = (0..size.iter().product()).map(|n| voxel(n).unwrap_or((7.0e7, false)));
        Self { size, spacing_mm, voxels: voxels.collect() }
    }
}

fn cases() -> impl Strategy<Value = Case> {
    let sizes = [1..9_usize, 1..7, 1..5];
    let spacings = [0.2..3.0, 0.2..3.0, 0.2..5.0_f64];
    (sizes, spacings, 0.02..1.0_f64).prop_flat_map(|(size, spacing_mm, share)| {
        let voxel = (-1000.0..3000.0_f32, proptest::bool::weighted(share));
        let voxels = vec(voxel, size.iter().product::<usize>());
        voxels.prop_map(move |voxels| Case { size, spacing_mm, voxels })
    })
}

/// Volume, surface, diameter, long and short axis.
fn lengths(measured: &Measurements) -> [f64; 5] {
    let Extent::Volumetric { volume_mm3, surface_area_mm2, maximum_diameter_mm, axes } =
        measured.extent
    else {
        unreachable!("the grid is in the patient")
    };
    let Axes { long_mm, short_mm } = axes;
    [volume_mm3, surface_area_mm2, maximum_diameter_mm, long_mm, short_mm]
}

/// Both say the same of shape and brightness.
fn same(a: Option<&Measurements>, b: Option<&Measurements>) -> Result<(), TestCaseError> {
    prop_assert_eq!(a.is_some(), b.is_some());
    let (Some(a), Some(b)) = (a, b) else { return Ok(()) };
    for (a, b) in lengths(a).into_iter().zip(lengths(b)) {
        prop_assert!((a - b).abs() <= 1e-9 * a, "{} {}", a, b);
    }
    let [a, b] = [a, b].map(|measured| measured.intensity.unwrap());
    for (a, b) in [(a.minimum, b.minimum), (a.maximum, b.maximum), (a.median, b.median)] {
        prop_assert_eq!(a.to_bits(), b.to_bits());
    }
    prop_assert!((a.mean - b.mean).abs() < 1e-7, "{} {}", a.mean, b.mean);
    let apart = (a.standard_deviation - b.standard_deviation).abs();
    prop_assert!(apart < 1e-7, "{} {}", a.standard_deviation, b.standard_deviation);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lengths_are_in_order(case in cases()) {
        let Some(measured) = case.measure() else { return Ok(()) };
        let [volume, surface, diameter, long, short] = lengths(&measured);
        let tolerance = 1.0 + 1e-12;
        prop_assert!(0.0 < short && short <= long && long <= diameter * tolerance);
        let least = case.spacing_mm.into_iter().fold(f64::INFINITY, f64::min);
        prop_assert!(short >= least / tolerance, "{} {}", short, least);
        let box_mm = [0, 1, 2].map(|axis| {
            let voxels = measured.bounds.last[axis] + 1 - measured.bounds.first[axis];
            voxels as f64 * case.spacing_mm[axis]
        });
        prop_assert!(diameter <= domain::norm(box_mm) * tolerance);
        prop_assert!(volume <= box_mm.iter().product::<f64>() * tolerance);
        // The shadow of a closed surface along an axis is at most half of it; a voxel's is a
        // rhombus.
        let [x, y, z] = case.spacing_mm;
        prop_assert!(surface >= [x * y, y * z, z * x].into_iter().fold(0.0, f64::max) / tolerance);
        let bright = measured.intensity.unwrap();
        prop_assert!(bright.minimum <= bright.median && bright.median <= bright.maximum);
        prop_assert!(bright.minimum <= bright.mean && bright.mean <= bright.maximum);
        prop_assert!(bright.standard_deviation <= (bright.maximum - bright.minimum) / 2.0 * tolerance);
    }

    #[test]
    fn a_place_in_the_grid_changes_nothing(
        case in cases(),
        moved in [0..70_usize, 0..9, 0..4],
        more in [0..70_usize, 0..9, 0..4],
    ) {
        let size = [0, 1, 2].map(|axis| case.size[axis] + moved[axis] + more[axis]);
        let there = case.seen(size, case.spacing_mm, |at| {
            let [i, j, k] = [0, 1, 2].map(|axis| at[axis].checked_sub(moved[axis]));
            Some([i?, j?, k?])
        });
        same(case.measure().as_ref(), there.measure().as_ref())?;
    }

    #[test]
    fn a_mirror_changes_nothing(case in cases(), axis in 0..3_usize) {
        let mirrored = case.seen(case.size, case.spacing_mm, |mut at| {
            at[axis] = case.size[axis] - 1 - at[axis];
            Some(at)
        });
        same(case.measure().as_ref(), mirrored.measure().as_ref())?;
    }

    #[test]
    fn rows_may_be_columns(case in cases()) {
        let ([a, b, c], [x, y, z]) = (case.size, case.spacing_mm);
        let turned = case.seen([b, a, c], [y, x, z], |[i, j, k]| Some([j, i, k]));
        same(case.measure().as_ref(), turned.measure().as_ref())?;
    }

    #[test]
    fn a_scale_is_a_factor(case in cases(), factor in 0.1..10.0_f64) {
        let spacing_mm = case.spacing_mm.map(|spacing| spacing * factor);
        let scaled = Case { spacing_mm, ..case.clone() };
        let (Some(one), Some(other)) = (case.measure(), scaled.measure()) else { return Ok(()) };
        let powers = [factor.powi(3), factor.powi(2), factor, factor, factor];
        for ((one, other), power) in lengths(&one).into_iter().zip(lengths(&other)).zip(powers) {
            prop_assert!((one * power - other).abs() <= 1e-9 * other, "{} {}", one * power, other);
        }
    }
}

#[test]
fn numbers_are_the_same_on_any_number_of_threads() {
    let values = (0..90 * 80 * 70_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 12) as f32 / 7.0);
    let voxels = values.map(|value| (value, value % 3.0 < 1.7)).collect();
    let case = Case { size: [90, 80, 70], spacing_mm: [0.7, 0.9, 1.1], voxels };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| case.measure()).unwrap()
    };
    let one = on(1);
    assert_eq!(one, on(2));
    assert_eq!(one, on(5));
}

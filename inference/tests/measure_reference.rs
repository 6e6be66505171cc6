//! Measurements against a second implementation, straight from the definitions, in Python.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use domain::{Extent, IntensityUnit, Mask, Measurements, SourceGrid, VolumeGeometry};
use inference::{Volume, measure};

struct Case {
    name: String,
    mask: Mask,
    volume: Volume,
}

/// What the reference prints of a case, in this order.
const NAMES: [&str; 11] = [
    "voxels",
    "mean",
    "deviation",
    "minimum",
    "maximum",
    "median",
    "volume",
    "surface",
    "diameter",
    "long axis",
    "short axis",
];

/// Python with numpy and scipy: of the validators where `cargo xtask test` put them, else the
/// system's.
fn python() -> Option<PathBuf> {
    let validators = env::var_os("PARSENODE_VALIDATORS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/validators"),
        PathBuf::from,
    );
    let programs = [validators.join("venv/bin/python"), PathBuf::from("python3")];
    let has_numpy = |program: &PathBuf| {
        let asked = Command::new(program).args(["-c", "import numpy, scipy.spatial"]).output();
        asked.is_ok_and(|output| output.status.success())
    };
    programs.into_iter().find(has_numpy)
}

/// A number without pattern for each voxel, 0 to 9999.
fn scattered(n: usize) -> u16 {
    let mixed = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    u16::try_from((mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40 & 0xffff).unwrap()
        % 10_000
}

fn case(
    name: &str,
    size: [usize; 3],
    spacing_mm: [f64; 3],
    inside: impl Fn([usize; 3]) -> bool,
) -> Case {
    let voxel_count = size.iter().product();
    let at = |n: usize| [n % size[0], n / size[0] % size[1], n / size[0] / size[1]];
    let voxels: Vec<bool> = (0..voxel_count).map(|n| inside(at(n))).collect();
    let grid = SourceGrid::Patient(VolumeGeometry {
        size,
        spacing_mm,
        origin_mm: [-17.0, 4.0, 300.0],
        directions: [[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]],
    });
    let values = (0..voxel_count).map(|n| f32::from(scattered(n)) / 4.0 - 1024.0).collect();
    Case {
        name: name.to_owned(),
        mask: Mask::from_voxels(size[0], size[1], &voxels),
        volume: Volume { grid, values, unit: IntensityUnit::Hounsfield },
    }
}

/// Squared distance from a point, in units of three radii.
fn around(centre: [f64; 3], radii: [f64; 3]) -> impl Fn([usize; 3]) -> f64 {
    move |at| (0..3).map(|axis| ((at[axis] as f64 - centre[axis]) / radii[axis]).powi(2)).sum()
}

fn figures() -> Vec<Case> {
    let one = [1.0, 1.0, 1.0];
    let flat = [0.75, 0.75, 1.5];
    let odd = [0.4, 1.3, 2.1];
    let ball = around([10.0, 10.0, 10.0], [8.5; 3]);
    let ellipsoid = around([66.0, 12.0, 8.0], [20.0, 9.0, 6.0]);
    let (first, second) =
        (around([12.0, 9.0, 6.0], [9.0, 5.0, 4.0]), around([25.0, 14.0, 9.0], [7.0, 8.0, 6.0]));
    vec![
        case("voxel", [5, 4, 3], odd, |at| at == [4, 3, 2]),
        case("row", [70, 2, 1], odd, |[i, j, _]| j == 1 && i > 2),
        case("column", [3, 30, 2], odd, |[i, _, k]| i == 1 && k == 1),
        case("stack", [2, 2, 9], odd, |[i, j, _]| i == 0 && j == 1),
        case("slanted", [20, 20, 4], flat, |[i, j, k]| i == j && k == 2),
        case("steps", [12, 12, 12], odd, |[i, j, k]| i == j && j == k),
        case("plate", [13, 64, 3], flat, |[_, _, k]| k == 1),
        case("full", [9, 7, 5], odd, |_| true),
        case("apart", [30, 30, 5], flat, |at| {
            [[1, 2, 0], [28, 27, 4], [3, 25, 4], [0, 0, 4]].contains(&at)
        }),
        case("ball", [21, 21, 21], one, move |at| ball(at) <= 1.0),
        case("ellipsoid", [130, 25, 17], flat, move |at| ellipsoid(at) <= 1.0),
        case("lobes", [41, 33, 21], odd, move |at| first(at) <= 1.0 || second(at) <= 1.0),
    ]
}

/// Noise of a share of voxels: all 256 cases of a cell.
fn noises() -> Vec<Case> {
    let shares = [("sparse", 300), ("half", 5000), ("dense", 9700)];
    let of = |(name, share): (&str, u16)| {
        let size = [19, 13, 9];
        case(name, size, [0.6, 0.9, 1.4], move |[i, j, k]| {
            scattered((k * size[1] + j) * size[0] + i + 77_777) < share
        })
    };
    shares.into_iter().map(of).collect()
}

/// Noise around an ellipsoid, many even and odd numbers of voxels.
fn blobs() -> Vec<Case> {
    let of = |n: usize| {
        let seed = n * 10_007;
        let radius = |axis: usize| 2.5 + f64::from(scattered(seed + axis) % 70) / 10.0;
        let soft = around([11.0, 9.0, 7.0], [radius(0), radius(1), radius(2)]);
        let spacing_mm = [3, 4, 5].map(|axis| 0.3 + f64::from(scattered(seed + axis) % 30) / 10.0);
        case(&format!("blob{n}"), [23, 19, 15], spacing_mm, move |[i, j, k]| {
            let rough = f64::from(scattered(seed + (k * 19 + j) * 23 + i)) / 10_000.0;
            soft([i, j, k]) < 0.6 + 0.8 * rough
        })
    };
    (0..12).map(of).collect()
}

fn write(cases: &[Case], folder: &Path) {
    let mut list = String::new();
    for Case { name, mask, volume } in cases {
        let grid = volume.grid.in_patient().unwrap();
        let ([columns, rows, slices], [x, y, z]) = (grid.size, grid.spacing_mm);
        writeln!(list, "{name} {columns} {rows} {slices} {x:?} {y:?} {z:?}").unwrap();
        let at = |n: usize| mask.contains(n % columns, n / columns % rows, n / columns / rows);
        let voxels: Vec<u8> = (0..volume.values.len()).map(|n| u8::from(at(n))).collect();
        let values: Vec<u8> = volume.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        fs::write(folder.join(format!("{name}.mask")), voxels).unwrap();
        fs::write(folder.join(format!("{name}.values")), values).unwrap();
    }
    fs::write(folder.join("cases.txt"), list).unwrap();
}

fn numbers(measured: &Measurements) -> [f64; 11] {
    let Extent::Volumetric { volume_mm3, surface_area_mm2, maximum_diameter_mm, axes } =
        measured.extent
    else {
        unreachable!("the grid is in the patient")
    };
    let bright = measured.intensity.unwrap();
    [
        measured.voxel_count as f64,
        bright.mean,
        bright.standard_deviation,
        bright.minimum,
        bright.maximum,
        bright.median,
        volume_mm3,
        surface_area_mm2,
        maximum_diameter_mm,
        axes.long_mm,
        axes.short_mm,
    ]
}

#[test]
fn measurements_are_those_of_a_second_implementation() {
    let Some(python) = python() else {
        eprintln!("SKIPPED, no Python with numpy and scipy (cargo xtask test brings one)");
        return;
    };
    let cases: Vec<Case> = [figures(), noises(), blobs()].into_iter().flatten().collect();
    let folder = tempfile::tempdir().unwrap();
    write(&cases, folder.path());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/measure_reference.py");
    let output = Command::new(python).arg(script).arg(folder.path()).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(printed.lines().count(), cases.len());
    for (case, line) in cases.iter().zip(printed.lines()) {
        let mut words = line.split(' ');
        assert_eq!(words.next(), Some(case.name.as_str()));
        let wanted: Vec<f64> = words.map(|word| word.parse().unwrap()).collect();
        let got = numbers(&measure(&case.mask, &case.volume).unwrap());
        assert_eq!(wanted.len(), got.len());
        for ((name, got), wanted) in NAMES.iter().zip(got).zip(wanted) {
            let apart = (got - wanted).abs();
            assert!(apart <= 1e-9 * wanted.abs().max(1.0), "{}, {name}: {got} {wanted}", case.name);
        }
    }
}

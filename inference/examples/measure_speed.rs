//! How long it takes to measure five organs in 512 × 512 × 200 voxels, and how much memory.
//!
//! `cargo run --release -p inference --example measure_speed [FOLDER]`. With a folder, the volume goes
//! there for others to measure: `measure_speed.py FOLDER` does it with PyRadiomics and numpy.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it prints times, and takes them itself"
)]

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use domain::{Extent, IntensityUnit, Mask, SliceMask, SourceGrid, VolumeGeometry};
use inference::{Volume, measure};

const SIZE: [usize; 3] = [512, 512, 200];
const SPACING_MM: [f64; 3] = [0.75, 0.75, 1.5];
const ROUNDS: usize = 5;

/// An organ: its centre and its radii in voxels.
type Organ = ([f64; 3], [f64; 3]);

const ORGANS: [Organ; 5] = [
    ([180.0, 230.0, 120.0], [118.0, 60.0, 52.0]),
    ([380.0, 240.0, 130.0], [55.0, 38.1, 30.0]),
    ([190.0, 340.0, 70.0], [29.0, 32.5, 36.0]),
    ([330.0, 340.0, 70.0], [29.0, 32.5, 36.0]),
    ([256.0, 260.0, 20.0], [33.2, 33.2, 10.0]),
];

fn main() -> io::Result<()> {
    let masks = ORGANS.map(mask);
    let volume = volume();
    if let Some(folder) = std::env::args_os().nth(1) {
        write(Path::new(&folder), &masks, &volume)?;
    }
    let before = peak_kib()?;
    let mut totals = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let measured = masks.each_ref().map(|mask| measure(mask, &volume));
        totals.push(began.elapsed());
        assert!(measured.iter().all(Option::is_some), "an organ has voxels");
    }
    println!("five organs: {:.1} ms, {totals:.1?}", milliseconds(median(&totals)));
    println!("memory at its peak: {} KiB more than before", peak_kib()? - before);
    masks.iter().for_each(|mask| show(mask, &volume));
    Ok(())
}

fn show(mask: &Mask, volume: &Volume) {
    let times = [(); ROUNDS].map(|()| {
        let began = Instant::now();
        std::hint::black_box(measure(mask, volume));
        began.elapsed()
    });
    let Some(measured) = measure(mask, volume) else { return };
    let (Some(bright), Extent::Volumetric { surface_area_mm2, maximum_diameter_mm, axes, .. }) =
        (measured.intensity, measured.extent)
    else {
        return;
    };
    println!(
        "{} voxels: {:.1} ms; mean {:.6}, median {:.2}, surface {surface_area_mm2:.6}, \
         diameter {maximum_diameter_mm:.6}, axes {:.6} {:.6}",
        measured.voxel_count,
        milliseconds(median(&times)),
        bright.mean,
        bright.median,
        axes.long_mm,
        axes.short_mm
    );
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[times.len() / 2]
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The most memory that the process ever held.
fn peak_kib() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse().ok());
    number.ok_or_else(|| io::Error::other("no VmHWM"))
}

fn mask((centre, radii): Organ) -> Mask {
    let slice = |k: usize| {
        let apart = |axis: usize, at: usize| ((at as f64 - centre[axis]) / radii[axis]).powi(2);
        let pixels = (0..SIZE[0] * SIZE[1]).map(|pixel| {
            apart(0, pixel % SIZE[0]) + apart(1, pixel / SIZE[0]) + apart(2, k) <= 1.0
        });
        SliceMask::from_pixels(&pixels.collect::<Vec<_>>())
    };
    Mask { columns: SIZE[0], rows: SIZE[1], slices: (0..SIZE[2]).map(slice).collect() }
}

/// Whole Hounsfield units that look like noise around 40, as of soft tissue.
fn volume() -> Volume {
    let mut state = 1_u64;
    let mut uniform = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32
    };
    let mut noise =
        || ((uniform() + uniform() + uniform() + uniform() - 2.0) * 30.0 + 40.0).round();
    let values = (0..SIZE.iter().product()).map(|_| noise()).collect();
    let grid = SourceGrid::Patient(VolumeGeometry {
        size: SIZE,
        spacing_mm: SPACING_MM,
        origin_mm: [-192.0, -192.0, 0.0],
        directions: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    });
    Volume { grid, values, unit: IntensityUnit::Hounsfield }
}

/// `labels.u8` with 1 to 5 for the organs and `values.f32`, slice by slice.
fn write(folder: &Path, masks: &[Mask], volume: &Volume) -> io::Result<()> {
    let mut labels = BufWriter::new(File::create(folder.join("labels.u8"))?);
    for voxel in 0..volume.values.len() {
        let (i, j, k) = (voxel % SIZE[0], voxel / SIZE[0] % SIZE[1], voxel / SIZE[0] / SIZE[1]);
        let label = (1..).zip(masks).find(|(_, mask)| mask.contains(i, j, k));
        labels.write_all(&[label.map_or(0, |(label, _)| label)])?;
    }
    labels.flush()?;
    let mut values = BufWriter::new(File::create(folder.join("values.f32"))?);
    volume.values.iter().try_for_each(|value| values.write_all(&value.to_le_bytes()))?;
    values.flush()
}

//! How long results take to be written, step by step, beside `tests/bench/objects.py`, which does the same in Python.
//!
//! ```text
//! objects arrays CT_200 CT_300 FOLDER     writes the masks as arrays, for others to work with
//! objects binary|report CT_200 FOLDER     five organs: a BINARY Segmentation; a report with its measurements
//! objects labelmap CT_300 FOLDER          104 segments as a LABELMAP in RLE
//! ```
//!
//! The last word that is printed is the time in seconds of making and writing; reading headers and arrays is not in it.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "it measures, and says what it measured"
)]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use domain::{
    Axes, Bounds, CodedConcept, Evidence, Extent, Findings, Limits, Mask, Measurements,
    ModelIdentity, Moment, Segment, SegmentationForm, SegmentationKind, SliceMask, Target,
};
use inference::{Volume, measure, read_volume};
use series::SourceSeries;
use sr_writer::{Companions, Device, LabelMapCoding, WriteContext};

type Failure = Box<dyn Error>;

/// Centre and radii in voxels.
type Ellipsoid = ([f64; 3], [f64; 3]);

const ORGANS: [Ellipsoid; 5] = [
    ([180.0, 230.0, 120.0], [118.0, 60.0, 52.0]),
    ([380.0, 240.0, 130.0], [55.0, 38.1, 30.0]),
    ([190.0, 340.0, 70.0], [29.0, 32.5, 36.0]),
    ([330.0, 340.0, 70.0], [29.0, 32.5, 36.0]),
    ([256.0, 260.0, 20.0], [33.2, 33.2, 10.0]),
];

/// 104 segments in 13 columns and 8 rows, each through a third of 300 slices.
fn many() -> Vec<Ellipsoid> {
    let one = |n: u32| {
        let (column, row) = (f64::from(n % 13), f64::from(n / 13));
        let along = 60.0 + f64::from(n * 37 % 180);
        ([20.0 + column * 39.0, 35.0 + row * 63.0, along], [18.0, 30.0, 52.0])
    };
    (0..104).map(one).collect()
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["arrays", ct_200, ct_300, folder] => arrays(ct_200, ct_300, Path::new(folder)),
        ["binary", ct, folder] => binary(ct, Path::new(folder)),
        ["labelmap", ct, folder] => label_map(ct, Path::new(folder)),
        ["report", ct, folder] => report(ct, Path::new(folder)),
        _ => Err("arrays CT_200 CT_300 FOLDER, or binary, labelmap or report CT FOLDER".into()),
    }
}

fn arrays(ct_200: &str, ct_300: &str, folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder)?;
    write_labels(&read(ct_200)?, &ORGANS, &folder.join("organs.raw"))?;
    write_labels(&read(ct_300)?, &many(), &folder.join("many.raw"))
}

/// The number of the segment in each voxel, `[k][j][i]`.
fn write_labels(source: &SourceSeries, all: &[Ellipsoid], path: &Path) -> Result<(), Failure> {
    let mut labels = vec![0_u8; source.grid.size().iter().product()];
    for (number, ellipsoid) in (1..).zip(all) {
        let mask = mask(source, ellipsoid);
        let pixels = mask.columns * mask.rows;
        for (k, slice) in mask.slices.iter().enumerate() {
            let Some(slice) = slice else { continue };
            let set = (0..pixels).filter(|pixel| slice.bits[pixel / 8] >> (pixel % 8) & 1 == 1);
            set.for_each(|pixel| labels[k * pixels + pixel] = number);
        }
    }
    Ok(fs::write(path, labels)?)
}

fn binary(ct: &str, folder: &Path) -> Result<(), Failure> {
    let source = read(ct)?;
    let findings = findings(&source, segments(&source, &ORGANS));
    let begun = Instant::now();
    let results = sr_writer::write(&findings, &source, &context(SegmentationKind::Binary))?;
    fs::write(folder.join("ours-binary.dcm"), &results.segmentations[0].file)?;
    println!("{:.4}", begun.elapsed().as_secs_f64());
    Ok(())
}

fn label_map(ct: &str, folder: &Path) -> Result<(), Failure> {
    let source = read(ct)?;
    let findings = findings(&source, segments(&source, &many()));
    let begun = Instant::now();
    let results = sr_writer::write(&findings, &source, &context(SegmentationKind::Labelmap))?;
    fs::write(folder.join("ours-labelmap.dcm"), &results.segmentations[0].file)?;
    println!("{:.4}", begun.elapsed().as_secs_f64());
    Ok(())
}

fn report(ct: &str, folder: &Path) -> Result<(), Failure> {
    let source = read(ct)?;
    let volume = read_volume(&source).map_err(|reason| reason.to_string())?;
    let mut findings = findings(&source, segments(&source, &ORGANS));
    let begun = Instant::now();
    for segment in &mut findings.segments {
        segment.measurements = measured(&segment.mask, &volume)?;
    }
    let measured = begun.elapsed();
    let results = sr_writer::write(&findings, &source, &context(SegmentationKind::Binary))?;
    fs::write(folder.join("ours-report.dcm"), &results.report.file)?;
    let all = begun.elapsed();
    println!("measured in {:.4}, with SEG and SR {:.4}", measured.as_secs_f64(), all.as_secs_f64());
    Ok(())
}

fn measured(mask: &Mask, volume: &Volume) -> Result<Measurements, Failure> {
    measure(mask, volume).ok_or_else(|| "an empty mask".into())
}

fn read(folder: &str) -> Result<SourceSeries, Failure> {
    let entries = fs::read_dir(folder)?;
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.sort();
    let limits = Limits::default();
    let instances = series::read_instances(&paths, &limits).map_err(|e| e.to_string())?;
    Ok(series::assemble(&instances, &limits).map_err(|e| e.to_string())?)
}

fn mask(source: &SourceSeries, (centre, radii): &Ellipsoid) -> Mask {
    let [columns, rows, slices] = source.grid.size();
    let part = |index: usize, axis: usize| ((index as f64 - centre[axis]) / radii[axis]).powi(2);
    let slice = |k: usize| {
        let depth = part(k, 2);
        let mut pixels = vec![false; columns * rows];
        // Only rows that the ellipsoid reaches are looked at.
        for (j, row) in pixels.chunks_mut(columns).enumerate() {
            let off = part(j, 1) + depth;
            if off <= 1.0 {
                (0..columns).for_each(|i| row[i] = part(i, 0) + off <= 1.0);
            }
        }
        SliceMask::from_pixels(&pixels)
    };
    Mask { columns, rows, slices: (0..slices).map(slice).collect() }
}

fn segments(source: &SourceSeries, all: &[Ellipsoid]) -> Vec<Segment> {
    let axes = Axes { long_mm: 1.0, short_mm: 1.0 };
    let segment = |(number, ellipsoid): (usize, &Ellipsoid)| {
        let mask = mask(source, ellipsoid);
        let measurements = Measurements {
            voxel_count: mask.voxel_count(),
            bounds: Bounds { first: [0; 3], last: [1; 3] },
            extent: Extent::Volumetric {
                volume_mm3: 1.0,
                surface_area_mm2: 1.0,
                maximum_diameter_mm: 1.0,
                axes,
            },
            intensity: None,
        };
        Segment {
            target: target(number),
            mask,
            measurements,
            confidence: None,
            probabilities: None,
            evidence: Evidence::default(),
            boxes: vec![],
        }
    };
    (1..).zip(all).map(segment).collect()
}

fn target(number: usize) -> Target {
    Target {
        label: format!("Organ {number}"),
        category: CodedConcept::new("91723000", "SCT", "Anatomical Structure"),
        property_type: CodedConcept::new("10200004", "SCT", "Liver"),
        laterality: None,
        anatomic_region: None,
        color_rgb: [200, 100, 50],
    }
}

fn findings(source: &SourceSeries, segments: Vec<Segment>) -> Findings {
    Findings {
        model: ModelIdentity {
            name: "bench".into(),
            version: "1".into(),
            title: "Ellipsoids".into(),
            manufacturer: "parsenode".into(),
            sha256: "0".repeat(64),
        },
        parameters: vec![],
        input_sha256: "0".repeat(64),
        grid: source.grid.clone(),
        segments,
        absent: vec![],
    }
}

fn context(kind: SegmentationKind) -> WriteContext {
    WriteContext {
        device: Device {
            manufacturer: "parsenode".into(),
            model_name: "parsenode".into(),
            serial_number: "1".into(),
            software_version: "0.1.0".into(),
            station_name: None,
        },
        created: Moment::from_unix_millis(1_795_468_245_000),
        form: SegmentationForm { kind, ..SegmentationForm::default() },
        label_maps: LabelMapCoding::Rle,
        companions: Companions::default(),
        backdrops: vec![],
        rejected: vec![],
        predecessor: None,
    }
}

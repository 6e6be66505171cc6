//! Writes results with made-up findings over any series, one folder a kind of Segmentation, for the conformance matrix.
//!
//! ```text
//! cargo run -p sr-writer --example made_results -- FOLDER_OF_ONE_SERIES OUT
//! ```
//!
//! `OUT/<kind>/` gets `segmentation.dcm`, the same in other transfer syntaxes, and `report.dcm`; `OUT/truth/` gets the voxels of each segment, one byte a voxel,
//! `[k][j][i]`, and `truth.json`, which names them and the source of each slice. All is the same on each run.
#![expect(clippy::expect_used, clippy::cast_precision_loss, reason = "a tool for tests")]

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use domain::{
    Absence, Absent, Axes, Bounds, CodedConcept, Confidence, Evidence, Extent, Findings, Intensity,
    Limits, Mask, Measurements, ModelIdentity, Moment, PlanarBox, Probabilities, Segment,
    SourceGrid, Target, TransferSyntaxUid,
};
use series::SourceSeries;
use sr_writer::{
    Backdrop, Companions, Device, LabelMapCoding, ResultInstance, SegmentationForm,
    SegmentationKind, WriteContext,
};

const KINDS: [SegmentationKind; 3] =
    [SegmentationKind::Binary, SegmentationKind::Fractional, SegmentationKind::Labelmap];

/// Other transfer syntaxes than that of `segmentation.dcm`, as the parts of file names.
const SYNTAXES: [(&str, &str); 4] = [
    ("implicit", "1.2.840.10008.1.2"),
    ("deflated", "1.2.840.10008.1.2.1.99"),
    ("rle", "1.2.840.10008.1.2.5"),
    ("deflated-frames", "1.2.840.10008.1.2.8.1"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (folder, out) = arguments.next().zip(arguments.next()).ok_or("FOLDER and OUT, please")?;
    let source = read(&folder)?;
    let findings = findings(&source);
    let mut rejected = Vec::new();
    for kind in KINDS {
        let form = SegmentationForm { kind, ..SegmentationForm::default() };
        let mut context = context(form, backdrops(&source, &findings));
        // As if each kind replaced the one before it.
        context.rejected = std::mem::take(&mut rejected);
        let results = sr_writer::write(&findings, &source, &context)?;
        let into = out.join(kind.as_str().to_lowercase());
        fs::create_dir_all(&into)?;
        for result in results.instances() {
            fs::write(into.join(format!("{}.dcm", result.kind.as_str())), &result.file)?;
        }
        rejected.extend(results.segmentations.iter().map(|result| result.identity.clone()));
        rejected.push(results.report.identity.clone());
        write_recoded(&results.segmentations[0], kind, &into)?;
    }
    write_truth(&out.join("truth"), &source, &findings)
}

/// The Segmentation in every transfer syntax that it has a form in.
fn write_recoded(
    result: &ResultInstance,
    kind: SegmentationKind,
    into: &Path,
) -> Result<(), Box<dyn Error>> {
    let bits = if kind == SegmentationKind::Binary { 1 } else { 8 };
    for (name, uid) in SYNTAXES {
        let to = TransferSyntaxUid::parse(uid)?;
        if sr_writer::can_recode(&to, Some(bits)) {
            let file = sr_writer::recode_file(result, &to)?;
            fs::write(into.join(format!("segmentation-{name}.dcm")), file)?;
        }
    }
    Ok(())
}

fn read(folder: &Path) -> Result<SourceSeries, Box<dyn Error>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    let instances =
        series::read_instances(&paths, &Limits::default()).map_err(|e| e.to_string())?;
    Ok(series::assemble(&instances, &Limits::default()).map_err(|e| e.to_string())?)
}

fn context(form: SegmentationForm, backdrops: Vec<Backdrop>) -> WriteContext {
    WriteContext {
        device: Device {
            manufacturer: "parsenode".into(),
            model_name: "parsenode".into(),
            serial_number: "1".into(),
            software_version: "0.1.0".into(),
            station_name: None,
        },
        created: Moment::from_unix_millis(1_795_468_245_000),
        form,
        label_maps: LabelMapCoding::Plain,
        companions: Companions {
            key_objects: true,
            secondary_capture: true,
            presentation_state: true,
            rejection_note: true,
        },
        backdrops,
        rejected: vec![],
        predecessor: None,
    }
}

/// Grey wedges in place of decoded pixels.
fn backdrops(source: &SourceSeries, findings: &Findings) -> Vec<Backdrop> {
    let [columns, rows, _] = source.grid.size();
    let grey = |pixel: usize| u8::try_from(pixel % columns * 200 / columns).unwrap_or(0);
    let rgb: Vec<u8> = (0..columns * rows).flat_map(|pixel| [grey(pixel); 3]).collect();
    let backdrop = |k| Backdrop { k, rgb: rgb.clone() };
    sr_writer::chosen_slices(findings, 1).into_iter().map(backdrop).collect()
}

fn sct(value: &str, meaning: &str) -> CodedConcept {
    CodedConcept::new(value, "SCT", meaning)
}

fn target(
    label: &str,
    code: CodedConcept,
    side: Option<CodedConcept>,
    color_rgb: [u8; 3],
) -> Target {
    Target {
        label: label.into(),
        category: sct("91723000", "Anatomical Structure"),
        property_type: code,
        laterality: side,
        anatomic_region: None,
        color_rgb,
    }
}

/// Two ellipsoids side by side and a small one below, none touching another, and something that is not there.
fn findings(source: &SourceSeries) -> Findings {
    let kidney = || sct("64033007", "Kidney");
    let left = target("Kidney, left", kidney(), Some(sct("7771000", "Left")), [230, 60, 60]);
    let right = target("Kidney, right", kidney(), Some(sct("24028007", "Right")), [60, 90, 230]);
    let neoplasm = Target {
        category: sct("49755003", "Morphologically Abnormal Structure"),
        anatomic_region: Some(sct("10200004", "Liver")),
        ..target("Liver tumor", sct("108369006", "Neoplasm"), None, [240, 200, 40])
    };
    let spleen = target("Spleen", sct("78961009", "Spleen"), None, [150, 60, 150]);
    Findings {
        model: ModelIdentity {
            name: "made-up".into(),
            version: "1.0".into(),
            title: "Ellipsoids for conformance".into(),
            manufacturer: "parsenode".into(),
            sha256: "0123456789abcdef".repeat(4),
        },
        parameters: vec!["threshold=0.5".into()],
        input_sha256: "0".repeat(64),
        grid: source.grid.clone(),
        segments: vec![
            segment(source, left, [0.25, 0.45, 0.5], [0.17, 0.2, 0.4]),
            segment(source, right, [0.72, 0.5, 0.4], [0.15, 0.25, 0.3]),
            segment(source, neoplasm, [0.5, 0.85, 0.5], [0.08, 0.08, 0.15]),
        ],
        absent: vec![Absent { target: spleen, reason: Absence::EmptyMask }],
    }
}

/// An ellipsoid, by parts of the grid's size; the probability falls from 1 in its middle to 0.5 at its edge and 0 at twice
/// that distance.
fn segment(source: &SourceSeries, target: Target, centre: [f64; 3], radius: [f64; 3]) -> Segment {
    let [columns, rows, slices] = source.grid.size();
    let distance = |i: usize, j: usize, k: usize| {
        let along = |index: usize, count: usize, axis: usize| {
            ((index as f64 + 0.5) / count as f64 - centre[axis]) / radius[axis]
        };
        let depth = if slices == 1 { 0.0 } else { along(k, slices, 2) };
        along(i, columns, 0).hypot(along(j, rows, 1)).hypot(depth)
    };
    let plane = |k: usize| (0..rows).flat_map(move |j| (0..columns).map(move |i| (i, j, k)));
    let voxels: Vec<bool> =
        (0..slices).flat_map(plane).map(|(i, j, k)| distance(i, j, k) < 1.0).collect();
    let probabilities = (0..slices).map(|k| {
        let values: Vec<u8> = plane(k).map(|(i, j, k)| fraction(distance(i, j, k))).collect();
        values.iter().any(|value| *value > 0).then_some(values)
    });
    let mask = Mask::from_voxels(columns, rows, &voxels);
    let bounds = bounds(&mask);
    let key = bounds.first[2];
    let [first, last] = [[bounds.first[0], bounds.first[1]], [bounds.last[0], bounds.last[1]]];
    Segment {
        target,
        measurements: measurements(source, &mask, bounds),
        confidence: Some(Confidence(0.875)),
        probabilities: Some(Probabilities { slices: probabilities.collect() }),
        evidence: Evidence::default(),
        boxes: vec![PlanarBox { k: key, first, last }],
        mask,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn fraction(distance: f64) -> u8 {
    ((1.0 - distance / 2.0).clamp(0.0, 1.0) * 255.0).round() as u8
}

fn bounds(mask: &Mask) -> Bounds {
    let mut bounds = Bounds { first: [usize::MAX; 3], last: [0; 3] };
    for k in (0..mask.slices.len()).filter(|k| mask.slices[*k].is_some()) {
        for (j, i) in (0..mask.rows).flat_map(|j| (0..mask.columns).map(move |i| (j, i))) {
            if mask.contains(i, j, k) {
                for (axis, index) in [i, j, k].into_iter().enumerate() {
                    bounds.first[axis] = bounds.first[axis].min(index);
                    bounds.last[axis] = bounds.last[axis].max(index);
                }
            }
        }
    }
    bounds
}

/// Of the right kind for the source; what the numbers should be is tested where they are measured.
fn measurements(source: &SourceSeries, mask: &Mask, bounds: Bounds) -> Measurements {
    let count = mask.voxel_count();
    let frame_index = bounds.first[2];
    let axes = Axes { long_mm: 30.0, short_mm: 20.0 };
    let extent = match &source.grid {
        SourceGrid::Patient(geometry) => Extent::Volumetric {
            volume_mm3: count as f64 * geometry.voxel_mm3(),
            surface_area_mm2: 1234.5,
            maximum_diameter_mm: 34.0,
            axes,
        },
        SourceGrid::Frames(stack) => match stack.pixel_spacing_mm {
            Some([x, y]) => Extent::Planar { frame_index, area_mm2: count as f64 * x * y, axes },
            None => Extent::Pixels { frame_index, area_pixels: count },
        },
    };
    let is_color = source.instances.iter().any(|instance| {
        instance.header.int(dataset::tags::SAMPLES_PER_PIXEL).is_some_and(|samples| samples > 1)
    });
    let intensity = Intensity {
        mean: 100.0,
        standard_deviation: 10.0,
        minimum: 50.0,
        maximum: 150.0,
        median: 99.0,
        unit: source.unit,
    };
    Measurements { voxel_count: count, bounds, extent, intensity: (!is_color).then_some(intensity) }
}

fn write_truth(
    folder: &Path,
    source: &SourceSeries,
    findings: &Findings,
) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let size = source.grid.size();
    let mut json =
        format!(r#"{{"size": {size:?}, "in_patient": {}, "slices": ["#, source.place.is_some());
    for (k, slice) in source.slices.iter().enumerate() {
        let comma = if k == 0 { "" } else { ", " };
        let instance = &slice.instance.identity.sop_instance;
        write!(json, r#"{comma}["{instance}", {}]"#, slice.frame_index + 1)?;
    }
    json += r#"], "segments": ["#;
    for (index, segment) in findings.segments.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(json, r#"{comma}"{}""#, segment.target.label)?;
        let of_slice = |k: usize| {
            let pixels = (0..size[1]).flat_map(|j| (0..size[0]).map(move |i| (i, j)));
            pixels.map(move |(i, j)| u8::from(segment.mask.contains(i, j, k)))
        };
        let voxels: Vec<u8> = (0..size[2]).flat_map(of_slice).collect();
        fs::write(folder.join(format!("{}.raw", index + 1)), voxels)?;
        let none = vec![0; size[0] * size[1]];
        let kept = segment.probabilities.as_ref().expect("made above");
        let values = kept.slices.iter().flat_map(|slice| slice.as_ref().unwrap_or(&none));
        fs::write(
            folder.join(format!("{}.fraction.raw", index + 1)),
            values.copied().collect::<Vec<_>>(),
        )?;
    }
    fs::write(folder.join("truth.json"), json + "]}")?;
    Ok(())
}

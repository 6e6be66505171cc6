//! Source series and findings for tests: real ones from test data where it is present, made ones otherwise.
#![expect(dead_code, reason = "each test program uses a part")]
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dataset::{DataSet, PixelDataAt, Vr};
use domain::{
    Absence, Absent, Axes, Bounds, CodedConcept, Confidence, Evidence, Extent, Findings,
    InstanceIdentity, Intensity, Limits, Mask, Measurements, ModelIdentity, Moment, Segment,
    SeriesInstanceUid, SliceMask, SopClassUid, SopInstanceUid, SourceGrid, StudyInstanceUid,
    Target, TransferSyntaxUid,
};
use series::{Kept, SourceInstance, SourceSeries};
use sr_writer::{Companions, Device, LabelMapCoding, SegmentationForm, WriteContext};

pub(crate) use dataset::tags;

/// 2026-11-23 21:10:45 UTC.
pub(crate) const CREATED: Moment = Moment::from_unix_millis(1_795_468_245_000);

pub(crate) fn context() -> WriteContext {
    WriteContext {
        device: Device {
            manufacturer: "parsenode".into(),
            model_name: "parsenode".into(),
            serial_number: "17".into(),
            software_version: "0.1.0".into(),
            station_name: Some("NODE1".into()),
        },
        created: CREATED,
        form: SegmentationForm::default(),
        label_maps: LabelMapCoding::Plain,
        companions: Companions::default(),
        backdrops: vec![],
        rejected: vec![],
        predecessor: None,
    }
}

pub(crate) fn sct(value: &str, meaning: &str) -> CodedConcept {
    CodedConcept::new(value, "SCT", meaning)
}

/// A target of category Anatomical Structure without side and region.
pub(crate) fn anatomy(label: &str, value: &str, meaning: &str) -> Target {
    Target {
        label: label.into(),
        category: sct("91723000", "Anatomical Structure"),
        property_type: sct(value, meaning),
        laterality: None,
        anatomic_region: None,
        color_rgb: [200, 150, 100],
    }
}

pub(crate) fn left_lung() -> Target {
    let laterality = Some(sct("7771000", "Left"));
    Target { laterality, ..anatomy("Lung, left", "39607008", "Lung") }
}

pub(crate) fn right_kidney() -> Target {
    let laterality = Some(sct("24028007", "Right"));
    Target { laterality, ..anatomy("Kidney, right", "64033007", "Kidney") }
}

pub(crate) fn bone() -> Target {
    let category = sct("85756007", "Tissue");
    Target { category, ..anatomy("Bone", "3138006", "Bone") }
}

pub(crate) fn liver_tumor() -> Target {
    Target {
        category: sct("49755003", "Morphologically Abnormal Structure"),
        anatomic_region: Some(sct("10200004", "Liver")),
        ..anatomy("Liver tumor", "108369006", "Neoplasm")
    }
}

pub(crate) fn findings(source: &SourceSeries, segments: Vec<Segment>) -> Findings {
    Findings {
        model: ModelIdentity {
            name: "test-model".into(),
            version: "1.2.3".into(),
            title: "Thresholds and blocks for tests".into(),
            manufacturer: "parsenode".into(),
            sha256: "0123456789abcdef".repeat(4),
        },
        parameters: vec!["overlap=0.5".into(), "threshold=200".into()],
        input_sha256: "0".repeat(64),
        grid: source.grid.clone(),
        segments,
        absent: vec![
            absent(right_kidney(), Absence::EmptyMask),
            absent(anatomy("Spleen", "78961009", "Spleen"), Absence::UnknownTarget),
            absent(liver_tumor(), Absence::LowPValue { p: 0.01, least: 0.05 }),
        ],
    }
}

/// A segment of the voxels that `keep` takes, by (i, j, k) and value, measured.
pub(crate) fn segment(
    target: Target,
    source: &SourceSeries,
    values: &[f32],
    keep: impl Fn([usize; 3], f32) -> bool,
) -> Segment {
    let [columns, rows, slices] = source.grid.size();
    let (mut first, mut last) = ([usize::MAX; 3], [0; 3]);
    let mut kept = Vec::new();
    let mut slice = |k: usize| {
        let in_slice = |pixel: usize| {
            let index = [pixel % columns, pixel / columns, k];
            let value = values[k * rows * columns + pixel];
            let set = keep(index, value);
            if set {
                kept.push(f64::from(value));
                for axis in 0..3 {
                    first[axis] = first[axis].min(index[axis]);
                    last[axis] = last[axis].max(index[axis]);
                }
            }
            set
        };
        SliceMask::from_pixels(&(0..rows * columns).map(in_slice).collect::<Vec<_>>())
    };
    let mask = Mask { columns, rows, slices: (0..slices).map(&mut slice).collect() };
    let measurements = measure(&kept, source, Bounds { first, last });
    let confidence = Some(Confidence(0.987));
    Segment {
        target,
        mask,
        measurements,
        confidence,
        evidence: Evidence::default(),
        probabilities: None,
        boxes: vec![],
    }
}

#[expect(clippy::cast_precision_loss, reason = "voxel counts are far below 2^52")]
fn measure(kept: &[f64], source: &SourceSeries, bounds: Bounds) -> Measurements {
    let count = kept.len() as f64;
    let mean = kept.iter().sum::<f64>() / count;
    let variance = kept.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    Measurements {
        voxel_count: kept.len(),
        bounds,
        extent: extent(source, kept.len(), bounds),
        intensity: Some(Intensity {
            mean,
            standard_deviation: variance.sqrt(),
            minimum: kept.iter().copied().fold(f64::INFINITY, f64::min),
            maximum: kept.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            median: mean,
            unit: source.unit,
        }),
    }
}

/// Sizes that are of the right magnitude; what they are exactly is tested where they are measured.
#[expect(clippy::cast_precision_loss, reason = "voxel counts are far below 2^52")]
fn extent(source: &SourceSeries, count: usize, bounds: Bounds) -> Extent {
    let frame_index = bounds.first[2];
    let axes = Axes { long_mm: 12.5, short_mm: 4.25 };
    match &source.grid {
        SourceGrid::Patient(geometry) => Extent::Volumetric {
            volume_mm3: count as f64 * geometry.voxel_mm3(),
            surface_area_mm2: 321.0,
            maximum_diameter_mm: 13.0,
            axes,
        },
        SourceGrid::Frames(stack) => match stack.pixel_spacing_mm {
            Some([x, y]) => Extent::Planar { frame_index, area_mm2: count as f64 * x * y, axes },
            None => Extent::Pixels { frame_index, area_pixels: count },
        },
    }
}

fn absent(target: Target, reason: Absence) -> Absent {
    Absent { target, reason }
}

/// The values of a series of uncompressed 16-bit images.
pub(crate) fn values(source: &SourceSeries) -> Vec<f32> {
    let [columns, rows, _] = source.grid.size();
    let mut all = Vec::new();
    for slice in &source.slices {
        let instance = &slice.instance;
        let mut bytes = vec![0; columns * rows * 2];
        let at = instance.pixel_data.as_ref().unwrap().offset
            + u64::try_from(slice.frame_index * bytes.len()).unwrap();
        let mut file = std::fs::File::open(&instance.path).unwrap();
        file.seek(SeekFrom::Start(at)).unwrap();
        file.read_exact(&mut bytes).unwrap();
        let signed = instance.header.int(tags::PIXEL_REPRESENTATION) == Some(1);
        all.extend(bytes.chunks_exact(2).map(|pair| {
            let stored = u16::from_le_bytes([pair[0], pair[1]]);
            let value = if signed { f64::from(stored.cast_signed()) } else { stored.into() };
            rescaled(value * slice.rescale_slope + slice.rescale_intercept)
        }));
    }
    all
}

#[expect(clippy::cast_possible_truncation, reason = "modality values fit")]
fn rescaled(value: f64) -> f32 {
    value as f32
}

/// A folder of test data in `PARSENODE_SHARED`, else beside the repository; `None`, said aloud, where it is not there.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let shared = std::env::var_os("PARSENODE_SHARED").map_or(beside, PathBuf::from);
    let folder = shared.join("data").join(name);
    let present = folder.is_dir();
    if !present {
        println!("SKIPPED: no {}", folder.display());
    }
    present.then_some(folder)
}

/// The series in a folder.
pub(crate) fn read(folder: &Path) -> SourceSeries {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let instances = series::read_instances(&paths, &Limits::default()).unwrap();
    series::assemble(&instances, &Limits::default()).unwrap()
}

/// A header of a made CT slice; columns and rows are odd, so that frames do not end at bytes.
pub(crate) fn header(k: u32) -> DataSet {
    let mut set = DataSet::new();
    set.put_text(tags::SPECIFIC_CHARACTER_SET, Vr::CS, "ISO_IR 192");
    set.put_text(tags::PATIENT_NAME, Vr::PN, "M\u{fc}nchhausen^Hieronymus");
    set.put_text(tags::PATIENT_ID, Vr::LO, "ID");
    set.put_text(tags::ACCESSION_NUMBER, Vr::SH, "A1");
    set.put_text(tags::MANUFACTURER, Vr::LO, "Scanners");
    set.put_text(tags::MODALITY, Vr::CS, "CT");
    set.put_text(tags::SERIES_NUMBER, Vr::IS, "2");
    set.put_uid(tags::FRAME_OF_REFERENCE_UID, "1.9");
    set.put_u16s(tags::ROWS, &[5]);
    set.put_u16s(tags::COLUMNS, &[7]);
    set.put_text(tags::IMAGE_ORIENTATION_PATIENT, Vr::DS, "1\\0\\0\\0\\1\\0");
    let position = format!("-10.50\\-20.25\\{:.2}", f64::from(k) * 2.5);
    set.put_text(tags::IMAGE_POSITION_PATIENT, Vr::DS, &position);
    set.put_text(tags::PIXEL_SPACING, Vr::DS, "0.50\\0.75");
    set.put_text(tags::SLICE_THICKNESS, Vr::DS, "4");
    set
}

/// Six made slices of 7 × 5 pixels; instance `k` is `1.3.<k+1>`. `change` bends each header.
pub(crate) fn series(change: impl Fn(&mut DataSet)) -> SourceSeries {
    let instance = |k: u32| {
        let mut header = header(k);
        change(&mut header);
        instance(header, &format!("1.3.{}", k + 1), 1)
    };
    let instances: Vec<_> = (0..6).map(instance).collect();
    series::assemble(&instances, &Limits::default()).unwrap()
}

/// An instance without a file.
pub(crate) fn instance(header: DataSet, uid: &str, frame_count: usize) -> Arc<SourceInstance> {
    Arc::new(SourceInstance {
        identity: InstanceIdentity {
            study: StudyInstanceUid::parse("1.1").unwrap(),
            series: SeriesInstanceUid::parse("1.2").unwrap(),
            sop_instance: SopInstanceUid::parse(uid).unwrap(),
            sop_class: SopClassUid::parse("1.2.840.10008.5.1.4.1.1.2").unwrap(),
            transfer_syntax: TransferSyntaxUid::parse("1.2.840.10008.1.2.1").unwrap(),
        },
        path: PathBuf::from("no-such-file"),
        header,
        pixel_data: Some(PixelDataAt {
            tag: tags::PIXEL_DATA,
            vr: Vr::OW,
            offset: 0,
            length: Some(70),
        }),
        frame_count,
        kept: Kept::default(),
    })
}

/// Two segments in made series: one in slices 0 to 2, one in slices 2 and 5, one voxel of slice 2 in both.
pub(crate) fn two_segments(source: &SourceSeries) -> Vec<Segment> {
    let values = vec![10.0; source.grid.size().iter().product()];
    vec![
        segment(left_lung(), source, &values, |[i, j, k], _| k <= 2 && i > 2 && j <= 3),
        segment(liver_tumor(), source, &values, |[i, j, k], _| {
            (k == 2 && i <= 3 && j == 0) || (k == 5 && i == 6 && j == 4)
        }),
    ]
}

/// A result read back: its data set without pixels, and the pixels.
pub(crate) fn parse(file: &[u8]) -> (DataSet, Vec<u8>) {
    assert_eq!(&file[128..132], b"DICM");
    let length = usize::try_from(u32::from_le_bytes(file[140..144].try_into().unwrap())).unwrap();
    let body = &file[144 + length..];
    let limits = dataset::ReadLimits {
        bytes_max: usize::MAX,
        depth_max: 32,
        elements_max: usize::MAX,
        value_bytes_max: 1 << 20,
    };
    let prefix =
        dataset::read_prefix(body, dataset::Encoding::ExplicitLittle, tags::PIXEL_DATA, &limits)
            .unwrap();
    let pixels = match prefix.end {
        // Behind tag, VR, two reserved bytes and length.
        dataset::End::Stopped { offset } => body[offset + 12..].to_vec(),
        dataset::End::Exhausted => Vec::new(),
        dataset::End::Cut | dataset::End::AtLimit => panic!("cut"),
    };
    (prefix.data_set, pixels)
}

/// A CT of one multi-frame instance with the geometry of [`series`].
pub(crate) fn multi_frame_series() -> SourceSeries {
    let group = |tag, attributes: &[domain::Tag], from: &DataSet| {
        let mut item = DataSet::new();
        item.copy_from(from, attributes);
        let mut groups = DataSet::new();
        groups.put_items(tag, vec![item]);
        groups
    };
    let mut whole = header(0);
    let measures = [tags::PIXEL_SPACING, tags::SLICE_THICKNESS];
    let mut shared = group(tags::PIXEL_MEASURES_SEQUENCE, &measures, &whole);
    let orientation =
        group(tags::PLANE_ORIENTATION_SEQUENCE, &[tags::IMAGE_ORIENTATION_PATIENT], &whole);
    shared.copy_from(&orientation, &[tags::PLANE_ORIENTATION_SEQUENCE]);
    let frames = (0..6)
        .map(|k| group(tags::PLANE_POSITION_SEQUENCE, &[tags::IMAGE_POSITION_PATIENT], &header(k)));
    whole.put_items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, frames.collect());
    whole.put_items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![shared]);
    whole.put_text(tags::NUMBER_OF_FRAMES, Vr::IS, "6");
    for tag in [
        tags::PIXEL_SPACING,
        tags::SLICE_THICKNESS,
        tags::IMAGE_ORIENTATION_PATIENT,
        tags::IMAGE_POSITION_PATIENT,
    ] {
        whole.remove(tag);
    }
    series::assemble(&[instance(whole, "1.3.1", 6)], &Limits::default()).unwrap()
}

//! How long it takes to write the results of a large series. The bounds are loose: tests run unoptimised, beside others.
#![expect(clippy::unwrap_used, reason = "tests")]

mod made;

use std::time::{Duration, Instant};

use dataset::Vr;
use domain::{
    Axes, Bounds, Evidence, Extent, Intensity, IntensityUnit, Limits, Mask, Measurements, Segment,
    SliceMask,
};
use series::SourceSeries;

use made::{context, findings, header, instance, left_lung, tags};

const SIZE: [u32; 3] = [512, 512, 200];

fn source() -> SourceSeries {
    let instance = |k: u32| {
        let mut header = header(k);
        header.put_u16s(tags::ROWS, &[512]);
        header.put_u16s(tags::COLUMNS, &[512]);
        header.put_text(tags::INSTANCE_NUMBER, Vr::IS, &k.to_string());
        instance(header, &format!("2.25.3405696234976234576230459876.{}", k + 1), 1)
    };
    let instances: Vec<_> = (0..SIZE[2]).map(instance).collect();
    series::assemble(&instances, &Limits::default()).unwrap()
}

/// An ellipsoid that reaches through all slices: each of its 200 frames has voxels.
fn ellipsoid(centre: [f64; 2]) -> Segment {
    let slice = |k: u32| {
        let along = (f64::from(k) - 99.5) / 101.0;
        let radius = 60.0 * (1.0 - along * along).sqrt() + 1.0;
        let inside = |pixel: u32| {
            let (i, j) = (f64::from(pixel % SIZE[0]), f64::from(pixel / SIZE[0]));
            (i - centre[0]).hypot(j - centre[1]) < radius
        };
        SliceMask::from_pixels(&(0..SIZE[0] * SIZE[1]).map(inside).collect::<Vec<_>>())
    };
    let slices = (0..SIZE[2]).map(slice).collect();
    let mask = Mask { columns: 512, rows: 512, slices };
    let measurements = Measurements {
        voxel_count: mask.voxel_count(),
        bounds: Bounds { first: [0, 0, 0], last: [100, 100, 199] },
        extent: Extent::Volumetric {
            volume_mm3: 1e5,
            surface_area_mm2: 1e4,
            maximum_diameter_mm: 100.0,
            axes: Axes { long_mm: 90.0, short_mm: 60.0 },
        },
        intensity: Some(Intensity {
            mean: 40.0,
            standard_deviation: 12.5,
            minimum: -20.0,
            maximum: 90.0,
            median: 41.0,
            unit: IntensityUnit::Hounsfield,
        }),
    };

    Segment {
        target: left_lung(),
        mask,
        measurements,
        confidence: None,
        probabilities: None,
        evidence: Evidence::default(),
        boxes: vec![],
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "this test measures")]
fn five_segments_in_two_hundred_slices() {
    let source = source();
    let centres = [[100.0, 100.0], [400.0, 100.0], [100.0, 400.0], [400.0, 400.0], [256.0, 256.0]];
    let findings = findings(&source, centres.map(ellipsoid).into());
    let mut shortest = Duration::MAX;
    let mut bytes = [0, 0];
    for _ in 0..3 {
        let start = Instant::now();
        let results = sr_writer::write(&findings, &source, &context()).unwrap();
        shortest = shortest.min(start.elapsed());
        bytes = [results.segmentations[0].file.len(), results.report.file.len()];
    }
    let [segmentation, report] = bytes;
    println!("1000 frames: SEG of {segmentation} and SR of {report} bytes in {shortest:?}");
    assert!(segmentation > 1000 * 512 * 512 / 8);
    assert!(shortest < Duration::from_secs(2), "{shortest:?}");
}

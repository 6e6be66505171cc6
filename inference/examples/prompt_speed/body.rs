//! A CT that nobody has: a body of ellipses, as files and as a series.

use std::error::Error;
use std::fs;
use std::path::Path;

use dataset::{DataSet, FileMeta, Vr, tags};
use domain::{Limits, SopClassUid, SopInstanceUid, TransferSyntaxUid, derive_uid};
use series::SourceSeries;

/// Writes so many slices of `pixels` × `pixels` into a folder.
pub(crate) fn write(folder: &Path, slices: usize, pixels: usize) -> Result<(), Box<dyn Error>> {
    for k in 0..slices {
        fs::write(folder.join(format!("{k:05}.dcm")), file(k, pixels)?)?;
    }
    Ok(())
}

/// The first slices of those that were written.
pub(crate) fn source(folder: &Path, count: usize) -> Result<SourceSeries, Box<dyn Error>> {
    let paths: Vec<_> = (0..count).map(|k| folder.join(format!("{k:05}.dcm"))).collect();
    let limits = Limits::default();
    Ok(series::assemble(&series::read_instances(&paths, &limits)?, &limits)?)
}

/// A slice of a body of ellipses, as a file.
fn file(k: usize, pixels: usize) -> Result<Vec<u8>, Box<dyn Error>> {
    let uid = derive_uid(&["prompt speed", &k.to_string()]);
    let meta = FileMeta {
        sop_class: SopClassUid::parse("1.2.840.10008.5.1.4.1.1.2")?,
        sop_instance: SopInstanceUid::parse(&uid)?,
        transfer_syntax: TransferSyntaxUid::parse("1.2.840.10008.1.2.1")?,
        sending_ae: None,
        receiving_ae: None,
        data_set_offset: 0,
    };
    let mut set = DataSet::new();
    set.put_uid(tags::SOP_CLASS_UID, meta.sop_class.as_str());
    set.put_uid(tags::SOP_INSTANCE_UID, &uid);
    set.put_uid(tags::STUDY_INSTANCE_UID, "1.2.3");
    set.put_uid(tags::SERIES_INSTANCE_UID, "1.2.3.4");
    set.put_uid(tags::FRAME_OF_REFERENCE_UID, "1.2.3.5");
    for (tag, text) in [
        (tags::MODALITY, "CT"),
        (tags::BODY_PART_EXAMINED, "ABDOMEN"),
        (tags::PHOTOMETRIC_INTERPRETATION, "MONOCHROME2"),
    ] {
        set.put_text(tag, Vr::CS, text);
    }
    set.put_decimals(tags::PIXEL_SPACING, &[0.8, 0.8]);
    set.put_decimals(tags::IMAGE_ORIENTATION_PATIENT, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    set.put_decimals(tags::IMAGE_POSITION_PATIENT, &[0.0, 0.0, k as f64]);
    set.put_decimals(tags::RESCALE_INTERCEPT, &[-1024.0]);
    set.put_decimals(tags::RESCALE_SLOPE, &[1.0]);
    let side = u16::try_from(pixels)?;
    for (tag, number) in [
        (tags::SAMPLES_PER_PIXEL, 1),
        (tags::ROWS, side),
        (tags::COLUMNS, side),
        (tags::BITS_ALLOCATED, 16),
        (tags::BITS_STORED, 12),
        (tags::HIGH_BIT, 11),
        (tags::PIXEL_REPRESENTATION, 0),
    ] {
        set.put_u16s(tag, &[number]);
    }
    set.put_bytes(tags::PIXEL_DATA, Vr::OW, body(k, pixels));
    Ok(dataset::encode_file(&meta, &set))
}

fn body(k: usize, pixels: usize) -> Vec<u8> {
    let half = pixels as f64 / 2.0;
    let inside = |i: usize, j: usize, x: f64, y: f64, radius: f64| {
        (i as f64 / half - 1.0 - x).powi(2) + (j as f64 / half - 1.0 - y).powi(2) < radius * radius
    };
    let stored = |(i, j): (usize, usize)| {
        let noise = u16::try_from((i * 7919 + j * 104_729 + k * 1_299_709) % 61).unwrap_or(0);
        let value = if inside(i, j, -0.2, 0.0, 0.3) {
            1100
        } else if inside(i, j, 0.3, 0.2, 0.15) {
            1400
        } else if inside(i, j, 0.0, 0.0, 0.8) {
            1040
        } else {
            10
        };
        (value + noise).to_le_bytes()
    };
    (0..pixels).flat_map(|j| (0..pixels).map(move |i| (i, j))).flat_map(stored).collect()
}

//! Series that a test makes: headers and pixels by formula, written as DICOM files and read again.

use std::fs;

use dataset::{DataSet, FileMeta, Vr, tags};
use domain::{Limits, SopClassUid, SopInstanceUid, TransferSyntaxUid, Unsuitable, derive_uid};
use series::SourceSeries;
use tempfile::TempDir;

const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";
const CT_IMAGE: &str = "1.2.840.10008.5.1.4.1.1.2";
const SECONDARY_CAPTURE: &str = "1.2.840.10008.5.1.4.1.1.7";

/// A series in the making.
pub(crate) struct Made {
    /// Columns, rows, slices.
    pub(crate) size: [usize; 3],
    /// Modality (0008,0060).
    pub(crate) modality: &'static str,
    /// Whether slices have a place in the patient.
    pub(crate) in_patient: bool,
    /// Samples per Pixel: 1 or 3.
    pub(crate) samples: usize,
    /// Bits Allocated, and Stored: 8 or 16.
    pub(crate) bits: u16,
    /// Stored value of sample `s` at (i, j, k).
    pub(crate) stored: fn([usize; 3], usize) -> u16,
    /// Changes the header of each slice.
    pub(crate) change: fn(&mut DataSet),
}

/// A series that was read; its files go with it.
pub(crate) struct Read {
    pub(crate) source: SourceSeries,
    _folder: TempDir,
}

impl Made {
    /// A CT of the abdomen with shapes and noise, stored with an intercept of -1024.
    pub(crate) fn ct(size: [usize; 3]) -> Self {
        Self {
            size,
            modality: "CT",
            in_patient: true,
            samples: 1,
            bits: 16,
            stored: |at, _| body(at),
            change: |set| {
                set.put_text(tags::BODY_PART_EXAMINED, Vr::CS, "ABDOMEN");
                set.put_decimals(tags::RESCALE_INTERCEPT, &[-1024.0]);
                set.put_decimals(tags::RESCALE_SLOPE, &[1.0]);
                set.put_text(tags::RESCALE_TYPE, Vr::LO, "HU");
            },
        }
    }

    /// Photographs in 8-bit RGB without a place.
    pub(crate) fn photographs(size: [usize; 3], modality: &'static str) -> Self {
        Self {
            size,
            modality,
            in_patient: false,
            samples: 3,
            bits: 8,
            stored: |[i, j, k], s| u16::try_from((i * 5 + j * 3 + k * 40 + s * 30) % 256).unwrap(),
            change: |_| {},
        }
    }

    pub(crate) fn with(mut self, fill: impl FnOnce(&mut Self)) -> Self {
        fill(&mut self);
        self
    }

    /// Writes and reads it.
    pub(crate) fn read(&self) -> Read {
        self.try_read().unwrap()
    }

    pub(crate) fn try_read(&self) -> Result<Read, Unsuitable> {
        let folder = tempfile::tempdir().unwrap();
        let write = |k: usize| {
            let path = folder.path().join(format!("{k:04}.dcm"));
            fs::write(&path, self.file(k)).unwrap();
            path
        };
        let paths: Vec<_> = (0..self.size[2]).map(write).collect();
        let limits = Limits::default();
        let instances = series::read_instances(&paths, &limits)?;
        Ok(Read { source: series::assemble(&instances, &limits)?, _folder: folder })
    }

    fn file(&self, k: usize) -> Vec<u8> {
        let uid = derive_uid(&["made", self.modality, &k.to_string()]);
        let class = if self.modality == "CT" { CT_IMAGE } else { SECONDARY_CAPTURE };
        let meta = FileMeta {
            sop_class: SopClassUid::parse(class).unwrap(),
            sop_instance: SopInstanceUid::parse(&uid).unwrap(),
            transfer_syntax: TransferSyntaxUid::parse(EXPLICIT_LITTLE).unwrap(),
            sending_ae: None,
            receiving_ae: None,
            data_set_offset: 0,
        };
        let mut set = DataSet::new();
        set.put_uid(tags::SOP_CLASS_UID, class);
        set.put_uid(tags::SOP_INSTANCE_UID, &uid);
        set.put_uid(tags::STUDY_INSTANCE_UID, "1.2.3");
        set.put_uid(tags::SERIES_INSTANCE_UID, "1.2.3.4");
        set.put_text(tags::MODALITY, Vr::CS, self.modality);
        set.put_text(tags::INSTANCE_NUMBER, Vr::IS, &(k + 1).to_string());
        if self.in_patient {
            place(&mut set, k);
        }
        self.put_pixels(&mut set, k);
        (self.change)(&mut set);
        dataset::encode_file(&meta, &set)
    }

    fn put_pixels(&self, set: &mut DataSet, k: usize) {
        let [columns, rows, _] = self.size;
        let short = |n: usize| u16::try_from(n).unwrap();
        set.put_u16s(tags::SAMPLES_PER_PIXEL, &[short(self.samples)]);
        let photometric = if self.samples == 3 { "RGB" } else { "MONOCHROME2" };
        set.put_text(tags::PHOTOMETRIC_INTERPRETATION, Vr::CS, photometric);
        set.put_u16s(tags::ROWS, &[short(rows)]);
        set.put_u16s(tags::COLUMNS, &[short(columns)]);
        set.put_u16s(tags::BITS_ALLOCATED, &[self.bits]);
        set.put_u16s(tags::BITS_STORED, &[self.bits]);
        set.put_u16s(tags::HIGH_BIT, &[self.bits - 1]);
        set.put_u16s(tags::PIXEL_REPRESENTATION, &[0]);
        if self.samples == 3 {
            set.put_u16s(tags::PLANAR_CONFIGURATION, &[0]);
        }
        let mut bytes = Vec::new();
        for (j, i) in (0..rows).flat_map(|j| (0..columns).map(move |i| (j, i))) {
            for sample in 0..self.samples {
                let stored = (self.stored)([i, j, k], sample);
                bytes.extend(&stored.to_le_bytes()[..usize::from(self.bits / 8)]);
            }
        }
        let vr = if self.bits == 8 { Vr::OB } else { Vr::OW };
        set.put_bytes(tags::PIXEL_DATA, vr, bytes);
    }
}

fn place(set: &mut DataSet, k: usize) {
    set.put_uid(tags::FRAME_OF_REFERENCE_UID, "1.2.3.5");
    set.put_decimals(tags::PIXEL_SPACING, &[0.8, 0.7]);
    set.put_decimals(tags::SLICE_THICKNESS, &[3.0]);
    set.put_decimals(tags::IMAGE_ORIENTATION_PATIENT, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    set.put_decimals(tags::IMAGE_POSITION_PATIENT, &[-10.0, -12.0, 3.0 * k as f64]);
}

/// Ellipses of soft tissue and bone in air, with noise.
pub(crate) fn body([i, j, k]: [usize; 3]) -> u16 {
    let (x, y, z) = (i as f64 - 24.0, j as f64 - 20.0, k as f64);
    let noise = f64::from(u16::try_from((i * 7919 + j * 104_729 + k * 1_299_709) % 61).unwrap());
    let hounsfield = if (x / 6.0).powi(2) + ((y - 8.0) / 4.0).powi(2) < 1.0 {
        400.0
    } else if ((x - 6.0) / 8.0).powi(2) + ((y + z) / 7.0).powi(2) < 1.0 {
        90.0
    } else if (x / 20.0).powi(2) + (y / 16.0).powi(2) < 1.0 {
        20.0
    } else {
        -990.0
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 4095")]
    let stored = (hounsfield + 1024.0 + noise - 30.0).clamp(0.0, 4095.0) as u16;
    stored
}

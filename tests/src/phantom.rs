//! A CT of a trunk that nobody has: geometry and Hounsfield numbers by formula, written as CT Image Storage.
//!
//! A body of soft tissue with a layer of fat, two lungs, a spine with its canal, gas in the bowel, a table below,
//! and noise. Every voxel is a function of its place and of the seed, so the true volumes can be counted.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use dataset::{DataSet, FileMeta, Vr, tags};
use domain::{SopClassUid, SopInstanceUid, TransferSyntaxUid, derive_uid};

const CT_IMAGE_STORAGE: &str = "1.2.840.10008.5.1.4.1.1.2";
const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";

/// Hounsfield numbers of what the phantom is made of.
mod hounsfield {
    pub(super) const AIR: f64 = -1000.0;
    pub(super) const LUNG: f64 = -830.0;
    pub(super) const GAS: f64 = -990.0;
    pub(super) const FAT: f64 = -105.0;
    pub(super) const SOFT: f64 = 45.0;
    pub(super) const BONE: f64 = 420.0;
    pub(super) const TABLE: f64 = -60.0;
}

/// A phantom: its size, and the seed that its identifiers and its noise come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Phantom {
    /// Patients, studies and series of different seeds are different.
    pub seed: u64,
    /// Columns of an image.
    pub columns: usize,
    /// Rows of an image.
    pub rows: usize,
    /// Images of the series.
    pub slices: usize,
    /// Distance of slices in mm.
    pub slice_spacing_mm: f64,
}

/// True volumes in mL, counted over voxel centres.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Volumes {
    /// Lungs and bowel gas.
    pub lung_and_gas: f64,
    /// Fat.
    pub fat: f64,
    /// Soft tissue.
    pub soft_tissue: f64,
    /// Bone.
    pub bone: f64,
}

impl Phantom {
    /// The phantom of the demo: 40 slices of 256 × 256.
    #[must_use]
    pub fn demo() -> Self {
        Self { seed: 1, columns: 256, rows: 256, slices: 40, slice_spacing_mm: 5.0 }
    }

    /// A small one for tests: `slices` images of 64 × 64.
    #[must_use]
    pub fn small(seed: u64, slices: usize) -> Self {
        Self { seed, columns: 64, rows: 64, slices, slice_spacing_mm: 5.0 }
    }

    /// Pixel spacing in mm, rows and columns alike: the field of view is 400 mm.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "image sizes are small")]
    pub fn pixel_spacing_mm(&self) -> f64 {
        400.0 / self.columns as f64
    }

    /// Study Instance UID.
    #[must_use]
    pub fn study(&self) -> String {
        self.uid("study")
    }

    /// Series Instance UID.
    #[must_use]
    pub fn series(&self) -> String {
        self.uid("series")
    }

    /// SOP Instance UID of slice `k`.
    #[must_use]
    pub fn sop_instance(&self, k: usize) -> String {
        self.uid(&format!("slice {k}"))
    }

    fn uid(&self, role: &str) -> String {
        let size = format!("{}x{}x{}", self.columns, self.rows, self.slices);
        derive_uid(&["phantom", &self.seed.to_string(), &size, role])
    }

    /// Counts the true volumes.
    #[must_use]
    pub fn volumes(&self) -> Volumes {
        let voxel_ml = self.pixel_spacing_mm().powi(2) * self.slice_spacing_mm / 1000.0;
        let mut volumes = Volumes::default();
        for place in (0..self.slices).flat_map(|k| self.places(k)) {
            match tissue(place) {
                Tissue::Lung | Tissue::Gas => volumes.lung_and_gas += voxel_ml,
                Tissue::Fat => volumes.fat += voxel_ml,
                Tissue::Soft => volumes.soft_tissue += voxel_ml,
                Tissue::Bone => volumes.bone += voxel_ml,
                Tissue::Air | Tissue::Table => {}
            }
        }
        volumes
    }

    /// Voxel centres of slice `k`, row by row: x to the left, y to the back, in mm from the centre of the image,
    /// z along the body from -1 at the feet end to 1 at the head end.
    #[expect(clippy::cast_precision_loss, reason = "image sizes are small")]
    fn places(&self, k: usize) -> impl Iterator<Item = [f64; 3]> + '_ {
        let spacing = self.pixel_spacing_mm();
        let centre = |count: usize| (count as f64 - 1.0) / 2.0;
        let z = if self.slices > 1 { k as f64 / centre(self.slices) - 1.0 } else { 0.0 };
        (0..self.rows).flat_map(move |j| {
            let y = (j as f64 - centre(self.rows)) * spacing;
            (0..self.columns).map(move |i| [(i as f64 - centre(self.columns)) * spacing, y, z])
        })
    }

    /// Stored values of slice `k`: Hounsfield number plus 1024.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=4095"
    )]
    fn pixels(&self, k: usize) -> Vec<u8> {
        let first = (k * self.rows * self.columns) as u64;
        let noisy = |(index, place): (usize, [f64; 3])| {
            let value = tissue(place).hounsfield() + 12.0 * noise(self.seed, first + index as u64);
            ((value + 1024.0).round().clamp(0.0, 4095.0) as u16).to_le_bytes()
        };
        self.places(k).enumerate().flat_map(noisy).collect()
    }

    /// The whole file of slice `k`, counted from the feet.
    ///
    /// # Errors
    /// When an identifier of the phantom is none, which a test rules out.
    pub fn file(&self, k: usize) -> Result<Vec<u8>> {
        let meta = FileMeta {
            sop_class: SopClassUid::parse(CT_IMAGE_STORAGE)?,
            sop_instance: SopInstanceUid::parse(&self.sop_instance(k))?,
            transfer_syntax: TransferSyntaxUid::parse(EXPLICIT_LITTLE)?,
            sending_ae: None,
            receiving_ae: None,
            data_set_offset: 0,
        };
        Ok(dataset::encode_file(&meta, &self.data_set(k)))
    }

    /// Writes the series as `0001.dcm`, … from head to feet, so that names and positions run against each other.
    ///
    /// # Errors
    /// When the folder cannot be made or a file not be written.
    pub fn write(&self, dir: &Path) -> Result<Vec<PathBuf>> {
        fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
        let write = |k: usize| {
            let path = dir.join(format!("{:04}.dcm", self.slices - k));
            fs::write(&path, self.file(k)?)
                .with_context(|| format!("writing {}", path.display()))?;
            Ok(path)
        };
        (0..self.slices).rev().map(write).collect()
    }

    fn data_set(&self, k: usize) -> DataSet {
        let mut set = DataSet::new();
        self.put_patient_and_study(&mut set);
        self.put_series_and_equipment(&mut set);
        self.put_image(&mut set, k);
        self.put_pixels(&mut set, k);
        set
    }

    fn put_patient_and_study(&self, set: &mut DataSet) {
        set.put_text(tags::SPECIFIC_CHARACTER_SET, Vr::CS, "ISO_IR 192");
        set.put_text(tags::PATIENT_NAME, Vr::PN, "Phantom^Münchhausen");
        set.put_text(tags::PATIENT_ID, Vr::LO, &format!("PHANTOM-{}", self.seed));
        set.put_text(tags::PATIENT_BIRTH_DATE, Vr::DA, "17200511");
        set.put_text(tags::PATIENT_SEX, Vr::CS, "O");
        set.put_uid(tags::STUDY_INSTANCE_UID, &self.study());
        set.put_text(tags::STUDY_DATE, Vr::DA, "20260102");
        set.put_text(tags::STUDY_TIME, Vr::TM, "101500");
        set.put_empty(tags::REFERRING_PHYSICIAN_NAME, Vr::PN);
        set.put_text(tags::STUDY_ID, Vr::SH, &self.seed.to_string());
        set.put_text(tags::ACCESSION_NUMBER, Vr::SH, &format!("A{}", self.seed));
        set.put_text(tags::STUDY_DESCRIPTION, Vr::LO, "Phantom, computed");
    }

    fn put_series_and_equipment(&self, set: &mut DataSet) {
        set.put_text(tags::MODALITY, Vr::CS, "CT");
        set.put_uid(tags::SERIES_INSTANCE_UID, &self.series());
        set.put_text(tags::SERIES_NUMBER, Vr::IS, "1");
        set.put_text(tags::SERIES_DESCRIPTION, Vr::LO, "Trunk phantom");
        set.put_text(tags::BODY_PART_EXAMINED, Vr::CS, "CHEST");
        set.put_text(tags::PATIENT_POSITION, Vr::CS, "HFS");
        set.put_uid(tags::FRAME_OF_REFERENCE_UID, &self.uid("frame of reference"));
        set.put_empty(tags::POSITION_REFERENCE_INDICATOR, Vr::LO);
        set.put_text(tags::MANUFACTURER, Vr::LO, "parsenode");
        set.put_text(tags::MANUFACTURER_MODEL_NAME, Vr::LO, "phantom generator");
    }

    #[expect(clippy::cast_precision_loss, reason = "image sizes are small")]
    fn put_image(&self, set: &mut DataSet, k: usize) {
        set.put_uid(tags::SOP_CLASS_UID, CT_IMAGE_STORAGE);
        set.put_uid(tags::SOP_INSTANCE_UID, &self.sop_instance(k));
        set.put_texts(tags::IMAGE_TYPE, Vr::CS, &["ORIGINAL", "PRIMARY", "AXIAL"]);
        set.put_text(tags::CONTENT_DATE, Vr::DA, "20260102");
        set.put_text(tags::CONTENT_TIME, Vr::TM, "101530");
        set.put_text(tags::ACQUISITION_NUMBER, Vr::IS, "1");
        set.put_text(tags::INSTANCE_NUMBER, Vr::IS, &(self.slices - k).to_string());
        set.put_text(tags::KVP, Vr::DS, "120");
        set.put_decimals(tags::SLICE_THICKNESS, &[self.slice_spacing_mm]);
        let spacing = self.pixel_spacing_mm();
        set.put_decimals(tags::PIXEL_SPACING, &[spacing, spacing]);
        set.put_decimals(tags::IMAGE_ORIENTATION_PATIENT, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
        let corner = |count: usize| (1.0 - count as f64) / 2.0 * spacing;
        let z = k as f64 * self.slice_spacing_mm - 500.0;
        set.put_decimals(
            tags::IMAGE_POSITION_PATIENT,
            &[corner(self.columns), corner(self.rows), z],
        );
    }

    fn put_pixels(&self, set: &mut DataSet, k: usize) {
        let size = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        set.put_u16s(tags::SAMPLES_PER_PIXEL, &[1]);
        set.put_text(tags::PHOTOMETRIC_INTERPRETATION, Vr::CS, "MONOCHROME2");
        set.put_u16s(tags::ROWS, &[size(self.rows)]);
        set.put_u16s(tags::COLUMNS, &[size(self.columns)]);
        set.put_u16s(tags::BITS_ALLOCATED, &[16]);
        set.put_u16s(tags::BITS_STORED, &[12]);
        set.put_u16s(tags::HIGH_BIT, &[11]);
        set.put_u16s(tags::PIXEL_REPRESENTATION, &[0]);
        set.put_text(tags::RESCALE_INTERCEPT, Vr::DS, "-1024");
        set.put_text(tags::RESCALE_SLOPE, Vr::DS, "1");
        set.put_text(tags::RESCALE_TYPE, Vr::LO, "HU");
        set.put_text(tags::WINDOW_CENTER, Vr::DS, "40");
        set.put_text(tags::WINDOW_WIDTH, Vr::DS, "400");
        set.put_bytes(tags::PIXEL_DATA, Vr::OW, self.pixels(k));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tissue {
    Air,
    Lung,
    Gas,
    Fat,
    Soft,
    Bone,
    Table,
}

impl Tissue {
    fn hounsfield(self) -> f64 {
        match self {
            Self::Air => hounsfield::AIR,
            Self::Lung => hounsfield::LUNG,
            Self::Gas => hounsfield::GAS,
            Self::Fat => hounsfield::FAT,
            Self::Soft => hounsfield::SOFT,
            Self::Bone => hounsfield::BONE,
            Self::Table => hounsfield::TABLE,
        }
    }
}

/// Whether a place is in the ellipse around (`x`, `y`) with the half axes `a` and `b`.
fn within([px, py, _]: [f64; 3], [x, y]: [f64; 2], [a, b]: [f64; 2]) -> bool {
    ((px - x) / a).powi(2) + ((py - y) / b).powi(2) <= 1.0
}

fn tissue(place: [f64; 3]) -> Tissue {
    let [_, y, z] = place;
    if !within(place, [0.0, 0.0], [160.0, 110.0]) {
        let table = (122.0..124.0).contains(&y) && place[0].abs() < 180.0;
        return if table { Tissue::Table } else { Tissue::Air };
    }
    if !within(place, [0.0, 0.0], [145.0, 96.0]) {
        return Tissue::Fat;
    }
    inner_tissue(place, z)
}

fn inner_tissue(place: [f64; 3], z: f64) -> Tissue {
    if within(place, [0.0, 62.0], [19.0, 17.0]) {
        return if within(place, [0.0, 66.0], [7.0, 6.0]) { Tissue::Soft } else { Tissue::Bone };
    }
    // The lungs are ellipsoids that reach from z = -0.3 to beyond the head end; the bowel's gas lies below them.
    let along = (1.0 - ((z - 0.45) / 0.75).powi(2)).max(0.0).sqrt();
    if along > 0.0
        && [-70.0, 70.0].iter().any(|x| within(place, [*x, -5.0], [50.0 * along, 72.0 * along]))
    {
        return Tissue::Lung;
    }
    let gas = (-0.9..-0.5).contains(&z) && within(place, [45.0, -55.0], [28.0, 14.0]);
    if gas { Tissue::Gas } else { Tissue::Soft }
}

/// A number from -1 to 1 that looks random and is the same for the same seed and index (SplitMix64).
#[expect(clippy::cast_precision_loss, reason = "noise needs no 64 bits")]
fn noise(seed: u64, index: u64) -> f64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(index);
    state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (state ^ (state >> 31)) as f64 / u64::MAX as f64 * 2.0 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_follow_seed_and_size() {
        let (first, second) = (Phantom::small(1, 3), Phantom::small(2, 3));
        assert_eq!(first.sop_instance(0), Phantom::small(1, 3).sop_instance(0));
        assert_ne!(first.study(), second.study());
        assert_ne!(first.series(), Phantom::small(1, 4).series());
        assert!(first.file(0).is_ok());
    }

    #[test]
    fn pixels_hold_what_the_place_is_made_of() {
        let phantom = Phantom::demo();
        let pixels = phantom.pixels(phantom.slices / 2);
        let at = |i: usize, j: usize| {
            let byte = 2 * (j * phantom.columns + i);
            i32::from(u16::from_le_bytes([pixels[byte], pixels[byte + 1]])) - 1024
        };
        assert!((at(0, 0) + 1000).abs() <= 24, "air in the corner: {}", at(0, 0));
        assert!((at(128, 110) - 45).abs() <= 12, "soft tissue in the middle: {}", at(128, 110));
    }

    #[test]
    fn every_tissue_is_there() {
        let volumes = Phantom::small(1, 10).volumes();
        let all = [volumes.lung_and_gas, volumes.fat, volumes.soft_tissue, volumes.bone];
        assert!(all.iter().all(|volume| *volume > 20.0), "{volumes:?}");
    }
}

//! Who writes the results, when, and in which form.

use domain::{Companions, InstanceIdentity, Moment, Predecessor};

use crate::{Backdrop, SegmentationForm};

/// The equipment that results name: this node (PS3.3 §C.7.5.1 and §C.7.5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Manufacturer (0008,0070).
    pub manufacturer: String,
    /// Manufacturer's Model Name (0008,1090).
    pub model_name: String,
    /// Device Serial Number (0018,1000).
    pub serial_number: String,
    /// Software Versions (0018,1020).
    pub software_version: String,
    /// Station Name (0008,1010); type 3.
    pub station_name: Option<String>,
}

/// How the pixels of LABELMAP lie in the file that [`crate::write()`] makes. Everything else is in Explicit VR Little Endian;
/// [`crate::recode_data_set`] makes any transfer syntax from either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LabelMapCoding {
    /// As they are, in Explicit VR Little Endian.
    #[default]
    Plain,
    /// In RLE Lossless (PS3.5 Annex G): a few percent of the bytes, and made faster than plain pixels, which have to be cleared,
    /// painted and carried.
    Rle,
}

/// What results say beside the findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteContext {
    /// The equipment that makes them.
    pub device: Device,
    /// When the analysis was begun: Content Date and Time, and every other time in the results. UIDs do not depend on it.
    pub created: Moment,
    /// In which form masks are written.
    pub form: SegmentationForm,
    /// How LABELMAP is coded. UIDs do not depend on it.
    pub label_maps: LabelMapCoding,
    /// What is to lie beside SEG and SR.
    pub companions: Companions,
    /// The pictures that masks are drawn on, where a Secondary Capture is wanted: [`crate::chosen_slices`] says of which slices.
    pub backdrops: Vec<Backdrop>,
    /// The results of the earlier revision, for a rejection note.
    pub rejected: Vec<InstanceIdentity>,
    /// The report on an earlier revision of the series that the new one replaces (PS3.3 §C.17.2.3, type 1C).
    pub predecessor: Option<Predecessor>,
}

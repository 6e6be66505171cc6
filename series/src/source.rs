//! The nouns: an instance by its header, a slice by its place, a series as a grid of slices.

use std::path::PathBuf;
use std::sync::Arc;

use dataset::{DataSet, PixelDataAt};
use domain::{
    FrameOfReferenceUid, InstanceIdentity, IntensityUnit, SeriesInstanceUid, SourceGrid,
    StudyInstanceUid,
};

use crate::Kept;

/// An instance of the source series: its header, and where its pixels are.
#[derive(Debug, Clone)]
pub struct SourceInstance {
    /// What it is and how it is encoded.
    pub identity: InstanceIdentity,
    /// The DICOM file (PS3.10) that holds it.
    pub path: PathBuf,
    /// The data set in front of the pixels; long values that nobody asks for are left out.
    pub header: DataSet,
    /// Where the pixels are in the file; `None` for an instance without.
    pub pixel_data: Option<PixelDataAt>,
    /// Number of Frames (0028,0008); 1 when absent.
    pub frame_count: usize,
    /// What whoever reads its pixels has found out about them.
    pub kept: Kept,
}

/// One plane of the grid: a single-frame instance, or a frame of a multi-frame one.
#[derive(Debug, Clone)]
pub struct SourceSlice {
    /// The instance that holds it.
    pub instance: Arc<SourceInstance>,
    /// Which frame of the instance, from 0.
    pub frame_index: usize,
    /// Frame Number, from 1, as references to frames write it; `None` for single-frame objects.
    pub frame_number: Option<u32>,
    /// Where it lies; `None` where the grid is not one in the patient.
    pub position: Option<SlicePosition>,
    /// Rescale Slope (0028,1053); 1 when absent.
    pub rescale_slope: f64,
    /// Rescale Intercept (0028,1052); 0 when absent.
    pub rescale_intercept: f64,
}

/// Where a slice lies in the patient.
#[derive(Debug, Clone, PartialEq)]
pub struct SlicePosition {
    /// Image Position (Patient): centre of the first pixel, in mm, LPS.
    pub mm: [f64; 3],
    /// The same as received: the bytes of the DS value of (0020,0032).
    pub bytes: Vec<u8>,
}

/// A series whose frames go together: a regular grid in the patient, or a stack of frames of one size.
#[derive(Debug, Clone)]
pub struct SourceSeries {
    /// Study Instance UID.
    pub study: StudyInstanceUid,
    /// Series Instance UID.
    pub series: SeriesInstanceUid,
    /// Modality (0008,0060); empty when absent.
    pub modality: String,
    /// The grid. In the patient, its origin is the position of the first slice, its third direction the normal.
    pub grid: SourceGrid,
    /// How the grid lies in the patient, as received; `None` for frames without a Frame of Reference.
    pub place: Option<Place>,
    /// One slice for each k of the grid.
    pub slices: Vec<SourceSlice>,
    /// The instances that hold the slices, in the order of their first slice.
    pub instances: Vec<Arc<SourceInstance>>,
    /// What the rescaled values mean.
    pub unit: IntensityUnit,
}

/// What all slices of a grid in the patient share, as received.
#[derive(Debug, Clone)]
pub struct Place {
    /// The one Frame of Reference.
    pub frame_of_reference: FrameOfReferenceUid,
    /// Image Orientation (Patient) of the first slice: the bytes of the DS value of (0020,0037).
    pub orientation_bytes: Vec<u8>,
    /// Pixel Spacing of the first slice: the bytes of the DS value of (0028,0030).
    pub pixel_spacing_bytes: Vec<u8>,
}

//! What a model found, on the grid of the source images.

use std::fmt;

use crate::{CodedConcept, ModelIdentity, SourceGrid};

/// What a segment stands for, in codes (PS3.3 §C.8.20.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Segment Label, at most 64 characters.
    pub label: String,
    /// Segmented Property Category, CID 7150.
    pub category: CodedConcept,
    /// Segmented Property Type.
    pub property_type: CodedConcept,
    /// Laterality, CID 244; written as Segmented Property Type Modifier and as Laterality of the Finding Site.
    pub laterality: Option<CodedConcept>,
    /// Anatomic Region.
    pub anatomic_region: Option<CodedConcept>,
    /// Colour on screens, sRGB.
    pub color_rgb: [u8; 3],
}

/// The voxels of one segment in one slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SliceMask {
    /// One bit a pixel, rows one after the other without padding, first pixel in bit 0 (PS3.5 §8.1.1):
    /// `ceil(rows × columns / 8)` bytes, unused bits 0.
    pub bits: Vec<u8>,
    /// Number of pixels that are set; above 0. Who reads the bits may stop when so many were found.
    pub pixel_count: usize,
}

/// A binary mask on the source grid, slice by slice; slices without a voxel are `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    /// Columns (i).
    pub columns: usize,
    /// Rows (j).
    pub rows: usize,
    /// One entry for each k of the grid.
    pub slices: Vec<Option<SliceMask>>,
}

impl Mask {
    /// A mask from one `bool` a voxel, k-major (`[k][j][i]`); meant for tests and small volumes.
    ///
    /// # Panics
    /// When the number of voxels is no multiple of `columns × rows`, or either is 0.
    #[must_use]
    pub fn from_voxels(columns: usize, rows: usize, voxels: &[bool]) -> Self {
        assert_eq!(voxels.len() % (columns * rows), 0, "whole slices");
        let slices = voxels.chunks(columns * rows).map(SliceMask::from_pixels).collect();
        Self { columns, rows, slices }
    }

    /// Number of voxels in the mask.
    #[must_use]
    pub fn voxel_count(&self) -> usize {
        self.slices.iter().flatten().map(|slice| slice.pixel_count).sum()
    }

    /// Whether voxel (i, j, k) is set.
    #[must_use]
    pub fn contains(&self, i: usize, j: usize, k: usize) -> bool {
        let bit = j * self.columns + i;
        self.slices[k].as_ref().is_some_and(|slice| slice.bits[bit / 8] >> (bit % 8) & 1 == 1)
    }
}

impl SliceMask {
    /// The mask of one slice from one `bool` a pixel, row by row; `None` when none is set.
    #[must_use]
    pub fn from_pixels(pixels: &[bool]) -> Option<Self> {
        let mut bits = vec![0; pixels.len().div_ceil(8)];
        let mut pixel_count = 0;
        for (index, _) in pixels.iter().enumerate().filter(|(_, set)| **set) {
            bits[index / 8] |= 1 << (index % 8);
            pixel_count += 1;
        }
        (pixel_count > 0).then_some(Self { bits, pixel_count })
    }
}

/// What the numbers of a volume mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntensityUnit {
    /// Hounsfield units: CT whose Rescale Type is HU or absent (PS3.3 §C.8.2.1).
    Hounsfield,
    /// Whatever the scanner meant: written with unit 1.
    Signal,
}

/// The box around a segment, in source indices, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Smallest i, j, k.
    pub first: [usize; 3],
    /// Largest i, j, k.
    pub last: [usize; 3],
}

/// The two axes of a region in its plane, from pixel edge to pixel edge: the longest chord, and the extent across it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axes {
    /// Longest distance between two points of the outline in one slice, in mm. The outline goes through the middles of pixel edges.
    pub long_mm: f64,
    /// Extent at right angles to the long axis in that slice, in mm.
    pub short_mm: f64,
}

/// How large a segment is, as far as its source tells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Extent {
    /// On a grid in the patient.
    Volumetric {
        /// Voxels times voxel volume (voxel summation), in mm³.
        volume_mm3: f64,
        /// Area of the boundary, in mm².
        surface_area_mm2: f64,
        /// Longest distance between two points of the segment, in mm.
        maximum_diameter_mm: f64,
        /// Of the slice in which the long axis is longest.
        axes: Axes,
    },
    /// In one frame of pixels whose spacing is known: the frame in which the segment is largest.
    Planar {
        /// Which frame, from 0.
        frame_index: usize,
        /// Pixels times pixel area, in mm².
        area_mm2: f64,
        /// Axes in that frame.
        axes: Axes,
    },
    /// In one frame of pixels of unknown size: the frame in which the segment is largest.
    Pixels {
        /// Which frame, from 0.
        frame_index: usize,
        /// Number of pixels.
        area_pixels: usize,
    },
}

/// How bright a segment is: numbers over the intensities of its voxels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Intensity {
    /// Mean.
    pub mean: f64,
    /// Standard deviation over the voxels (divided by n).
    pub standard_deviation: f64,
    /// Smallest.
    pub minimum: f64,
    /// Largest.
    pub maximum: f64,
    /// Median; the mean of the middle two of an even number.
    pub median: f64,
    /// Unit of the five.
    pub unit: IntensityUnit,
}

/// Numbers over the voxels of a segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurements {
    /// Number of voxels.
    pub voxel_count: usize,
    /// The box around the segment.
    pub bounds: Bounds,
    /// How large it is.
    pub extent: Extent,
    /// How bright it is; `None` for colour.
    pub intensity: Option<Intensity>,
}

impl Extent {
    /// The volume in mm³, where there is one.
    #[must_use]
    pub fn volume_mm3(&self) -> Option<f64> {
        match self {
            Self::Volumetric { volume_mm3, .. } => Some(*volume_mm3),
            Self::Planar { .. } | Self::Pixels { .. } => None,
        }
    }

    /// The lengths, areas and volumes, to be checked for numbers that are none.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        let values: [f64; 5] = match *self {
            Self::Volumetric { volume_mm3, surface_area_mm2, maximum_diameter_mm, axes } => {
                [volume_mm3, surface_area_mm2, maximum_diameter_mm, axes.long_mm, axes.short_mm]
            }
            Self::Planar { area_mm2, axes, .. } => {
                [area_mm2, axes.long_mm, axes.short_mm, 0.0, 0.0]
            }
            Self::Pixels { .. } => [0.0; 5],
        };
        values.into_iter()
    }
}

/// How sure the model says it is: the mean, over the voxels of the segment, of the probability it gave them; 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Confidence(pub f64);

/// The probability that the model gave each pixel, slice by slice, on the grid of the mask; slices without any are `None`. What
/// does not reach the model's threshold may be 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probabilities {
    /// One entry for each k of the grid: `rows × columns` values, row by row; 0 is 0, 255 is 1.
    pub slices: Vec<Option<Vec<u8>>>,
}

/// The tight box around a connected part of a segment in one slice or frame, in source indices, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanarBox {
    /// Slice or frame.
    pub k: usize,
    /// Smallest i, j.
    pub first: [usize; 2],
    /// Largest i, j.
    pub last: [usize; 2],
}

/// By which numbers a promptable model's masks passed for what they are called: the best of the slices. `None` where the model
/// is not judged by it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Evidence {
    /// The p-value of the mask's statistics, 0 to 1.
    pub p: Option<f64>,
    /// The probability that the object is there, which the model gives, 0 to 1.
    pub existence: Option<f64>,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// What it is.
    pub target: Target,
    /// Where it is; never empty.
    pub mask: Mask,
    /// How large and how bright it is.
    pub measurements: Measurements,
    /// How sure the model is.
    pub confidence: Option<Confidence>,
    /// By which numbers it passed.
    pub evidence: Evidence,
    /// How sure it is of each pixel, where that was kept.
    pub probabilities: Option<Probabilities>,
    /// Boxes to be reported beside the mask; none where nobody asked for detection.
    pub boxes: Vec<PlanarBox>,
}

/// The answer of one model to one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Findings {
    /// Who answered.
    pub model: ModelIdentity,
    /// Settings that shaped the answer, one `key=value` a line, sorted; part of derived UIDs and of TID 4019 parameters.
    pub parameters: Vec<String>,
    /// SHA-256 over the grid and the values that the model was given, 64 lower-case hex digits: part of derived UIDs, so that
    /// other pixels under old UIDs make other results.
    pub input_sha256: String,
    /// The source grid on which the masks lie.
    pub grid: SourceGrid,
    /// What was found, in the order of the model's labels.
    pub segments: Vec<Segment>,
    /// What was looked for and not found.
    pub absent: Vec<Absent>,
}

/// Something that was looked for and is not reported as found.
#[derive(Debug, Clone, PartialEq)]
pub struct Absent {
    /// What was looked for.
    pub target: Target,
    /// Why it is not reported.
    pub reason: Absence,
}

/// Why something is not reported as found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Absence {
    /// No pixel passed the threshold.
    EmptyMask,
    /// There is a mask, but its statistics are not those of such objects.
    LowPValue {
        /// The p-value, 0 to 1.
        p: f64,
        /// The least that is accepted.
        least: f64,
    },
    /// The model says that the object is not there.
    NotThere {
        /// The probability that it gives, 0 to 1.
        probability: f64,
        /// The least that is accepted.
        least: f64,
    },
    /// There is a mask, but it lies on that of something else of which the model is surer.
    Overlapped,
    /// The model has no statistics for such objects, so that its mask cannot be judged.
    UnknownTarget,
    /// The intensities were prepared for another window than the one that the statistics are of.
    WindowMismatch,
}

impl Absence {
    /// How sure the absence is, 0 to 1, where the model tells.
    #[must_use]
    pub fn certainty(&self) -> Option<f64> {
        match self {
            Self::LowPValue { p, .. } => Some(1.0 - p),
            Self::NotThere { probability, .. } => Some(1.0 - probability),
            Self::EmptyMask | Self::Overlapped | Self::UnknownTarget | Self::WindowMismatch => None,
        }
    }
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyMask => f.write_str("empty mask: no pixel passed the threshold"),
            Self::LowPValue { p, least } => {
                write!(f, "low p-value: {p:.4}, at least {least} is asked for")
            }
            Self::NotThere { probability, least } => {
                write!(f, "not there: existence {probability:.4}, at least {least} is asked for")
            }
            Self::Overlapped => {
                f.write_str("overlapped: its mask lies on that of another that is surer")
            }
            Self::UnknownTarget => f.write_str("unknown target: the model has no statistics of it"),
            Self::WindowMismatch => {
                f.write_str("window mismatch: the statistics are of another intensity window")
            }
        }
    }
}

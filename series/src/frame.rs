//! One frame of an instance and where it lies, for single-frame and multi-frame objects alike.

use std::sync::Arc;

use dataset::{DataSet, Element, Value, tags};
use domain::{FrameOfReferenceUid, Tag, Unsuitable, UnsuitableCode, cross, dot, norm};

use crate::SourceInstance;
use crate::pixel_values::PixelValues;

/// How far direction cosines may be from orthonormal: DS values of three decimals still pass.
const ORTHONORMAL_MAX: f64 = 1e-3;

/// Nothing in a patient is a kilometre away, in mm.
const MAGNITUDE_MAX: f64 = 1e6;

/// A frame with its place in the patient.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) instance: Arc<SourceInstance>,
    pub(crate) frame_index: usize,
    pub(crate) is_multi_frame: bool,
    pub(crate) plane: Plane,
    pub(crate) values: PixelValues,
}

/// Where a frame lies: PS3.3 §C.7.6.2 (Image Plane), or §C.7.6.16.2.1, .3 and .4 (functional groups).
#[derive(Debug, Clone)]
pub(crate) struct Plane {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
    pub(crate) frame_of_reference: FrameOfReferenceUid,
    pub(crate) position_mm: [f64; 3],
    pub(crate) position_bytes: Vec<u8>,
    /// Unit vectors of growing column and row index, orthonormal.
    pub(crate) directions: [[f64; 3]; 2],
    pub(crate) orientation_bytes: Vec<u8>,
    /// Distance between columns, between rows, in mm.
    pub(crate) spacing_mm: [f64; 2],
    pub(crate) spacing_bytes: Vec<u8>,
    /// Spacing Between Slices or else Slice Thickness, in mm, where there is one above 0.
    pub(crate) thickness_mm: Option<f64>,
}

impl Plane {
    /// The unit normal: `directions[0]` × `directions[1]`.
    pub(crate) fn normal(&self) -> [f64; 3] {
        cross(self.directions[0], self.directions[1])
    }
}

/// All frames of an instance, in stored order.
///
/// # Errors
/// [`UnsuitableCode::MissingGeometry`] naming instance, frame and attribute; [`UnsuitableCode::PixelFormat`] for
/// a Rescale Slope that is no slope.
pub(crate) fn frames_of(instance: &Arc<SourceInstance>) -> Result<Vec<Frame>, Unsuitable> {
    let header = &instance.header;
    let per_frame = header.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
    let shared = header.items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).first();
    if per_frame.is_empty() && shared.is_none() {
        return frames_without_groups(instance);
    }
    if per_frame.len() != instance.frame_count {
        let detail = format!(
            "{}: {} frames, but {} items of Per-Frame Functional Groups Sequence",
            instance.identity.sop_instance,
            instance.frame_count,
            per_frame.len()
        );
        return Err(Unsuitable::new(UnsuitableCode::MissingGeometry, detail));
    }
    let frame = |(frame_index, groups)| {
        let groups = Groups { header, shared, frame: Some(groups) };
        read_frame(instance, frame_index, groups)
    };
    per_frame.iter().enumerate().map(frame).collect()
}

fn frames_without_groups(instance: &Arc<SourceInstance>) -> Result<Vec<Frame>, Unsuitable> {
    if instance.frame_count > 1 {
        let detail = format!(
            "{}: {} frames without functional groups",
            instance.identity.sop_instance, instance.frame_count
        );
        return Err(Unsuitable::new(UnsuitableCode::MissingGeometry, detail));
    }
    let groups = Groups { header: &instance.header, shared: None, frame: None };
    Ok(vec![read_frame(instance, 0, groups)?])
}

/// Where the attributes of a frame are.
#[derive(Clone, Copy)]
struct Groups<'a> {
    header: &'a DataSet,
    shared: Option<&'a DataSet>,
    frame: Option<&'a DataSet>,
}

impl<'a> Groups<'a> {
    fn is_multi_frame(self) -> bool {
        self.frame.is_some()
    }

    /// The item that holds the attributes of one functional group; the data set itself for a single-frame instance.
    fn group(self, sequence: Tag) -> Option<&'a DataSet> {
        if !self.is_multi_frame() {
            return Some(self.header);
        }
        let item = |groups: Option<&'a DataSet>| groups?.items(sequence).first();
        item(self.frame).or_else(|| item(self.shared))
    }
}

fn read_frame(
    instance: &Arc<SourceInstance>,
    frame_index: usize,
    groups: Groups<'_>,
) -> Result<Frame, Unsuitable> {
    let place = || {
        let sop_instance = &instance.identity.sop_instance;
        if groups.is_multi_frame() {
            format!("{sop_instance} frame {}", frame_index + 1)
        } else {
            sop_instance.to_string()
        }
    };
    let plane = read_plane(groups).map_err(|fault| {
        Unsuitable::new(UnsuitableCode::MissingGeometry, format!("{}: {fault}", place()))
    })?;
    let transformation = groups.group(tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE);
    let values = PixelValues::read(groups.header, transformation)
        .map_err(|fault| Unsuitable::new(fault.code, format!("{}: {}", place(), fault.detail)))?;
    let is_multi_frame = groups.is_multi_frame();
    Ok(Frame { instance: Arc::clone(instance), frame_index, is_multi_frame, plane, values })
}

fn read_plane(groups: Groups<'_>) -> Result<Plane, String> {
    let position = groups.group(tags::PLANE_POSITION_SEQUENCE);
    let (position_mm, position_bytes) =
        decimals(position, tags::IMAGE_POSITION_PATIENT, "Image Position (Patient)")?;
    let orientation = groups.group(tags::PLANE_ORIENTATION_SEQUENCE);
    let (cosines, orientation_bytes) =
        decimals(orientation, tags::IMAGE_ORIENTATION_PATIENT, "Image Orientation (Patient)")?;
    let measures = groups.group(tags::PIXEL_MEASURES_SEQUENCE);
    let ([row_mm, column_mm], spacing_bytes) =
        decimals(measures, tags::PIXEL_SPACING, "Pixel Spacing")?;
    if row_mm <= 0.0 || column_mm <= 0.0 {
        return Err(format!("Pixel Spacing is {row_mm} \\ {column_mm}"));
    }
    Ok(Plane {
        columns: extent(groups.header, tags::COLUMNS, "Columns")?,
        rows: extent(groups.header, tags::ROWS, "Rows")?,
        frame_of_reference: frame_of_reference(groups.header)?,
        position_mm,
        position_bytes,
        directions: directions(cosines)?,
        orientation_bytes,
        // Pixel Spacing gives the distance between rows first (PS3.3 §10.7.1.3).
        spacing_mm: [column_mm, row_mm],
        spacing_bytes,
        thickness_mm: thickness(measures),
    })
}

fn thickness(measures: Option<&DataSet>) -> Option<f64> {
    let measures = measures?;
    let above_0 = |tag| measures.number(tag).filter(|mm| mm.is_finite() && *mm > 0.0);
    above_0(tags::SPACING_BETWEEN_SLICES).or_else(|| above_0(tags::SLICE_THICKNESS))
}

fn extent(header: &DataSet, tag: Tag, name: &str) -> Result<usize, String> {
    let count = header.int(tag).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    if count > 0 { Ok(count) } else { Err(format!("{name} is absent or 0")) }
}

fn frame_of_reference(header: &DataSet) -> Result<FrameOfReferenceUid, String> {
    let text = header.text(tags::FRAME_OF_REFERENCE_UID).unwrap_or_default();
    FrameOfReferenceUid::parse(&text).map_err(|fault| format!("Frame of Reference UID: {fault}"))
}

/// `N` finite decimals and the bytes they were read from.
fn decimals<const N: usize>(
    item: Option<&DataSet>,
    tag: Tag,
    name: &str,
) -> Result<([f64; N], Vec<u8>), String> {
    let element = item.and_then(|item| Some((item, item.get(tag)?)));
    let Some((item, Element { value: Value::Bytes(bytes), .. })) = element else {
        return Err(format!("{name} is absent"));
    };
    let Ok(numbers) = item.checked_numbers(tag) else {
        return Err(format!("{name} holds what is no number"));
    };
    let count = numbers.len();
    let Ok(values) = <[f64; N]>::try_from(numbers) else {
        return Err(format!("{name} has {count} numbers, not {N}"));
    };
    // NaN is not below the bound either.
    if values.iter().all(|value| value.abs() < MAGNITUDE_MAX) {
        Ok((values, bytes.clone()))
    } else {
        Err(format!("{name} is out of range: {values:?}"))
    }
}

/// Unit vectors from direction cosines: the row's is scaled to 1, the column's made perpendicular to it.
fn directions(cosines: [f64; 6]) -> Result<[[f64; 3]; 2], String> {
    let [rx, ry, rz, cx, cy, cz] = cosines;
    let (row, column) = ([rx, ry, rz], [cx, cy, cz]);
    let off = [norm(row) - 1.0, norm(column) - 1.0, dot(row, column)];
    if off.iter().any(|off| off.abs() > ORTHONORMAL_MAX) {
        return Err(format!("Image Orientation (Patient) is not orthonormal: {cosines:?}"));
    }
    let row = scale(row, 1.0 / norm(row));
    let along = dot(row, column);
    let column = [0, 1, 2].map(|axis| column[axis] - along * row[axis]);
    Ok([row, scale(column, 1.0 / norm(column))])
}

fn scale(vector: [f64; 3], factor: f64) -> [f64; 3] {
    vector.map(|component| component * factor)
}

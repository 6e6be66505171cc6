//! One frame, from file to values.

use std::fs::File;

use dataset::{PixelDataAt, tags};
use domain::{Unsuitable, UnsuitableCode};
use series::{SourceInstance, SourceSlice};

use crate::format::Format;
use crate::syntax::{Coding, name};
use crate::values::{Modality, polarity, values};
use crate::{encapsulated, native};

/// A frame that is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) instance: &'a SourceInstance,
    pub(crate) at: &'a PixelDataAt,
    pub(crate) format: &'a Format,
    pub(crate) frame_index: usize,
}

impl Wanted<'_> {
    /// A reason that names the instance.
    pub(crate) fn fault(&self, code: UnsuitableCode, detail: &str) -> Unsuitable {
        fault(self.instance, code, detail)
    }

    /// Pixel Data that ends too early.
    pub(crate) fn truncated(&self, expected: u64, found: u64) -> Unsuitable {
        let detail = format!("{expected} bytes of Pixel Data expected, {found} found");
        self.fault(UnsuitableCode::TruncatedPixels, &detail)
    }

    /// Opens the file.
    pub(crate) fn open(&self) -> Result<File, Unsuitable> {
        File::open(&self.instance.path).map_err(|error| self.unreadable(&error))
    }

    /// An error while reading the file.
    pub(crate) fn unreadable(&self, error: &std::io::Error) -> Unsuitable {
        let detail = format!("{}: {error}", self.instance.path.display());
        Unsuitable::new(UnsuitableCode::Unreadable, detail)
    }
}

fn fault(instance: &SourceInstance, code: UnsuitableCode, detail: &str) -> Unsuitable {
    Unsuitable::new(code, format!("{}: {detail}", instance.identity.sop_instance))
}

/// Checks, without reading pixels, that [`slice_values`] knows how to decode an instance.
///
/// # Errors
/// [`UnsuitableCode::NoPixels`]; [`UnsuitableCode::PixelFormat`] for colour and odd bits;
/// [`UnsuitableCode::UndecodableTransferSyntax`], naming it; [`UnsuitableCode::TruncatedPixels`] where the declared length is too short.
pub fn check_decodable(instance: &SourceInstance) -> Result<(), Unsuitable> {
    let (at, format, coding) = how(instance)?;
    let wanted = Wanted { instance, at, format: &format, frame_index: instance.frame_count - 1 };
    match coding {
        Coding::Native(_) => native::check_declared(&wanted),
        Coding::DeflatedDataSet | Coding::Encapsulated(_) => Ok(()),
    }
}

/// The modality values of a slice: rows × columns, row by row. What they are is in the documentation of this crate.
///
/// Of uncompressed Pixel Data only the bytes of this frame are read.
///
/// # Errors
/// Those of [`check_decodable`]; [`UnsuitableCode::MixedGrid`] when the instance has not the columns and rows of the grid's size;
/// [`UnsuitableCode::TruncatedPixels`] with the bytes expected and found; [`UnsuitableCode::Unreadable`] when
/// the file cannot be read or its code stream not decoded.
pub fn slice_values(
    slice: &SourceSlice,
    [columns, rows, _]: [usize; 3],
) -> Result<Vec<f32>, Unsuitable> {
    let instance = slice.instance.as_ref();
    let (at, format, coding) = how(instance)?;
    if (format.columns, format.rows) != (columns, rows) {
        let has = format!("{} x {} pixels, not {columns} x {rows}", format.columns, format.rows);
        return Err(fault(instance, UnsuitableCode::MixedGrid, &has));
    }
    let modality =
        Modality::read(&instance.header, &format, slice.rescale_slope, slice.rescale_intercept)
            .map_err(|reason| fault(instance, reason.code, &reason.detail))?;
    let wanted = Wanted { instance, at, format: &format, frame_index: slice.frame_index };
    let samples = match coding {
        Coding::Native(order) => native::read(&wanted, order)?,
        Coding::DeflatedDataSet => native::read_deflated(&wanted)?,
        Coding::Encapsulated(codec) => encapsulated::read(&wanted, codec)?,
    };
    Ok(values(&samples, &format, &modality, polarity(&instance.header, &format)))
}

/// Where the pixels are, what they are, and how they are encoded.
fn how(instance: &SourceInstance) -> Result<(&PixelDataAt, Format, Coding), Unsuitable> {
    let no_pixels = || fault(instance, UnsuitableCode::NoPixels, "no Pixel Data");
    let at = instance.pixel_data.as_ref().ok_or_else(no_pixels)?;
    if at.tag != tags::PIXEL_DATA {
        let detail = format!("floating point pixels {}", at.tag);
        return Err(fault(instance, UnsuitableCode::PixelFormat, &detail));
    }
    let format = Format::read(&instance.header)
        .map_err(|reason| fault(instance, reason.code, &reason.detail))?;
    let syntax = &instance.identity.transfer_syntax;
    let undecodable = |why: &str| {
        let detail = format!("{syntax} ({}){why}", name(syntax));
        fault(instance, UnsuitableCode::UndecodableTransferSyntax, &detail)
    };
    let coding = Coding::of(syntax).ok_or_else(|| undecodable(""))?;
    // Process 4 with 12 bits: there is no decoder for it.
    if syntax.as_str() == "1.2.840.10008.1.2.4.51" && format.bits_stored > 8 {
        return Err(undecodable(&format!(" with {} bits", format.bits_stored)));
    }
    Ok((at, format, coding))
}

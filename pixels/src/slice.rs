//! Modality values of grey slices: what models take.

use domain::{Unsuitable, UnsuitableCode};
use series::{SourceInstance, SourceSlice};

use crate::frame::Pixels;
use crate::values::{Modality, Polarity, polarity, values};

/// Checks, without reading pixels, that [`slice_values`] knows how to decode an instance.
///
/// # Errors
/// [`UnsuitableCode::NoPixels`]; [`UnsuitableCode::PixelFormat`] for colour and odd bits; [`UnsuitableCode::TooLarge`];
/// [`UnsuitableCode::UndecodableTransferSyntax`], naming it; [`UnsuitableCode::TruncatedPixels`] where the declared length is too short.
pub fn check_decodable(instance: &SourceInstance) -> Result<(), Unsuitable> {
    Pixels::grey(instance).map(|_| ())
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
    let pixels = Pixels::grey(&slice.instance)?;
    let format = &pixels.format;
    if (format.columns, format.rows) != (columns, rows) {
        let has = format!("{} x {} pixels, not {columns} x {rows}", format.columns, format.rows);
        return Err(pixels.fault(UnsuitableCode::MixedGrid, &has));
    }
    modality_values(&pixels, slice, polarity(&slice.instance.header, format))
}

/// The values of a slice, as the modality means them.
pub(crate) fn modality_values(
    pixels: &Pixels<'_>,
    slice: &SourceSlice,
    polarity: Polarity,
) -> Result<Vec<f32>, Unsuitable> {
    let (header, format) = (&slice.instance.header, &pixels.format);
    let modality = Modality::read(header, format, slice.rescale_slope, slice.rescale_intercept)
        .map_err(|reason| pixels.fault(reason.code, &reason.detail))?;
    let samples = pixels.samples(slice.frame_index)?;
    Ok(values(&samples.bytes, format, &modality, polarity))
}

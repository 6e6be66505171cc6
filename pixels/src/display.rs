//! Grey slices as people see them: window or VOI LUT, and which end is bright. For pictures, never for models.

use dataset::{DataSet, Vr, tags};
use domain::{Unsuitable, UnsuitableCode};
use series::SourceSlice;

use crate::format::{Format, Number};
use crate::frame::Pixels;
use crate::lut::Lut;
use crate::photometric::Photometric;
use crate::slice::modality_values;
use crate::values::{Polarity, to_f64};

/// A slice in grey levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GreyFrame {
    /// Columns (0028,0011).
    pub columns: usize,
    /// Rows (0028,0010).
    pub rows: usize,
    /// 0 (black) to 255 (white), row by row.
    pub levels: Vec<u8>,
}

/// The way from modality values to grey levels (PS3.3 §C.11.2).
#[derive(Debug, Clone, PartialEq)]
pub enum Window {
    /// LINEAR: `width` is at least 1.
    Linear {
        /// Window Center (0028,1050).
        center: f64,
        /// Window Width (0028,1051).
        width: f64,
    },
    /// `LINEAR_EXACT`: `width` is positive.
    LinearExact {
        /// Window Center (0028,1050).
        center: f64,
        /// Window Width (0028,1051).
        width: f64,
    },
    /// SIGMOID: `width` is positive.
    Sigmoid {
        /// Window Center (0028,1050).
        center: f64,
        /// Window Width (0028,1051).
        width: f64,
    },
    /// The first item of VOI LUT Sequence (0028,3010).
    Table(VoiLut),
}

/// A VOI LUT.
#[derive(Debug, Clone, PartialEq)]
pub struct VoiLut(Lut);

impl Window {
    /// The first VOI LUT of a slice, else its first window; `None` where it has neither. Those of its frame come before those of all frames.
    ///
    /// # Errors
    /// [`UnsuitableCode::PixelFormat`] for a table without its entries and for a width that is none.
    pub fn of(slice: &SourceSlice) -> Result<Option<Self>, Unsuitable> {
        let header = &slice.instance.header;
        let of_frames = |groups: &[DataSet], index: usize| {
            let groups = groups.get(index)?;
            groups.items(tags::FRAME_VOILUT_SEQUENCE).first().cloned()
        };
        let own = header.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
        let shared = header.items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE);
        let item = of_frames(own, slice.frame_index).or_else(|| of_frames(shared, 0));
        Self::read(item.as_ref().unwrap_or(header), may_be_below_0(slice)).map_err(|detail| {
            let detail = format!("{}: {detail}", slice.instance.identity.sop_instance);
            Unsuitable::new(UnsuitableCode::PixelFormat, detail)
        })
    }

    fn read(set: &DataSet, below_0: bool) -> Result<Option<Self>, String> {
        if let Some(item) = set.items(tags::VOILUT_SEQUENCE).first() {
            // Implicit VR tells no SS, so that what goes in has to.
            let is_signed =
                below_0 || item.get(tags::LUT_DESCRIPTOR).is_some_and(|lut| lut.vr == Vr::SS);
            let number = if is_signed { Number::Signed } else { Number::Unsigned };
            let lut = Lut::read(item, [tags::LUT_DESCRIPTOR, tags::LUT_DATA], number);
            return lut
                .map(|lut| Some(Self::Table(VoiLut(lut))))
                .map_err(|e| format!("VOI LUT: {e}"));
        }
        let (center, width) = (set.number(tags::WINDOW_CENTER), set.number(tags::WINDOW_WIDTH));
        let (Some(center), Some(width)) = (center, width) else { return Ok(None) };
        let function = set.text(tags::VOILUT_FUNCTION).unwrap_or_default();
        let (window, least) = match function.trim() {
            "LINEAR_EXACT" => (Self::LinearExact { center, width }, f64::MIN_POSITIVE),
            "SIGMOID" => (Self::Sigmoid { center, width }, f64::MIN_POSITIVE),
            _ => (Self::Linear { center, width }, 1.0),
        };
        if center.is_finite() && width.is_finite() && width >= least {
            return Ok(Some(window));
        }
        Err(format!("Window Center is {center}, Window Width {width}"))
    }

    /// From the least to the greatest of some values.
    #[must_use]
    pub fn spanning(values: &[f32]) -> Self {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let low = f64::from(finite().fold(f32::INFINITY, f32::min));
        let high = f64::from(finite().fold(f32::NEG_INFINITY, f32::max));
        if high > low {
            Self::LinearExact { center: f64::midpoint(low, high), width: high - low }
        } else {
            Self::LinearExact { center: if low.is_finite() { low } else { 0.0 }, width: 1.0 }
        }
    }

    /// The grey level of a modality value, 0 to 255. NaN is black.
    #[must_use]
    pub fn level(&self, value: f32) -> u8 {
        let value = f64::from(value);
        let part = match self {
            Self::Linear { center, width } if value <= center - 0.5 - (width - 1.0) / 2.0 => 0.0,
            Self::Linear { center, width } if value > center - 0.5 + (width - 1.0) / 2.0 => 1.0,
            Self::Linear { center, width } => (value - (center - 0.5)) / (width - 1.0) + 0.5,
            Self::LinearExact { center, width } => (value - center) / width + 0.5,
            Self::Sigmoid { center, width } => {
                1.0 / (1.0 + (-4.0 * (value - center) / width).exp())
            }
            Self::Table(VoiLut(lut)) => {
                #[expect(clippy::cast_possible_truncation, reason = "saturates; NaN becomes 0")]
                let entry = lut.value(value.round() as i64);
                f64::from(entry) / f64::from(lut.largest())
            }
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0..=255; NaN becomes 0"
        )]
        let level = (part * 255.0).round().clamp(0.0, 255.0) as u8;
        level
    }
}

/// Whether modality values, which VOI LUTs map, may be below 0 (PS3.3 §C.11.2.1.1). Those of a Modality LUT are not.
fn may_be_below_0(slice: &SourceSlice) -> bool {
    let header = &slice.instance.header;
    if !header.items(tags::MODALITY_LUT_SEQUENCE).is_empty() {
        return false;
    }
    let pixels = slice.instance.pixel_data.as_ref().map_or(tags::PIXEL_DATA, |at| at.tag);
    let Ok(format) = Format::read(header, pixels) else { return true };
    if format.number == Number::Float {
        return true;
    }
    let (low, high) = format.stored_range();
    let value = |stored| slice.rescale_slope * to_f64(stored) + slice.rescale_intercept;
    value(low).min(value(high)) < 0.0
}

/// A slice in grey levels: modality values, then `window`, then low values bright for MONOCHROME1 and for a
/// Presentation LUT Shape of INVERSE (PS3.3 §C.11.6), whatever the values mean.
///
/// # Errors
/// Those of [`slice_values`](crate::slice_values) without a grid to compare with.
pub fn display_frame(slice: &SourceSlice, window: &Window) -> Result<GreyFrame, Unsuitable> {
    let pixels = Pixels::grey(&slice.instance)?;
    let values = modality_values(&pixels, slice, Polarity::HighIsBright)?;
    let shape = slice.instance.header.text(tags::PRESENTATION_LUT_SHAPE).unwrap_or_default();
    let inverse =
        pixels.format.photometric == Photometric::Monochrome1 || shape.trim() == "INVERSE";
    let levels = values.into_iter().map(|value| window.level(value));
    let levels = if inverse { levels.map(|level| 255 - level).collect() } else { levels.collect() };
    let Format { columns, rows, .. } = pixels.format;
    Ok(GreyFrame { columns, rows, levels })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_follow_the_standard() {
        let levels = |window: Window, values: &[f32]| -> Vec<u8> {
            values.iter().map(|value| window.level(*value)).collect()
        };
        // The example of PS3.3 §C.11.2.1.2.1: center 2048, width 4096 takes 0 to 4095.
        let linear = Window::Linear { center: 2048.0, width: 4096.0 };
        assert_eq!(levels(linear, &[-1.0, 0.0, 2047.5, 4095.0, 4096.0]), [0, 0, 128, 255, 255]);
        // Width 1 is a threshold.
        let threshold = Window::Linear { center: 1.0, width: 1.0 };
        assert_eq!(levels(threshold, &[0.0, 0.5, 1.0]), [0, 0, 255]);
        let exact = Window::LinearExact { center: 50.0, width: 100.0 };
        assert_eq!(levels(exact, &[-1.0, 0.0, 25.0, 100.0, 101.0]), [0, 0, 64, 255, 255]);
        let sigmoid = Window::Sigmoid { center: 0.0, width: 4.0 };
        assert_eq!(levels(sigmoid, &[f32::NAN, -100.0, 0.0, 1.0, 100.0]), [0, 0, 128, 186, 255]);
        assert_eq!(levels(Window::spanning(&[3.0, 5.0]), &[3.0, 4.0, 5.0]), [0, 128, 255]);
        assert_eq!(levels(Window::spanning(&[]), &[0.0]), [128]);
    }
}

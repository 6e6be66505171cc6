//! A slice as decoded, with what is known of its intensities.

use dataset::tags;
use domain::Unsuitable;
use pixels::Window;
use series::SourceSlice;

use super::look::{Look, LookKind};
use crate::picture::{Scale, Source};
use crate::volume::plane_digest;

/// A decoded slice.
#[derive(Debug)]
pub(super) struct Shot {
    /// Its pixels.
    pub(super) pixels: Pixels,
    /// BLAKE3 of its values.
    pub(super) digest: [u8; 32],
    /// Whether grey is stored in 8 bits that mean no more than grey levels.
    is_eight_bit: bool,
}

/// Pixels of a slice, row by row.
#[derive(Debug)]
pub(super) enum Pixels {
    /// Modality values, and grey levels as the slice's own VOI LUT or window shows them, where they are wanted and there.
    Grey {
        /// One a pixel.
        values: Vec<f32>,
        /// One a pixel, 0 to 255.
        shown: Option<Vec<f32>>,
    },
    /// RGB, three bytes a pixel.
    Color(Vec<u8>),
}

impl Shot {
    /// Decodes a slice of `[columns, rows]`.
    ///
    /// # Errors
    /// What [`pixels::slice_values`] and [`pixels::color_frame`] say.
    pub(super) fn take(
        slice: &SourceSlice,
        size: [usize; 2],
        looks: &[Look],
    ) -> Result<Self, Unsuitable> {
        if pixels::check_color(&slice.instance).is_ok() {
            return Self::color(slice, size);
        }
        Self::of_values(slice, pixels::slice_values(slice, [size[0], size[1], 1])?, looks)
    }

    /// Of a grey slice whose modality values are there already.
    ///
    /// # Errors
    /// What [`pixels::display_frame`] says.
    pub(super) fn of_values(
        slice: &SourceSlice,
        values: Vec<f32>,
        looks: &[Look],
    ) -> Result<Self, Unsuitable> {
        let wants_shown = looks.iter().any(|look| look.kind == LookKind::Shown);
        let shown = if wants_shown { shown(slice)? } else { None };
        let digest = plane_digest(&values);
        let is_eight_bit = is_eight_bit(slice);
        Ok(Self { pixels: Pixels::Grey { values, shown }, digest, is_eight_bit })
    }

    /// Takes the modality values away, for measurements; none of colour. It can be shown no more.
    pub(super) fn take_values(&mut self) -> Vec<f32> {
        match &mut self.pixels {
            Pixels::Grey { values, .. } => std::mem::take(values),
            Pixels::Color(_) => Vec::new(),
        }
    }

    fn color(slice: &SourceSlice, [columns, rows]: [usize; 2]) -> Result<Self, Unsuitable> {
        let frame = pixels::color_frame(&slice.instance, slice.frame_index)?;
        if (frame.columns, frame.rows) != (columns, rows) {
            let detail = format!(
                "{} has {} x {} pixels, not {columns} x {rows}",
                slice.instance.identity.sop_instance, frame.columns, frame.rows
            );
            return Err(Unsuitable::new(domain::UnsuitableCode::MixedGrid, detail));
        }
        let digest = *blake3::hash(&frame.rgb).as_bytes();
        Ok(Self { pixels: Pixels::Color(frame.rgb), digest, is_eight_bit: true })
    }

    /// What a picture of this look is made of, and the scale that the slice decides for itself; `None`: that of the series or
    /// the slice, which is for the generation to say.
    pub(super) fn seen(&self, look: LookKind) -> (Source<'_>, Option<Scale>) {
        let (values, shown) = match &self.pixels {
            Pixels::Color(rgb) => return (Source::Color(rgb), Some(Scale::EightBit)),
            Pixels::Grey { values, shown } => (values, shown),
        };
        match (look, shown) {
            (LookKind::Window { low_hu, high_hu }, _) => {
                (Source::Grey(values), Some(Scale::Window { low: low_hu, high: high_hu }))
            }
            (LookKind::Shown, Some(shown)) => (Source::Grey(shown), Some(Scale::EightBit)),
            (LookKind::Shown | LookKind::Plain, _) => {
                (Source::Grey(values), self.is_eight_bit.then_some(Scale::EightBit))
            }
        }
    }
}

/// Grey levels as the slice itself says that it is shown; `None` where it says nothing, or nothing that can be.
fn shown(slice: &SourceSlice) -> Result<Option<Vec<f32>>, Unsuitable> {
    let Some(window) = Window::of(slice).ok().flatten() else { return Ok(None) };
    let frame = pixels::display_frame(slice, &window)?;
    Ok(Some(frame.levels.into_iter().map(f32::from).collect()))
}

/// Whether stored values are grey levels of 8 bits: unsigned, and not rescaled.
fn is_eight_bit(slice: &SourceSlice) -> bool {
    let header = &slice.instance.header;
    let number = |tag| header.int(tag).unwrap_or(0);
    let is_small = (1..=8).contains(&number(tags::BITS_STORED));
    let is_unsigned = number(tags::PIXEL_REPRESENTATION) == 0;
    let is_identity = (slice.rescale_slope - 1.0).abs() < f64::EPSILON
        && slice.rescale_intercept.abs() < f64::EPSILON;
    is_small && is_unsigned && is_identity && !header.contains(tags::MODALITY_LUT_SEQUENCE)
}

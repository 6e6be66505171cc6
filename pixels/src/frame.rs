//! One frame: where it is, what it is, and its samples.

use std::fs::File;

use dataset::PixelDataAt;
use domain::{Unsuitable, UnsuitableCode};
use series::SourceInstance;

use crate::format::{Format, Number};
use crate::photometric::Photometric;
use crate::syntax::{Coding, name};
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

pub(crate) fn fault(instance: &SourceInstance, code: UnsuitableCode, detail: &str) -> Unsuitable {
    Unsuitable::new(code, format!("{}: {detail}", instance.identity.sop_instance))
}

/// The samples of a frame: little endian, the samples of a pixel together, `sample_bytes` each.
#[derive(Debug)]
pub(crate) struct Samples {
    pub(crate) bytes: Vec<u8>,
    /// What they mean after decoding; decoders turn some colour spaces into others.
    pub(crate) photometric: Photometric,
}

/// Writes the values of one component to their places among pixels; of each value the low bytes.
#[inline]
pub(crate) fn put(
    pixels: &mut [u8],
    component: usize,
    format: &Format,
    values: impl Iterator<Item = i32>,
) {
    let step = format.samples;
    match format.sample_bytes() {
        1 if step == 1 => {
            pixels
                .iter_mut()
                .zip(values)
                .for_each(|(place, value)| [*place, ..] = value.to_le_bytes());
        }
        1 => {
            let places = pixels.iter_mut().skip(component).step_by(step);
            places.zip(values).for_each(|(place, value)| [*place, ..] = value.to_le_bytes());
        }
        2 => {
            let places = pixels.as_chunks_mut::<2>().0.iter_mut().skip(component).step_by(step);
            places.zip(values).for_each(|(place, value)| {
                let [low, high, ..] = value.to_le_bytes();
                *place = [low, high];
            });
        }
        _ => {
            let places = pixels.as_chunks_mut::<4>().0.iter_mut().skip(component).step_by(step);
            places.zip(values).for_each(|(place, value)| *place = value.to_le_bytes());
        }
    }
}

/// Where the pixels of an instance are, what they are, and how they are encoded.
#[derive(Debug)]
pub(crate) struct Pixels<'a> {
    pub(crate) instance: &'a SourceInstance,
    pub(crate) at: &'a PixelDataAt,
    pub(crate) format: Format,
    pub(crate) coding: Coding,
}

impl<'a> Pixels<'a> {
    /// Reads the header; the file is not touched.
    pub(crate) fn of(instance: &'a SourceInstance) -> Result<Self, Unsuitable> {
        let no_pixels = || fault(instance, UnsuitableCode::NoPixels, "no Pixel Data");
        let at = instance.pixel_data.as_ref().ok_or_else(no_pixels)?;
        let format = Format::read(&instance.header, at.tag)
            .map_err(|reason| fault(instance, reason.code, &reason.detail))?;
        let coding = coding(instance, &format)?;
        if coding.keeps_bytes() {
            format.check_native().map_err(|reason| fault(instance, reason.code, &reason.detail))?;
        }
        let pixels = Self { instance, at, format, coding };
        match coding {
            Coding::Native(_) => native::check_declared(&pixels.wanted(instance.frame_count - 1))?,
            Coding::DeflatedDataSet | Coding::Encapsulated(_) => {}
        }
        Ok(pixels)
    }

    /// The same for images that have one grey value a pixel.
    pub(crate) fn grey(instance: &'a SourceInstance) -> Result<Self, Unsuitable> {
        let pixels = Self::of(instance)?;
        let photometric = pixels.format.photometric;
        if photometric.is_grey() {
            return Ok(pixels);
        }
        Err(pixels.fault(UnsuitableCode::PixelFormat, &format!("{photometric}: not grey")))
    }

    pub(crate) fn fault(&self, code: UnsuitableCode, detail: &str) -> Unsuitable {
        fault(self.instance, code, detail)
    }

    fn wanted(&self, frame_index: usize) -> Wanted<'_> {
        Wanted { instance: self.instance, at: self.at, format: &self.format, frame_index }
    }

    /// Reads and decodes one frame.
    pub(crate) fn samples(&self, frame_index: usize) -> Result<Samples, Unsuitable> {
        let frames = self.instance.frame_count;
        if frame_index >= frames {
            let detail = format!("frame {} of {frames}", frame_index + 1);
            return Err(self.fault(UnsuitableCode::TruncatedPixels, &detail));
        }
        let wanted = self.wanted(frame_index);
        let photometric = self.format.photometric.full_resolution();
        let native = |bytes| Samples { bytes, photometric };
        match self.coding {
            Coding::Native(order) => native::read(&wanted, order).map(native),
            Coding::DeflatedDataSet => native::read_deflated(&wanted).map(native),
            Coding::Encapsulated(codec) => encapsulated::read(&wanted, codec),
        }
    }
}

fn coding(instance: &SourceInstance, format: &Format) -> Result<Coding, Unsuitable> {
    let syntax = &instance.identity.transfer_syntax;
    let undecodable = |why: &str| {
        let detail = format!("{syntax} ({}){why}", name(syntax));
        fault(instance, UnsuitableCode::UndecodableTransferSyntax, &detail)
    };
    let coding = Coding::of(syntax).ok_or_else(|| undecodable(""))?;
    match coding {
        Coding::Encapsulated(codec) if format.number == Number::Float && !codec.keeps_bytes() => {
            Err(undecodable(" of floating point pixels"))
        }
        Coding::Native(_) | Coding::DeflatedDataSet | Coding::Encapsulated(_) => Ok(coding),
    }
}

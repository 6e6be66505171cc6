//! JPEG XL (PS3.5 §8.2.16, ISO/IEC 18181-1).

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use jxl_oxide::image::BitDepth;
use jxl_oxide::{AllocTracker, JxlImage, JxlThreadPool, PixelFormat};

use crate::encapsulated::DecodeFault;
use crate::format::Format;
use crate::frame::Samples;
use crate::photometric::Photometric;

/// Bytes that the decoder may hold for a sample: floating point in several stages.
const BYTES_A_SAMPLE: usize = 32;
/// Bytes that it may hold for an image of any size.
const BYTES_AN_IMAGE: usize = 64 << 20;
/// Bits of which a floating point sample still knows every value.
const BITS_MAX: u32 = 16;

/// The samples of a frame.
pub(crate) fn decode(stream: &[u8], format: &Format) -> Result<Samples, DecodeFault> {
    // The decoder meets bytes from the network; a panic in it is one broken image, not a broken node.
    let decoded = catch_unwind(AssertUnwindSafe(|| decode_stream(stream, format)));
    decoded.unwrap_or_else(|_| Err(broken("the decoder failed")))
}

fn broken(why: &str) -> DecodeFault {
    DecodeFault::Broken(format!("JPEG XL: {why}"))
}

fn decode_stream(stream: &[u8], format: &Format) -> Result<Samples, DecodeFault> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| broken(&error.to_string());
    let most = format.frame_samples().saturating_mul(BYTES_A_SAMPLE).saturating_add(BYTES_AN_IMAGE);
    let image = JxlImage::builder()
        // Frames are decoded side by side already.
        .pool(JxlThreadPool::none())
        .alloc_tracker(AllocTracker::with_limit(most))
        .read(Cursor::new(stream))
        .map_err(failed)?;
    let largest = largest(&image, format)?;
    let render = image.render_frame(0).map_err(failed)?;
    let mut values = vec![0.0; format.frame_samples()];
    let written = render.stream_no_alpha().write_to_buffer::<f32>(&mut values);
    if written != values.len() || !image.is_loading_done() {
        return Err(broken("the image ends too early"));
    }
    let width = format.sample_bytes();
    let mut bytes = vec![0; format.frame_bytes()];
    for (place, value) in bytes.chunks_exact_mut(width).zip(values) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "rounded and clamped to 16 bits"
        )]
        let value = (value * largest).round().clamp(0.0, largest) as u32;
        place.copy_from_slice(&value.to_le_bytes()[..width]);
    }
    let photometric = photometric(&image, format);
    Ok(Samples { bytes, photometric })
}

/// The value that full intensity stands for; fails for an image that is not the frame of the header.
fn largest(image: &JxlImage, format: &Format) -> Result<f32, DecodeFault> {
    let samples = match image.pixel_format() {
        PixelFormat::Gray | PixelFormat::Graya => 1,
        PixelFormat::Rgb | PixelFormat::Rgba => 3,
        PixelFormat::Cmyk | PixelFormat::Cmyka => 4,
    };
    let wanted = (format.columns, format.rows, format.samples);
    let found = (image.width() as usize, image.height() as usize, samples);
    if found != wanted {
        let (columns, rows, samples) = wanted;
        return Err(broken(&format!(
            "{} x {} pixels of {} components, {columns} x {rows} of {samples} in the header",
            found.0, found.1, found.2
        )));
    }
    let bits = match image.image_header().metadata.bit_depth {
        BitDepth::IntegerSample { bits_per_sample } => bits_per_sample,
        BitDepth::FloatSample { .. } => {
            return Err(DecodeFault::Unsupported("floating point samples".to_owned()));
        }
    };
    if !(1..=BITS_MAX).contains(&bits) {
        return Err(DecodeFault::Unsupported(format!("{bits} bits a sample")));
    }
    if bits as usize > 8 * format.sample_bytes() {
        return Err(broken(&format!("{bits} bits, {} allocated", format.bits_allocated)));
    }
    let largest = u16::MAX >> (16 - bits);
    Ok(f32::from(largest))
}

/// Whatever colour transformation the code stream has is undone; what the encoder was given is what the header says.
fn photometric(image: &JxlImage, format: &Format) -> Photometric {
    let told = format.photometric.full_resolution();
    let is_transformed = image.image_header().metadata.xyb_encoded
        || image.frame_header(0).is_some_and(|frame| frame.do_ycbcr)
        || matches!(told, Photometric::YbrIct | Photometric::YbrRct | Photometric::Xyb);
    if format.samples == 3 && is_transformed { Photometric::Rgb } else { told }
}

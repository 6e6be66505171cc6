//! JPEG Baseline, Extended and Lossless (PS3.5 §8.2.1, ITU-T T.81).
//!
//! 8-bit frames of the DCT processes go to a crate. 12-bit frames and lossless ones of any predictor are decoded here, for no crate
//! decodes the first, and the second take a fraction of the time.

mod bits;
mod dct;
mod eight;
mod header;
mod huffman;
mod lossless;

use crate::encapsulated::DecodeFault;
use crate::format::Format;
use crate::frame::Samples;
use crate::photometric::Photometric;
pub(crate) use bits::has_ff;
use header::{Frame, Header, Process};

fn broken(why: &str) -> DecodeFault {
    DecodeFault::Broken(format!("JPEG: {why}"))
}

fn unsupported(why: &str) -> DecodeFault {
    DecodeFault::Unsupported(why.to_owned())
}

/// The samples of a frame. The code stream knows no signs: they come from the header.
pub(crate) fn decode(stream: &[u8], format: &Format) -> Result<Samples, DecodeFault> {
    let frame = Header::new(stream).frame()?;
    check_size(&frame, format)?;
    let bytes = match (frame.process, frame.precision) {
        (Process::Sequential, 8) => eight::decode(stream, format)?,
        (Process::Sequential, 12) => dct::decode(stream, format)?,
        (Process::Lossless, _) => lossless::decode(stream, format)?,
        (process, precision) => {
            return Err(unsupported(&format!("{process:?} with {precision} bits")));
        }
    };
    Ok(Samples { bytes, photometric: photometric(&frame, format) })
}

/// What three components are: names of components and markers know better than many headers.
fn photometric(frame: &Frame, format: &Format) -> Photometric {
    let told = format.photometric.full_resolution();
    if format.samples == 3 { frame.colors.unwrap_or(told) } else { told }
}

fn check_size(frame: &Frame, format: &Format) -> Result<(), DecodeFault> {
    let wanted = (format.columns, format.rows, format.samples);
    // Rows may be left to a DNL segment (§B.2.5).
    let rows = if frame.rows == 0 { format.rows } else { frame.rows };
    let found = (frame.columns, rows, frame.components.len());
    if found != wanted {
        let (columns, rows, samples) = wanted;
        return Err(broken(&format!(
            "{} x {} pixels of {} components, {columns} x {rows} of {samples} in the header",
            found.0, found.1, found.2
        )));
    }
    if frame.precision as usize > 8 * format.sample_bytes() {
        let why = format!("{} bits, {} allocated", frame.precision, format.bits_allocated);
        return Err(broken(&why));
    }
    Ok(())
}

//! JPEG-LS, lossless and near-lossless (PS3.5 §8.2.3, ITU-T T.87).
//!
//! Not decoded: mapping tables and the colour transformations of one vendor, neither of which DICOM knows.

mod bits;
mod golomb;
mod gradient;
mod header;
mod scan;

use crate::encapsulated::DecodeFault;
use crate::format::Format;
use crate::frame::{Samples, put};
use bits::Bits;
use header::{Frame, Header, Interleave, Scan};
use scan::{Coder, Line};

fn broken(why: &str) -> DecodeFault {
    DecodeFault::Broken(format!("JPEG-LS: {why}"))
}

fn unsupported(why: &str) -> DecodeFault {
    DecodeFault::Unsupported(why.to_owned())
}

/// The samples of a frame. The code stream knows no signs: they come from the header.
pub(crate) fn decode(stream: &[u8], format: &Format) -> Result<Samples, DecodeFault> {
    let mut header = Header::new(stream);
    let mut samples = vec![0; format.frame_bytes()];
    let mut decoded = vec![false; format.samples];
    while decoded.contains(&false) {
        let scan = header.next_scan()?;
        check_size(&scan.frame, format)?;
        for component in &scan.components {
            match decoded.get_mut(*component) {
                Some(done @ false) => *done = true,
                Some(true) | None => return Err(broken("a component in two scans")),
            }
        }
        let entropy_coded = header.rest();
        let read = Decoding { scan: &scan, format, samples: &mut samples }.read(entropy_coded)?;
        header.skip(read);
    }
    let photometric = format.photometric.full_resolution();
    Ok(Samples { bytes: samples, photometric })
}

fn check_size(frame: &Frame, format: &Format) -> Result<(), DecodeFault> {
    let wanted = (format.columns, format.rows, format.samples);
    let found = (frame.columns, frame.rows, frame.components.len());
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

/// One scan on its way into the samples of the frame.
struct Decoding<'a> {
    scan: &'a Scan,
    format: &'a Format,
    samples: &'a mut [u8],
}

impl Decoding<'_> {
    /// Decodes all lines; returns how many bytes of the stream they took.
    fn read(&mut self, stream: &[u8]) -> Result<usize, DecodeFault> {
        let mut coder = Coder::new(self.scan)?;
        let mut bits = Bits::new(stream);
        let (columns, count) = (self.format.columns, self.scan.components.len());
        let mut lines: Vec<Line> = (0..count).map(|_| Line::new(columns)).collect();
        for row in 0..self.format.rows {
            if row > 0 && self.scan.restart_lines.is_some_and(|lines| row.is_multiple_of(lines)) {
                bits.restart()?;
                coder.restart();
                lines = (0..count).map(|_| Line::new(columns)).collect();
            }
            lines.iter_mut().for_each(Line::advance);
            match (self.scan.interleave, &mut lines[..]) {
                (Interleave::Sample, [a, b, c]) => coder.read_pixels(&mut bits, [a, b, c])?,
                (_, lines) => {
                    lines.iter_mut().try_for_each(|line| coder.read_line(&mut bits, line))?;
                }
            }
            bits.check()?;
            for (line, component) in lines.iter().zip(&self.scan.components) {
                self.put(row, *component, line.values());
            }
        }
        Ok(bits.position())
    }

    fn put(&mut self, row: usize, component: usize, values: &[i32]) {
        let length = self.format.columns * self.format.samples * self.format.sample_bytes();
        let row = &mut self.samples[row * length..(row + 1) * length];
        let shift = self.scan.point_transform;
        put(row, component, self.format, values.iter().map(|value| value << shift));
    }
}

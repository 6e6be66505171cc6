//! The sequential DCT process with 12 bits (ITU-T T.81 Annex F).

use super::bits::Bits;
use super::broken;
use super::header::{Component, Frame, Header, Scan};
use super::huffman::Table;
use crate::encapsulated::DecodeFault;
use crate::format::Format;
use crate::frame::put;

/// Columns and rows of a block.
const SIDE: usize = 8;

/// Row by row, the place in a block of each coefficient in the order of the code stream (§A.3.6).
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// The samples of a frame whose size was checked.
pub(super) fn decode(stream: &[u8], format: &Format) -> Result<Vec<u8>, DecodeFault> {
    let mut header = Header::new(stream);
    let frame = header.frame()?;
    frame.check_no_subsampling()?;
    let mut samples = vec![0; format.frame_bytes()];
    let mut missing = format.samples;
    let transform = Transform::new();
    while missing > 0 {
        let scan = header.next_scan(&frame)?;
        missing = missing
            .checked_sub(scan.components.len())
            .ok_or_else(|| broken("a component in two scans"))?;
        let mut bits = Bits::new(header.rest());
        let planes = planes(&header, &frame, &scan)?;
        let interval = header.restart_interval;
        let mut decoding =
            Decoding { planes, format, samples: &mut samples, transform: &transform };
        decoding.read(&mut bits, interval, frame.precision)?;
        header.skip(bits.position());
    }
    Ok(samples)
}

/// A component of a scan.
struct Plane<'a> {
    component: usize,
    dc: &'a Table,
    ac: &'a Table,
    quantization: &'a [u16; 64],
    /// The DC coefficient of the block before.
    before: i32,
}

fn planes<'a>(
    header: &'a Header<'_>,
    frame: &Frame,
    scan: &Scan,
) -> Result<Vec<Plane<'a>>, DecodeFault> {
    let plane = |(component, dc, ac): &(usize, usize, usize)| {
        let Component { quantization, .. } = frame.components[*component];
        Some(Plane {
            component: *component,
            dc: header.dc.get(*dc)?.as_ref()?,
            ac: header.ac.get(*ac)?.as_ref()?,
            quantization: header.quantization.get(quantization)?.as_ref()?,
            before: 0,
        })
    };
    let planes: Option<Vec<Plane<'_>>> = scan.components.iter().map(plane).collect();
    planes.ok_or_else(|| broken("a table is missing"))
}

/// One scan on its way into the samples of the frame.
struct Decoding<'a> {
    planes: Vec<Plane<'a>>,
    format: &'a Format,
    samples: &'a mut [u8],
    transform: &'a Transform,
}

impl Decoding<'_> {
    fn read(
        &mut self,
        bits: &mut Bits<'_>,
        interval: Option<usize>,
        precision: u32,
    ) -> Result<(), DecodeFault> {
        let (across, down) = (self.format.columns.div_ceil(SIDE), self.format.rows.div_ceil(SIDE));
        for block in 0..across * down {
            if block > 0 && interval.is_some_and(|interval| block.is_multiple_of(interval)) {
                bits.restart()?;
                self.planes.iter_mut().for_each(|plane| plane.before = 0);
            }
            for plane in 0..self.planes.len() {
                let coefficients = self.planes[plane].read_block(bits)?;
                let values = self.transform.apply(&coefficients, precision);
                self.put_block(
                    self.planes[plane].component,
                    block % across,
                    block / across,
                    &values,
                );
            }
            if block.is_multiple_of(across) {
                bits.check()?;
            }
        }
        bits.check()
    }

    fn put_block(&mut self, component: usize, across: usize, down: usize, values: &[u16; 64]) {
        let format = self.format;
        let pixel = format.samples * format.sample_bytes();
        let columns = (format.columns - across * SIDE).min(SIDE);
        let rows = (format.rows - down * SIDE).min(SIDE);
        for (y, values) in values.as_chunks::<SIDE>().0.iter().take(rows).enumerate() {
            let start = ((down * SIDE + y) * format.columns + across * SIDE) * pixel;
            let row = &mut self.samples[start..start + columns * pixel];
            put(row, component, format, values.iter().copied().map(i32::from));
        }
    }
}

impl Plane<'_> {
    /// The coefficients of the next block, row by row (§F.2.2).
    fn read_block(&mut self, bits: &mut Bits<'_>) -> Result<[f32; 64], DecodeFault> {
        let mut coefficients = [0.0; 64];
        bits.load();
        let size = u32::from(self.dc.symbol(bits)?);
        if size > 15 {
            return Err(broken(&format!("a difference of {size} bits")));
        }
        self.before = self.before.wrapping_add(bits.difference(size));
        coefficients[0] = product(self.before, self.quantization[0]);
        let mut at = 1;
        while at < 64 {
            bits.load();
            let symbol = self.ac.symbol(bits)?;
            let (zeros, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 && zeros < 15 {
                break;
            }
            at += zeros;
            let place = ZIGZAG.get(at).ok_or_else(|| broken("a block of more than 64"))?;
            let value = bits.difference(size);
            coefficients[usize::from(*place)] = product(value, self.quantization[at]);
            at += 1;
        }
        Ok(coefficients)
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact for what 12-bit samples can give")]
fn product(value: i32, quantization: u16) -> f32 {
    value as f32 * f32::from(quantization)
}

/// The inverse DCT (§A.3.3).
struct Transform {
    /// By coefficient and place: C(u) / 2 × cos((2x + 1) u π / 16).
    waves: [[f32; SIDE]; SIDE],
}

impl Transform {
    fn new() -> Self {
        let mut waves = [[0.0; SIDE]; SIDE];
        for (frequency, wave) in (0_u8..).zip(&mut waves) {
            let scale = if frequency == 0 { 0.125_f32.sqrt() } else { 0.5 };
            for (place, value) in (0_u8..).zip(wave) {
                let angle = f32::from((2 * place + 1) * frequency) * std::f32::consts::PI / 16.0;
                *value = scale * angle.cos();
            }
        }
        Self { waves }
    }

    /// The samples of a block: shifted to the middle of their range and clamped to it (§F.2.1.5, §A.3.1).
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounded and clamped to 12 bits"
    )]
    fn apply(&self, coefficients: &[f32; 64], precision: u32) -> [u16; 64] {
        let mut rows = [[0.0; SIDE]; SIDE];
        for (row, coefficients) in rows.iter_mut().zip(coefficients.as_chunks::<SIDE>().0) {
            for (coefficient, wave) in coefficients.iter().zip(&self.waves) {
                if *coefficient == 0.0 {
                    continue;
                }
                for (sum, value) in row.iter_mut().zip(wave) {
                    *sum += coefficient * value;
                }
            }
        }
        let middle = f32::from(1_u16 << (precision - 1));
        let largest = 2.0 * middle - 1.0;
        let mut samples = [0; 64];
        for (place, samples) in samples.as_chunks_mut::<SIDE>().0.iter_mut().enumerate() {
            let mut sums = [middle; SIDE];
            for (row, wave) in rows.iter().zip(&self.waves) {
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += value * wave[place];
                }
            }
            *samples = sums.map(|sum| sum.round().clamp(0.0, largest) as u16);
        }
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_and_a_wave() {
        let transform = Transform::new();
        let mut coefficients = [0.0; 64];
        coefficients[0] = 8.0 * 100.0;
        assert_eq!(transform.apply(&coefficients, 12), [2148; 64]);
        coefficients[0] = -8.0 * 5000.0;
        assert_eq!(transform.apply(&coefficients, 12), [0; 64]);
        // One wave across: 1000 / 4 × √½ × cos((2x + 1) π / 16) around the middle.
        coefficients[0] = 0.0;
        coefficients[1] = 1000.0;
        let row = [2221, 2195, 2146, 2082, 2014, 1950, 1901, 1875];
        assert_eq!(transform.apply(&coefficients, 12), [row; 8].concat()[..]);
    }
}

//! Lossless processes with any predictor (ITU-T T.81 Annex H).

use super::bits::Bits;
use super::broken;
use super::header::{Frame, Header, Scan};
use super::huffman::Table;
use crate::encapsulated::DecodeFault;
use crate::format::Format;
use crate::frame::put;

/// The samples of a frame whose size was checked.
pub(super) fn decode(stream: &[u8], format: &Format) -> Result<Vec<u8>, DecodeFault> {
    let mut header = Header::new(stream);
    let frame = header.frame()?;
    frame.check_no_subsampling()?;
    // Each sample takes a bit at least.
    if format.frame_samples() > stream.len().saturating_mul(8) {
        let why = format!("{} bytes for {} samples", stream.len(), format.frame_samples());
        return Err(broken(&why));
    }
    let mut samples = vec![0; format.frame_bytes()];
    let mut missing = format.samples;
    while missing > 0 {
        let scan = header.next_scan(&frame)?;
        missing = missing
            .checked_sub(scan.components.len())
            .ok_or_else(|| broken("a component in two scans"))?;
        let entropy_coded = header.rest();
        let mut planes = Planes::new(&header, &frame, &scan, format)?;
        let mut bits = Bits::new(entropy_coded);
        for row in 0..format.rows {
            planes.read_row(&mut bits, row)?;
            bits.check()?;
            let length = format.columns * format.samples * format.sample_bytes();
            let bytes = &mut samples[row * length..(row + 1) * length];
            for plane in &planes.planes {
                let values = plane.current[1..].iter().map(|value| i32::from(*value) << scan.low);
                put(bytes, plane.component, format, values);
            }
        }
        header.skip(bits.position());
    }
    Ok(samples)
}

/// The rows of the components of a scan that are in hand.
struct Planes<'a> {
    planes: Vec<Plane<'a>>,
    predictor: u8,
    /// What the first sample is predicted to be.
    middle: u16,
    restart_rows: Option<usize>,
    columns: usize,
}

struct Plane<'a> {
    component: usize,
    table: &'a Table,
    /// The row above; sample 0 stands for nothing.
    above: Vec<u16>,
    current: Vec<u16>,
}

impl<'a> Planes<'a> {
    fn new(
        header: &'a Header<'_>,
        frame: &Frame,
        scan: &Scan,
        format: &Format,
    ) -> Result<Self, DecodeFault> {
        if !(1..=7).contains(&scan.start) || scan.low >= frame.precision {
            let why = format!("predictor {}, point transform {}", scan.start, scan.low);
            return Err(broken(&why));
        }
        let columns = format.columns;
        let restart_rows = match header.restart_interval {
            // §H.1.1: an integer multiple of the MCUs of a row.
            Some(interval) if interval.is_multiple_of(columns) => Some(interval / columns),
            Some(interval) => return Err(broken(&format!("restarts after {interval} samples"))),
            None => None,
        };
        let plane = |(component, table, _): &(usize, usize, usize)| {
            let table = header.dc.get(*table).and_then(Option::as_ref);
            table.map(|table| Plane {
                component: *component,
                table,
                above: vec![0; columns + 1],
                current: vec![0; columns + 1],
            })
        };
        let planes: Option<Vec<Plane<'_>>> = scan.components.iter().map(plane).collect();
        let planes = planes.ok_or_else(|| broken("a Huffman table is missing"))?;
        let middle = 1 << (frame.precision - scan.low - 1);
        Ok(Self { planes, predictor: scan.start, middle, restart_rows, columns })
    }

    fn read_row(&mut self, bits: &mut Bits<'_>, row: usize) -> Result<(), DecodeFault> {
        for plane in &mut self.planes {
            std::mem::swap(&mut plane.above, &mut plane.current);
        }
        let restarts = self.restart_rows.is_some_and(|rows| row.is_multiple_of(rows));
        if restarts && row > 0 {
            bits.restart()?;
        }
        if row == 0 || restarts {
            // The first row knows only its left neighbour (§H.1.2.1).
            let middle = self.middle;
            return self.read_with(bits, |_| middle, |left, _, _| left);
        }
        let up = |up| up;
        match self.predictor {
            1 => self.read_with(bits, up, |left, _, _| left),
            2 => self.read_with(bits, up, |_, up, _| up),
            3 => self.read_with(bits, up, |_, _, corner| corner),
            4 => self.read_with(bits, up, |left, up, corner| left + up - corner),
            5 => self.read_with(bits, up, |left, up, corner| left + ((up - corner) >> 1)),
            6 => self.read_with(bits, up, |left, up, corner| up + ((left - corner) >> 1)),
            _ => self.read_with(bits, up, |left, up, _| (left + up) >> 1),
        }
    }

    /// Reads a row of all components; `first` predicts its first sample from the one above, `predict` the others from
    /// those at the left, above and above at the left (table H.1).
    #[inline]
    fn read_with(
        &mut self,
        bits: &mut Bits<'_>,
        first: impl Fn(u16) -> u16,
        predict: impl Fn(i32, i32, i32) -> i32,
    ) -> Result<(), DecodeFault> {
        for plane in &mut self.planes {
            plane.current[0] = first(plane.above[1]);
        }
        for column in 1..=self.columns {
            for Plane { table, above, current, .. } in &mut self.planes {
                let left = i32::from(current[column - 1]);
                let (up, corner) = (i32::from(above[column]), i32::from(above[column - 1]));
                let predicted = if column == 1 { left } else { predict(left, up, corner) };
                let [b0, b1, ..] = (predicted + difference(bits, table)?).to_le_bytes();
                // Modulo 65,536 (§H.2.1).
                current[column] = u16::from_le_bytes([b0, b1]);
            }
        }
        Ok(())
    }
}

/// The next difference; 32,768 has no bits of its own (§H.1.2.2).
#[inline]
fn difference(bits: &mut Bits<'_>, table: &Table) -> Result<i32, DecodeFault> {
    bits.load();
    match table.symbol(bits)? {
        symbol @ 0..=15 => Ok(bits.difference(symbol.into())),
        16 => Ok(32_768),
        symbol => Err(broken(&format!("a difference of {symbol} bits"))),
    }
}

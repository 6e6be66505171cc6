//! Marker segments (ITU-T T.81 Annex B).

use super::huffman::Table;
use super::{broken, unsupported};
use crate::encapsulated::DecodeFault;
use crate::photometric::Photometric;

/// Coding process of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Process {
    /// Baseline and extended sequential DCT, Huffman.
    Sequential,
    /// Progressive DCT, Huffman.
    Progressive,
    /// Lossless, Huffman.
    Lossless,
}

/// Both sampling factors of a component that is not subsampled.
const ONE: u8 = 0x11;

/// Frame header.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) process: Process,
    /// Bits of a sample.
    pub(super) precision: u32,
    pub(super) columns: usize,
    /// 0 where a DNL segment will say.
    pub(super) rows: usize,
    pub(super) components: Vec<Component>,
    /// What the code stream itself says of its colours.
    pub(super) colors: Option<Photometric>,
}

/// A component of a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Component {
    id: u8,
    /// Horizontal and vertical sampling factors in one byte.
    factors: u8,
    pub(super) quantization: usize,
}

/// Scan header.
#[derive(Debug)]
pub(super) struct Scan {
    /// For each component of the scan: which one of the frame, its DC and its AC table.
    pub(super) components: Vec<(usize, usize, usize)>,
    /// Ss: the predictor of a lossless scan.
    pub(super) start: u8,
    /// Al: the point transform of a lossless scan.
    pub(super) low: u32,
}

/// Reads marker segments one after the other, and keeps the tables that they define.
pub(super) struct Header<'a> {
    stream: &'a [u8],
    frame: Option<Frame>,
    pub(super) dc: [Option<Table>; 4],
    pub(super) ac: [Option<Table>; 4],
    /// Quantization by place in the zigzag.
    pub(super) quantization: [Option<[u16; 64]>; 4],
    /// MCUs between restart markers.
    pub(super) restart_interval: Option<usize>,
    /// What an APP0 or APP14 segment says of colours.
    colors: Option<Photometric>,
}

impl<'a> Header<'a> {
    pub(super) fn new(stream: &'a [u8]) -> Self {
        Self {
            stream,
            frame: None,
            dc: [const { None }; 4],
            ac: [const { None }; 4],
            quantization: [None; 4],
            restart_interval: None,
            colors: None,
        }
    }

    /// What is behind the last marker segment.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.stream
    }

    /// Goes behind a scan.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.stream = self.stream.get(bytes..).unwrap_or_default();
    }

    /// Reads up to the frame header.
    pub(super) fn frame(&mut self) -> Result<Frame, DecodeFault> {
        loop {
            if let Some(frame) = self.frame.take() {
                let colors = frame.rgb_by_name().or(self.colors);
                return Ok(Frame { colors, ..frame });
            }
            if self.segment()?.is_some() {
                return Err(broken("a scan without a frame"));
            }
        }
    }

    /// Reads up to the next scan of `frame`.
    pub(super) fn next_scan(&mut self, frame: &Frame) -> Result<Scan, DecodeFault> {
        loop {
            if let Some(segment) = self.segment()? {
                return scan(segment, frame);
            }
            if self.frame.is_some() {
                return Err(broken("two frames in one code stream"));
            }
        }
    }

    /// Takes one marker segment in; returns it where it is a scan header.
    fn segment(&mut self) -> Result<Option<&'a [u8]>, DecodeFault> {
        let marker = self.marker()?;
        if matches!(marker, 0xD0..=0xD8) {
            return Ok(None);
        }
        if marker == 0xD9 {
            return Err(broken("no scan for a component"));
        }
        let cut = || broken("a marker segment is cut off");
        let (length, _) = self.stream.split_first_chunk::<2>().ok_or_else(cut)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let segment = self.stream.get(2..length).ok_or_else(cut)?;
        self.stream = &self.stream[length..];
        match marker {
            0xC4 => self.huffman(segment)?,
            0xE0 if segment.starts_with(b"JFIF") => self.colors = Some(Photometric::YbrFull),
            0xEE if segment.starts_with(b"Adobe") => self.colors = adobe(segment).or(self.colors),
            0xDA => return Ok(Some(segment)),
            0xDB => self.quantization(segment)?,
            0xDD => {
                let interval = segment.first_chunk::<2>().ok_or_else(cut)?;
                let interval = usize::from(u16::from_be_bytes(*interval));
                self.restart_interval = (interval > 0).then_some(interval);
            }
            0xC0..=0xCF if marker != 0xC8 && marker != 0xCC => {
                self.frame = Some(frame(segment, process(marker)?)?);
            }
            _ => {}
        }
        Ok(None)
    }

    /// Looks for a marker: what stands in front of it is the end of a scan, or padding.
    fn marker(&mut self) -> Result<u8, DecodeFault> {
        let is_marker = |pair: &[u8]| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xFF);
        let at = self.stream.windows(2).position(is_marker).ok_or_else(|| broken("no marker"))?;
        let marker = self.stream[at + 1];
        self.stream = &self.stream[at + 2..];
        Ok(marker)
    }

    fn huffman(&mut self, mut segment: &[u8]) -> Result<(), DecodeFault> {
        let cut = || broken("a Huffman table is cut off");
        while let Some((kind, rest)) = segment.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>().ok_or_else(cut)?;
            let total = counts.iter().map(|count| usize::from(*count)).sum();
            let (symbols, rest) = rest.split_at_checked(total).ok_or_else(cut)?;
            let tables = if kind >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            let place = tables.get_mut(usize::from(kind & 15)).ok_or_else(cut)?;
            *place = Some(Table::new(counts, symbols)?);
            segment = rest;
        }
        Ok(())
    }

    fn quantization(&mut self, mut segment: &[u8]) -> Result<(), DecodeFault> {
        let cut = || broken("a quantization table is cut off");
        while let Some((kind, rest)) = segment.split_first() {
            let bytes = if kind >> 4 == 0 { 1 } else { 2 };
            let (values, rest) = rest.split_at_checked(64 * bytes).ok_or_else(cut)?;
            let place = self.quantization.get_mut(usize::from(kind & 15)).ok_or_else(cut)?;
            let mut table = [0; 64];
            for (place, value) in table.iter_mut().zip(values.chunks_exact(bytes)) {
                *place = value.iter().fold(0, |number, byte| number << 8 | u16::from(*byte));
            }
            *place = Some(table);
            segment = rest;
        }
        Ok(())
    }
}

fn process(marker: u8) -> Result<Process, DecodeFault> {
    match marker {
        0xC0 | 0xC1 => Ok(Process::Sequential),
        0xC2 => Ok(Process::Progressive),
        0xC3 => Ok(Process::Lossless),
        0xC9..=0xCB | 0xCD..=0xCF => Err(unsupported("arithmetic coding")),
        _ => Err(unsupported("a hierarchical process")),
    }
}

fn frame(segment: &[u8], process: Process) -> Result<Frame, DecodeFault> {
    let [precision, y0, y1, x0, x1, count, components @ ..] = segment else {
        return Err(broken("the frame header is cut off"));
    };
    let components = components.as_chunks::<3>().0;
    if components.len() != usize::from(*count) || !(2..=16).contains(precision) {
        return Err(broken("a frame header that contradicts itself"));
    }
    let component = |[id, factors, quantization]: &[u8; 3]| Component {
        id: *id,
        factors: *factors,
        quantization: usize::from(*quantization),
    };
    Ok(Frame {
        process,
        precision: u32::from(*precision),
        rows: u16::from_be_bytes([*y0, *y1]).into(),
        columns: u16::from_be_bytes([*x0, *x1]).into(),
        components: components.iter().map(component).collect(),
        colors: None,
    })
}

/// The colour transformation that an APP14 segment names.
fn adobe(segment: &[u8]) -> Option<Photometric> {
    match segment.get(11)? {
        0 => Some(Photometric::Rgb),
        1 => Some(Photometric::YbrFull),
        _ => None,
    }
}

impl Frame {
    /// Some encoders call the components R, G and B.
    fn rgb_by_name(&self) -> Option<Photometric> {
        let names: Vec<u8> = self.components.iter().map(|component| component.id).collect();
        matches!(&names[..], b"RGB" | b"rgb").then_some(Photometric::Rgb)
    }

    /// Fails where a unit of several components is more than one sample or block of each (§A.2.3), which nobody writes without subsampling.
    fn check_interleaving(&self, components: &[(usize, usize, usize)]) -> Result<(), DecodeFault> {
        let is_one = |(index, _, _): &(usize, usize, usize)| self.components[*index].factors == ONE;
        if components.len() == 1 || components.iter().all(is_one) {
            return Ok(());
        }
        Err(unsupported("sampling factors other than 1 x 1 of 12 bits or lossless"))
    }

    /// Fails where components are of different size: nobody writes 12-bit or lossless images that way.
    pub(super) fn check_no_subsampling(&self) -> Result<(), DecodeFault> {
        if self.components.windows(2).all(|pair| pair[0].factors == pair[1].factors) {
            return Ok(());
        }
        Err(unsupported("subsampled components of 12 bits or lossless"))
    }
}

fn scan(segment: &[u8], frame: &Frame) -> Result<Scan, DecodeFault> {
    let cut = || broken("the scan header is cut off");
    let (count, rest) = segment.split_first().ok_or_else(cut)?;
    let (selectors, rest) = rest.split_at_checked(2 * usize::from(*count)).ok_or_else(cut)?;
    let [start, _, approximation, ..] = *rest else { return Err(cut()) };
    let index = |id| frame.components.iter().position(|component| component.id == id);
    let component = |[id, tables]: &[u8; 2]| {
        index(*id).map(|index| (index, usize::from(tables >> 4), usize::from(tables & 15)))
    };
    let components: Option<Vec<_>> = selectors.as_chunks::<2>().0.iter().map(component).collect();
    let components = components.filter(|components| !components.is_empty());
    let components = components.ok_or_else(|| broken("a component that no frame has"))?;
    frame.check_interleaving(&components)?;
    Ok(Scan { components, start, low: u32::from(approximation & 15) })
}

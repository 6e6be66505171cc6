//! Marker segments (ITU-T T.87 Annex C).

use super::{broken, unsupported};
use crate::encapsulated::DecodeFault;

/// Frame header.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Frame {
    /// Bits of a sample: 2 to 16.
    pub(super) precision: u32,
    pub(super) columns: usize,
    pub(super) rows: usize,
    /// Component identifiers.
    pub(super) components: Vec<u8>,
}

/// How the components of a scan follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interleave {
    /// One component.
    None,
    Line,
    Sample,
}

/// Scan header, and what applies to the scan.
#[derive(Debug, PartialEq)]
pub(super) struct Scan {
    pub(super) frame: Frame,
    /// Which components of the frame, in the order of the scan.
    pub(super) components: Vec<usize>,
    /// Largest difference between what was encoded and what is decoded; 0 is lossless.
    pub(super) near: i32,
    pub(super) interleave: Interleave,
    /// Bits by which decoded values are shifted.
    pub(super) point_transform: u32,
    pub(super) preset: Preset,
    /// Lines between restart markers.
    pub(super) restart_lines: Option<usize>,
}

/// Preset coding parameters (ITU-T T.87 §C.2.4.1.1); 0 stands for the default.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Preset {
    pub(super) maxval: i32,
    pub(super) thresholds: [i32; 3],
    pub(super) reset: i32,
}

/// Reads marker segments one after the other.
pub(super) struct Header<'a> {
    stream: &'a [u8],
    frame: Option<Frame>,
    preset: Preset,
    restart_lines: Option<usize>,
}

impl<'a> Header<'a> {
    pub(super) fn new(stream: &'a [u8]) -> Self {
        Self { stream, frame: None, preset: Preset::default(), restart_lines: None }
    }

    /// What is behind the last marker segment.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.stream
    }

    /// Goes behind a scan.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.stream = self.stream.get(bytes..).unwrap_or_default();
    }

    /// Reads up to the next scan.
    pub(super) fn next_scan(&mut self) -> Result<Scan, DecodeFault> {
        loop {
            let marker = self.marker()?;
            if marker == 0xD8 {
                continue;
            }
            if marker == 0xD9 {
                return Err(broken("no scan for a component"));
            }
            let segment = self.segment()?;
            match marker {
                0xF7 => self.frame = Some(frame(segment)?),
                0xF8 => self.preset(segment)?,
                0xDA => return self.scan(segment),
                0xDD => {
                    let lines = segment.iter().fold(0, |n, byte| n << 8 | usize::from(*byte));
                    self.restart_lines = (lines > 0).then_some(lines);
                }
                0xE8 if segment.starts_with(b"mrfx") && segment.get(4) != Some(&0) => {
                    return Err(unsupported("a colour transformation that is not in T.87"));
                }
                0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                    return Err(broken("a frame of another JPEG process"));
                }
                _ => {}
            }
        }
    }

    /// Looks for a marker: what stands in front of it is the end of a scan, or padding.
    fn marker(&mut self) -> Result<u8, DecodeFault> {
        let is_marker = |pair: &[u8]| pair[0] == 0xFF && (0x80..0xFF).contains(&pair[1]);
        let at = self.stream.windows(2).position(is_marker).ok_or_else(|| broken("no marker"))?;
        let marker = self.stream[at + 1];
        self.stream = &self.stream[at + 2..];
        Ok(marker)
    }

    fn segment(&mut self) -> Result<&'a [u8], DecodeFault> {
        let cut = || broken("a marker segment is cut off");
        let (length, _) = self.stream.split_first_chunk::<2>().ok_or_else(cut)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let segment = self.stream.get(2..length).ok_or_else(cut)?;
        self.stream = &self.stream[length..];
        Ok(segment)
    }

    fn preset(&mut self, segment: &[u8]) -> Result<(), DecodeFault> {
        let Some((kind, values)) = segment.split_first() else {
            return Err(broken("an empty LSE segment"));
        };
        match kind {
            1 => {
                let values: Vec<i32> = values.as_chunks::<2>().0.iter().map(number).collect();
                let [maxval, t1, t2, t3, reset] = values[..] else {
                    return Err(broken("preset parameters are cut off"));
                };
                self.preset = Preset { maxval, thresholds: [t1, t2, t3], reset };
                Ok(())
            }
            // A table that no scan names does no harm.
            2 | 3 => Ok(()),
            _ => Err(unsupported(&format!("an LSE segment of type {kind}"))),
        }
    }

    fn scan(&self, segment: &[u8]) -> Result<Scan, DecodeFault> {
        let frame = self.frame.clone().ok_or_else(|| broken("a scan without a frame"))?;
        let cut = || broken("the scan header is cut off");
        let (count, rest) = segment.split_first().ok_or_else(cut)?;
        let (selectors, rest) = rest.split_at_checked(2 * usize::from(*count)).ok_or_else(cut)?;
        let [near, interleave, transform, ..] = *rest else { return Err(cut()) };
        let selectors = selectors.as_chunks::<2>().0;
        if selectors.iter().any(|[_, table]| *table != 0) {
            return Err(unsupported("a mapping table"));
        }
        let index = |id: &u8| frame.components.iter().position(|component| component == id);
        let components: Option<Vec<usize>> = selectors.iter().map(|[id, _]| index(id)).collect();
        let components = components.ok_or_else(|| broken("a component that no frame has"))?;
        let interleave = match (interleave, components.len()) {
            (0..=2, 1) => Interleave::None,
            (1, 2 | 3) => Interleave::Line,
            (2, 3) => Interleave::Sample,
            (mode, count) => {
                return Err(broken(&format!("interleave mode {mode} of {count} components")));
            }
        };
        let point_transform = u32::from(transform & 15);
        let (preset, restart_lines, near) = (self.preset, self.restart_lines, i32::from(near));
        Ok(Scan { frame, components, near, interleave, point_transform, preset, restart_lines })
    }
}

fn number(bytes: &[u8; 2]) -> i32 {
    u16::from_be_bytes(*bytes).into()
}

fn frame(segment: &[u8]) -> Result<Frame, DecodeFault> {
    let [precision, y0, y1, x0, x1, count, components @ ..] = segment else {
        return Err(broken("the frame header is cut off"));
    };
    let components = components.as_chunks::<3>().0;
    if components.len() != usize::from(*count) {
        return Err(broken("the frame header is cut off"));
    }
    if !(2..=16).contains(precision) {
        return Err(broken(&format!("{precision} bits a sample")));
    }
    // Subsampling: nothing in DICOM writes it.
    if components.iter().any(|[_, factors, _]| *factors != 0x11) {
        return Err(unsupported("components of different size"));
    }
    Ok(Frame {
        precision: u32::from(*precision),
        rows: u16::from_be_bytes([*y0, *y1]).into(),
        columns: u16::from_be_bytes([*x0, *x1]).into(),
        components: components.iter().map(|[id, ..]| *id).collect(),
    })
}

//! Slices whose pixels are bytes that a test writes to a file.

use std::os::unix::fs::FileExt as _;

use dataset::{DataSet, PixelDataAt, Vr, tags};
use domain::{
    InstanceIdentity, SeriesInstanceUid, SopClassUid, SopInstanceUid, StudyInstanceUid,
    TransferSyntaxUid,
};
use series::{Kept, SourceInstance};
use tempfile::TempDir;

use crate::slices::{grid, slice_of};

const EXPLICIT: &str = "1.2.840.10008.1.2.1";

/// What a test says of its pixels; the rest of the header follows.
pub(crate) struct Made {
    pub(crate) syntax: &'static str,
    pub(crate) vr: Vr,
    pub(crate) columns: u16,
    pub(crate) rows: u16,
    /// Bits Allocated, Bits Stored, High Bit, Pixel Representation.
    pub(crate) bits: [u16; 4],
    pub(crate) frames: usize,
    pub(crate) rescale: (f64, f64),
    /// None: undefined, as encapsulated Pixel Data has it.
    pub(crate) length: Option<u64>,
    folder: TempDir,
}

impl Made {
    /// Uncompressed unsigned 16-bit pixels.
    pub(crate) fn new(columns: u16, rows: u16, pixels: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Something stands in front of the pixels and behind them, as in a file.
        let file = [&[0xAA; 7], pixels, &[0xBB; 9]].concat();
        std::fs::write(folder.path().join("pixels"), file).unwrap();
        Self {
            syntax: EXPLICIT,
            vr: Vr::OW,
            columns,
            rows,
            bits: [16, 16, 15, 0],
            frames: 1,
            rescale: (1.0, 0.0),
            length: Some(pixels.len() as u64),
            folder,
        }
    }

    pub(crate) fn with(mut self, fill: impl FnOnce(&mut Self)) -> Self {
        fill(&mut self);
        self
    }

    pub(crate) fn header(&self) -> DataSet {
        let mut set = DataSet::new();
        let [allocated, stored, high, representation] = self.bits;
        for (tag, number) in [
            (tags::COLUMNS, self.columns),
            (tags::ROWS, self.rows),
            (tags::SAMPLES_PER_PIXEL, 1),
            (tags::BITS_ALLOCATED, allocated),
            (tags::BITS_STORED, stored),
            (tags::HIGH_BIT, high),
            (tags::PIXEL_REPRESENTATION, representation),
        ] {
            set.put_u16s(tag, &[number]);
        }
        set.put_text(tags::MODALITY, Vr::CS, "MR");
        set.put_text(tags::PHOTOMETRIC_INTERPRETATION, Vr::CS, "MONOCHROME2");
        set
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("pixels")
    }

    pub(crate) fn instance(&self, header: DataSet) -> SourceInstance {
        SourceInstance {
            identity: InstanceIdentity {
                study: StudyInstanceUid::parse("1.1").unwrap(),
                series: SeriesInstanceUid::parse("1.2").unwrap(),
                sop_instance: SopInstanceUid::parse("1.3").unwrap(),
                sop_class: SopClassUid::parse("1.4").unwrap(),
                transfer_syntax: TransferSyntaxUid::parse(self.syntax).unwrap(),
            },
            path: self.path(),
            header,
            pixel_data: Some(PixelDataAt {
                tag: tags::PIXEL_DATA,
                vr: self.vr,
                offset: 7,
                length: self.length,
            }),
            frame_count: self.frames,
            kept: Kept::default(),
        }
    }

    pub(crate) fn values_of(
        &self,
        header: DataSet,
        frame_index: usize,
    ) -> Result<Vec<f32>, String> {
        let (slope, intercept) = self.rescale;
        let slice = slice_of(self.instance(header), frame_index, slope, intercept);
        pixels::slice_values(&slice, grid(self.columns.into(), self.rows.into()))
            .map_err(|reason| reason.to_string())
    }

    pub(crate) fn frame(&self, frame_index: usize) -> Result<Vec<f32>, String> {
        self.values_of(self.header(), frame_index)
    }

    pub(crate) fn values(&self) -> Vec<f32> {
        self.frame(0).unwrap()
    }

    pub(crate) fn refusal(&self) -> String {
        self.frame(self.frames - 1).unwrap_err()
    }

    /// Overwrites a byte of the pixels.
    pub(crate) fn spoil(&self, at: u64, byte: u8) {
        let file = std::fs::OpenOptions::new().write(true).open(self.path()).unwrap();
        file.write_all_at(&[byte], 7 + at).unwrap();
    }

    /// Cuts the file that many bytes behind the beginning of the pixels.
    pub(crate) fn cut(&self, length: u64) {
        let file = std::fs::OpenOptions::new().write(true).open(self.path()).unwrap();
        file.set_len(7 + length).unwrap();
    }
}

/// Encapsulated Pixel Data: Basic Offset Table, fragments, end (PS3.5 §A.4).
pub(crate) fn encapsulated(table: &[u32], fragments: &[&[u8]]) -> Vec<u8> {
    let table: Vec<u8> = table.iter().flat_map(|offset| offset.to_le_bytes()).collect();
    let mut bytes = Vec::new();
    for item in [table.as_slice()].iter().chain(fragments) {
        bytes.extend([0xFE, 0xFF, 0x00, 0xE0]);
        bytes.extend(u32::try_from(item.len()).unwrap().to_le_bytes());
        bytes.extend(*item);
    }
    bytes.extend([0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]);
    bytes
}

//! Code streams of every codec, and the fragments around them.
//!
//! The first six bytes say what the header says: transfer syntax, bits, colour, columns, rows, frames. The rest is one code
//! stream, or, where the highest bit of the first byte is set, all that stands behind the Pixel Data element.

use std::fs;

use dataset::{DataSet, PixelDataAt, Vr, tags};
use domain::{
    InstanceIdentity, SeriesInstanceUid, SopClassUid, SopInstanceUid, StudyInstanceUid,
    TransferSyntaxUid,
};
use series::{Kept, SourceInstance};

use super::files::in_memory;

/// Every transfer syntax with frames of its own, and the uncompressed ones; seeds name them by their place here.
pub const SYNTAXES: [&str; 20] = [
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.1.98",
    "1.2.840.10008.1.2.8.1",
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.4.202",
    "1.2.840.10008.1.2.4.203",
    "1.2.840.10008.1.2.4.110",
    "1.2.840.10008.1.2.4.112",
];

/// Bits Allocated and Bits Stored.
const BITS: [(u16, u16); 8] =
    [(8, 8), (16, 16), (16, 12), (32, 32), (1, 1), (8, 7), (16, 9), (16, 2)];

/// Photometric Interpretation and Samples per Pixel.
const COLORS: [(&str, u16); 8] = [
    ("MONOCHROME2", 1),
    ("MONOCHROME1", 1),
    ("RGB", 3),
    ("YBR_FULL", 3),
    ("YBR_FULL_422", 3),
    ("YBR_RCT", 3),
    ("YBR_ICT", 3),
    ("PALETTE COLOR", 1),
];

/// Decodes a frame.
pub fn run(bytes: &[u8]) {
    let Some((&head, stream)) = bytes.split_first_chunk::<6>() else { return };
    let Ok(folder) = tempfile::tempdir_in(in_memory()) else { return };
    let path = folder.path().join("file");
    let is_raw = head[0] & 0x80 != 0;
    let is_encapsulated = usize::from(head[0] & 0x7F) % SYNTAXES.len() > 3;
    let value = if is_raw || !is_encapsulated { stream.to_vec() } else { encapsulated(stream) };
    if fs::write(&path, &value).is_err() {
        return;
    }
    let length = (!is_encapsulated).then_some(value.len() as u64);
    let Some(instance) = instance(head, path, length) else { return };
    let frame = pixels::stored_frame(&instance, instance.frame_count - 1);
    if let Ok(frame) = frame {
        assert_eq!((frame.columns, frame.rows), (columns(head).into(), rows(head).into()));
    }
    drop(pixels::color_frame(&instance, 0));
}

fn columns(head: [u8; 6]) -> u16 {
    u16::from(head[3]) + 1
}

fn rows(head: [u8; 6]) -> u16 {
    u16::from(head[4]) + 1
}

fn encapsulated(stream: &[u8]) -> Vec<u8> {
    let length = u32::try_from(stream.len()).unwrap_or(u32::MAX).to_le_bytes();
    let item = [&[0xFE, 0xFF, 0x00, 0xE0], length.as_slice(), stream].concat();
    let end = [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0];
    [[0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0].as_slice(), &item, &end].concat()
}

fn instance(
    head: [u8; 6],
    path: std::path::PathBuf,
    length: Option<u64>,
) -> Option<SourceInstance> {
    let [syntax, bits, color, _, _, frames] = head;
    let syntax = SYNTAXES[usize::from(syntax & 0x7F) % SYNTAXES.len()];
    Some(SourceInstance {
        identity: InstanceIdentity {
            study: StudyInstanceUid::parse("1.1").ok()?,
            series: SeriesInstanceUid::parse("1.2").ok()?,
            sop_instance: SopInstanceUid::parse("1.3").ok()?,
            sop_class: SopClassUid::parse("1.4").ok()?,
            transfer_syntax: TransferSyntaxUid::parse(syntax).ok()?,
        },
        path,
        header: header(bits, color, columns(head), rows(head)),
        pixel_data: Some(PixelDataAt { tag: tags::PIXEL_DATA, vr: Vr::OB, offset: 0, length }),
        frame_count: usize::from(frames % 4) + 1,
        kept: Kept::default(),
    })
}

fn header(bits: u8, color: u8, columns: u16, rows: u16) -> DataSet {
    let (allocated, stored) = BITS[usize::from(bits) % BITS.len()];
    let (photometric, samples) = COLORS[usize::from(color) % COLORS.len()];
    let mut header = DataSet::new();
    for (tag, number) in [
        (tags::COLUMNS, columns),
        (tags::ROWS, rows),
        (tags::SAMPLES_PER_PIXEL, samples),
        (tags::BITS_ALLOCATED, allocated),
        (tags::BITS_STORED, stored),
        (tags::HIGH_BIT, stored - 1),
        (tags::PIXEL_REPRESENTATION, u16::from(bits & 0x10 != 0)),
        (tags::PLANAR_CONFIGURATION, u16::from(color & 0x10 != 0)),
    ] {
        header.put_u16s(tag, &[number]);
    }
    header.put_text(tags::PHOTOMETRIC_INTERPRETATION, Vr::CS, photometric);
    header
}

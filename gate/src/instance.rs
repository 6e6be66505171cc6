//! A file of a set, read.

use dataset::{DataSet, Encoding, End, ReadLimits, Vr, read_prefix, tags};

use crate::fault::Faults;
use crate::rle;

/// File meta information ends here when its group length says 0.
const META: usize = 144;
const LIMITS: ReadLimits = ReadLimits {
    bytes_max: usize::MAX,
    depth_max: 32,
    elements_max: usize::MAX,
    value_bytes_max: 64 << 20,
};

/// Pixel Data as it lies in the file.
#[derive(Debug)]
pub(crate) enum Pixels {
    /// One frame behind the other: VR and length as the element says, and the bytes that are there.
    Plain { vr: Vr, declared: usize, there: usize },
    /// Encapsulated in RLE Lossless: how many bytes each frame has when it is undone.
    Rle { frame_bytes: Vec<usize> },
}

/// One result.
#[derive(Debug)]
pub(crate) struct Instance {
    /// Everything but the pixels.
    pub(crate) data_set: DataSet,
    /// Pixel Data, where there is some.
    pub(crate) pixels: Option<Pixels>,
}

impl Instance {
    /// Reads a file in Explicit VR Little Endian or RLE Lossless, as results are written; a fault where it is none.
    pub(crate) fn read(file: &[u8], faults: &mut Faults) -> Option<Self> {
        let read = Self::try_read(file);
        if let Err(reason) = &read {
            faults.add("file", "File", reason.clone());
        }
        read.ok()
    }

    fn try_read(file: &[u8]) -> Result<Self, String> {
        let length = file.get(META - 4..META).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
        let (Some(b"DICM"), Some(length)) = (file.get(128..132), length) else {
            return Err("no DICOM file".into());
        };
        let start =
            META.saturating_add(usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX));
        let bytes = file.get(start..).ok_or("it ends within file meta information")?;
        let prefix = read_prefix(bytes, Encoding::ExplicitLittle, tags::PIXEL_DATA, &LIMITS)
            .map_err(|error| error.to_string())?;
        let pixels = match prefix.end {
            End::Stopped { offset } => Some(pixels(bytes.get(offset..).unwrap_or_default())?),
            End::Exhausted => None,
            End::Cut | End::AtLimit => return Err("it ends within an element".into()),
        };
        let is_rle = matches!(pixels, Some(Pixels::Rle { .. }));
        if is_rle != says_rle(file.get(..start).unwrap_or_default()) {
            return Err("Pixel Data is not in the transfer syntax that the file names".into());
        }
        Ok(Self { data_set: prefix.data_set, pixels })
    }
}

fn pixels(element: &[u8]) -> Result<Pixels, String> {
    let vr = match element.get(4..6) {
        Some(b"OB") => Vr::OB,
        Some(b"OW") => Vr::OW,
        _ => return Err("Pixel Data is neither OB nor OW".into()),
    };
    let (head, value) = element.split_at_checked(12).ok_or("it ends within Pixel Data")?;
    match <[u8; 4]>::try_from(&head[8..]).map(u32::from_le_bytes) {
        Ok(u32::MAX) => rle::frame_bytes(value).map(|frame_bytes| Pixels::Rle { frame_bytes }),
        Ok(declared) => {
            let declared = usize::try_from(declared).unwrap_or(usize::MAX);
            Ok(Pixels::Plain { vr, declared, there: value.len() })
        }
        Err(_) => Err("it ends within Pixel Data".into()),
    }
}

/// Whether file meta information says RLE Lossless: its Transfer Syntax UID is the only UID there that can be that one.
fn says_rle(meta: &[u8]) -> bool {
    let element = [&[2, 0, 0x10, 0][..], b"UI", &[20, 0], b"1.2.840.10008.1.2.5\0"].concat();
    meta.windows(element.len()).any(|window| window == element)
}

//! A file of a set, read.

use dataset::{DataSet, Encoding, End, ReadLimits, Vr, read_prefix, tags};

use crate::fault::Faults;

/// File meta information ends here when its group length says 0.
const META: usize = 144;
const LIMITS: ReadLimits =
    ReadLimits { bytes_max: usize::MAX, depth_max: 32, value_bytes_max: 64 << 20 };

/// One result.
#[derive(Debug)]
pub(crate) struct Instance {
    /// Everything but the pixels.
    pub(crate) data_set: DataSet,
    /// VR and length of Pixel Data as the element says, and the bytes that are there.
    pub(crate) pixels: Option<(Vr, usize, usize)>,
}

impl Instance {
    /// Reads a file in Explicit VR Little Endian, as results are written; a fault where it is none.
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
            End::Cut => return Err("it ends within an element".into()),
        };
        Ok(Self { data_set: prefix.data_set, pixels })
    }
}

fn pixels(element: &[u8]) -> Result<(Vr, usize, usize), String> {
    let vr = match element.get(4..6) {
        Some(b"OB") => Vr::OB,
        Some(b"OW") => Vr::OW,
        _ => return Err("Pixel Data is neither OB nor OW".into()),
    };
    let length = element.get(8..12).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
    let length = length.map(u32::from_le_bytes).ok_or("it ends within Pixel Data")?;
    Ok((vr, usize::try_from(length).unwrap_or(usize::MAX), element.len() - 12))
}

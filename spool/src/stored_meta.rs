//! What a file of the spool says about itself before its data set: File Meta Information (PS3.10 §7.1).

use std::fs::File;
use std::io::Read;
use std::path::Path;

use dataset::{DataSet, Encoding, ReadLimits, read_prefix};
use domain::{AeTitle, SopClassUid, SopInstanceUid, Tag, TransferSyntaxUid, UidError};

use crate::SpoolError;

/// Preamble, prefix and File Meta Information Group Length, which says how long the rest of the group is.
const BEGINNING_BYTES: usize = 144;
/// Longest group 0002 that is read; ours has some hundred bytes.
const GROUP_BYTES_MAX: usize = 64 << 10;
/// Tag, VR and length of File Meta Information Group Length (0002,0000).
const GROUP_LENGTH: [u8; 8] = [0x02, 0x00, 0x00, 0x00, b'U', b'L', 0x04, 0x00];

/// File Meta Information.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredMeta {
    /// Media Storage SOP Class UID (0002,0002).
    pub(crate) sop_class: SopClassUid,
    /// Media Storage SOP Instance UID (0002,0003).
    pub(crate) sop_instance: SopInstanceUid,
    /// Transfer Syntax UID (0002,0010).
    pub(crate) transfer_syntax: TransferSyntaxUid,
    /// Sending Application Entity Title (0002,0017).
    pub(crate) sending: Option<AeTitle>,
    /// Receiving Application Entity Title (0002,0018).
    pub(crate) receiving: Option<AeTitle>,
    /// Where the data set begins.
    pub(crate) data_set_offset: u64,
}

impl StoredMeta {
    /// Reads it from the beginning of a file, and leaves the file at its data set.
    pub(crate) fn read(file: &mut File, path: &Path) -> Result<Self, SpoolError> {
        let fault = |detail: String| SpoolError::NoFileMeta { path: path.to_owned(), detail };
        let failed = |error| SpoolError::io("read", path, error);
        let mut beginning = Vec::with_capacity(BEGINNING_BYTES);
        let most = u64::try_from(BEGINNING_BYTES).unwrap_or(u64::MAX);
        file.take(most).read_to_end(&mut beginning).map_err(failed)?;
        let length = group_length(&beginning).map_err(|e| fault(e.to_owned()))?;
        let mut group = vec![0; length];
        file.read_exact(&mut group).map_err(failed)?;
        let limits = ReadLimits {
            bytes_max: GROUP_BYTES_MAX,
            depth_max: 1,
            value_bytes_max: GROUP_BYTES_MAX,
        };
        let read =
            read_prefix(&group, Encoding::ExplicitLittle, dataset::tags::PIXEL_DATA, &limits);
        let set = read.map_err(|error| fault(error.to_string()))?.data_set;
        Self::of(&set, BEGINNING_BYTES + length).map_err(fault)
    }

    fn of(set: &DataSet, data_set_offset: usize) -> Result<Self, String> {
        let title = |element| AeTitle::parse(&set.text(Tag::new(0x0002, element))?).ok();
        Ok(Self {
            sop_class: uid(set, 0x0002, SopClassUid::parse)?,
            sop_instance: uid(set, 0x0003, SopInstanceUid::parse)?,
            transfer_syntax: uid(set, 0x0010, TransferSyntaxUid::parse)?,
            sending: title(0x0017),
            receiving: title(0x0018),
            data_set_offset: u64::try_from(data_set_offset).unwrap_or(u64::MAX),
        })
    }
}

fn uid<T>(
    set: &DataSet,
    element: u16,
    parse: fn(&str) -> Result<T, UidError>,
) -> Result<T, String> {
    let tag = Tag::new(0x0002, element);
    let text = set.text(tag).ok_or_else(|| format!("{tag} is absent"))?;
    parse(&text).map_err(|error| format!("{tag}: {error}"))
}

/// The length of group 0002 after its first element.
fn group_length(beginning: &[u8]) -> Result<usize, &'static str> {
    let (prefix, group) = beginning.split_at_checked(132).ok_or("it is too short")?;
    if !prefix.ends_with(b"DICM") {
        return Err("it has no DICM prefix");
    }
    let (element, length) = group.split_at_checked(8).ok_or("it is too short")?;
    let length: [u8; 4] = length.try_into().map_err(|_| "it is too short")?;
    if element != GROUP_LENGTH {
        return Err("it has no File Meta Information Group Length");
    }
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if length > GROUP_BYTES_MAX { Err("its group 0002 is too long") } else { Ok(length) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn read(bytes: &[u8]) -> Result<StoredMeta, SpoolError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.dcm");
        fs::write(&path, bytes).unwrap();
        StoredMeta::read(&mut File::open(&path).unwrap(), &path)
    }

    fn good() -> Vec<u8> {
        dataset::file_meta_bytes(&dataset::FileMeta {
            sop_class: SopClassUid::parse("1.2.840.10008.5.1.4.1.1.2").unwrap(),
            sop_instance: SopInstanceUid::parse("1.2.3").unwrap(),
            transfer_syntax: TransferSyntaxUid::parse("1.2.840.10008.1.2.1").unwrap(),
            sending_ae: AeTitle::parse("CT1").ok(),
            receiving_ae: AeTitle::parse("NODE").ok(),
            data_set_offset: 0,
        })
    }

    #[test]
    fn what_we_write_reads_back() {
        let bytes = good();
        let meta = read(&bytes).unwrap();
        assert_eq!(meta.sop_instance.as_str(), "1.2.3");
        assert_eq!(meta.transfer_syntax.as_str(), "1.2.840.10008.1.2.1");
        assert_eq!(meta.sending.unwrap().as_str(), "CT1");
        assert_eq!(meta.receiving.unwrap().as_str(), "NODE");
        assert_eq!(meta.data_set_offset, bytes.len() as u64);
    }

    #[test]
    fn bad_beginnings_are_errors() {
        let good = good();
        let mut no_prefix = good.clone();
        no_prefix[128] = b'X';
        let mut no_length = good.clone();
        no_length[132] = 8;
        let mut long = good.clone();
        long[140..144].copy_from_slice(&u32::MAX.to_le_bytes());
        for bytes in [&good[..0], &good[..143], &good[..200], &no_prefix, &no_length, &long] {
            assert!(read(bytes).is_err(), "{} bytes", bytes.len());
        }
    }
}

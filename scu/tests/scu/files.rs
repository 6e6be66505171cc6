//! DICOM files by hand.

use std::path::Path;

use domain::{
    InstanceIdentity, SeriesInstanceUid, SopClassUid, SopInstanceUid, StudyInstanceUid,
    TransferSyntaxUid,
};
use scu::Outgoing;

pub(crate) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
pub(crate) const MR: &str = "1.2.840.10008.5.1.4.1.1.4";
pub(crate) const EXPLICIT: &str = dimse::uids::EXPLICIT_VR_LITTLE_ENDIAN;

/// A data set in Explicit VR Little Endian with `pixels` bytes of Pixel Data.
pub(crate) fn data_set(sop_class: &str, sop_instance: &str, pixels: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let uids = [
        ([0x08, 0, 0x16, 0], sop_class),
        ([0x08, 0, 0x18, 0], sop_instance),
        ([0x20, 0, 0x0D, 0], "1.2.3"),
        ([0x20, 0, 0x0E, 0], "1.2.3.4"),
    ];
    for (tag, uid) in uids {
        let mut value = uid.as_bytes().to_vec();
        if value.len() % 2 == 1 {
            value.push(0);
        }
        bytes.extend_from_slice(&tag);
        bytes.extend_from_slice(b"UI");
        bytes.extend_from_slice(&u16::try_from(value.len()).unwrap().to_le_bytes());
        bytes.extend_from_slice(&value);
    }
    bytes.extend_from_slice(b"\xE0\x7F\x10\0OW\0\0");
    bytes.extend_from_slice(&u32::try_from(pixels).unwrap().to_le_bytes());
    bytes.extend((0..=250).cycle().take(pixels));
    bytes
}

/// A file in `dir` with `pixels` bytes of Pixel Data.
pub(crate) fn file(dir: &Path, sop_class: &str, sop_instance: &str, pixels: usize) -> Outgoing {
    let identity = InstanceIdentity {
        study: StudyInstanceUid::parse("1.2.3").unwrap(),
        series: SeriesInstanceUid::parse("1.2.3.4").unwrap(),
        sop_instance: SopInstanceUid::parse(sop_instance).unwrap(),
        sop_class: SopClassUid::parse(sop_class).unwrap(),
        transfer_syntax: TransferSyntaxUid::parse(EXPLICIT).unwrap(),
    };
    let meta = dataset::FileMeta::of(&identity);
    let path = dir.join(format!("{sop_instance}.dcm"));
    let bytes = [dataset::file_meta_bytes(&meta), data_set(sop_class, sop_instance, pixels)];
    std::fs::write(&path, bytes.concat()).unwrap();
    Outgoing { identity, path }
}

//! Data sets to files (PS3.10).

use dataset::{DataSet, FileMeta, encode_file};
use domain::{InstanceIdentity, TransferSyntaxUid, UidError};

/// Explicit VR Little Endian, in which every result is written.
const EXPLICIT_VR_LITTLE_ENDIAN: &str = dicom_dictionary_std::uids::EXPLICIT_VR_LITTLE_ENDIAN;

/// The transfer syntax of results.
pub(crate) fn transfer_syntax() -> Result<TransferSyntaxUid, UidError> {
    TransferSyntaxUid::parse(EXPLICIT_VR_LITTLE_ENDIAN)
}

/// The whole file of an instance.
pub(crate) fn file(identity: &InstanceIdentity, set: &DataSet) -> Vec<u8> {
    encode_file(&FileMeta::of(identity), set)
}

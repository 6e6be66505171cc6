//! Data sets to files (PS3.10).

use dataset::{DataSet, FileMeta, encode_file};
use dicom_dictionary_std::uids::{EXPLICIT_VR_LITTLE_ENDIAN, RLE_LOSSLESS};
use domain::{InstanceIdentity, TransferSyntaxUid, UidError};

/// The transfer syntax of results: Explicit VR Little Endian.
pub(crate) fn transfer_syntax() -> Result<TransferSyntaxUid, UidError> {
    TransferSyntaxUid::parse(EXPLICIT_VR_LITTLE_ENDIAN)
}

/// That of label maps which are coded frame by frame.
pub(crate) fn rle_syntax() -> Result<TransferSyntaxUid, UidError> {
    TransferSyntaxUid::parse(RLE_LOSSLESS)
}

/// The whole file of an instance.
pub(crate) fn file(identity: &InstanceIdentity, set: &DataSet) -> Vec<u8> {
    encode_file(&FileMeta::of(identity), set)
}

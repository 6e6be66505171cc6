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
    let meta = FileMeta {
        sop_class: identity.sop_class.clone(),
        sop_instance: identity.sop_instance.clone(),
        transfer_syntax: identity.transfer_syntax.clone(),
        sending_ae: None,
        receiving_ae: None,
        data_set_offset: 0,
    };
    encode_file(&meta, set)
}

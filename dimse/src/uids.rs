//! UIDs that the protocol itself needs (PS3.6 Annex A).

/// The DICOM Application Context Name (PS3.7 §A.2.1).
pub const APPLICATION_CONTEXT: &str = "1.2.840.10008.3.1.1.1";
/// Verification SOP Class (PS3.4 Annex A).
pub const VERIFICATION: &str = "1.2.840.10008.1.1";
/// Storage Commitment Push Model SOP Class (PS3.4 §J.3).
pub const STORAGE_COMMITMENT: &str = "1.2.840.10008.1.20.1";
/// Its only instance (PS3.4 §J.3.5).
pub const STORAGE_COMMITMENT_INSTANCE: &str = "1.2.840.10008.1.20.1.1";
/// Implicit VR Little Endian, which every AE supports (PS3.5 §10.1).
pub const IMPLICIT_VR_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2";
/// Explicit VR Little Endian.
pub const EXPLICIT_VR_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2.1";

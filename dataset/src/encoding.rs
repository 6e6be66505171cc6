//! How a transfer syntax writes elements (PS3.5 §7, §A).

use domain::TransferSyntaxUid;

/// The four ways in which data sets are written. Encapsulated syntaxes differ in Pixel Data only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Implicit VR Little Endian.
    ImplicitLittle,
    /// Explicit VR Little Endian, also of every encapsulated transfer syntax.
    ExplicitLittle,
    /// Explicit VR Big Endian (retired).
    ExplicitBig,
    /// Deflated Explicit VR Little Endian.
    DeflatedLittle,
}

impl Encoding {
    /// The encoding of a transfer syntax. Unknown ones are explicit little endian, as PS3.5 §A.4 wants it.
    #[must_use]
    pub fn of(transfer_syntax: &TransferSyntaxUid) -> Self {
        match transfer_syntax.as_str() {
            "1.2.840.10008.1.2" => Self::ImplicitLittle,
            "1.2.840.10008.1.2.2" => Self::ExplicitBig,
            "1.2.840.10008.1.2.1.99" | "1.2.840.10008.1.2.4.95" | "1.2.840.10008.1.2.4.205" => {
                Self::DeflatedLittle
            }
            _ => Self::ExplicitLittle,
        }
    }
}

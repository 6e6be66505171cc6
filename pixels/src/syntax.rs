//! How Pixel Data is encoded, by transfer syntax (PS3.5 §10 and Annex A).

use domain::TransferSyntaxUid;

/// A way of storing frames that we can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Uncompressed, one frame after the other.
    Native(ByteOrder),
    /// Uncompressed, in a data set that is deflated as a whole.
    DeflatedDataSet,
    /// One frame in its own fragments.
    Encapsulated(Codec),
}

/// Order of the bytes of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    Little,
    Big,
}

/// What the fragments of a frame are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Uncompressed,
    Deflated,
    Rle,
    Jpeg,
    Jpeg2000,
}

impl Coding {
    /// The coding of a transfer syntax; `None` when we cannot decode it.
    pub(crate) fn of(syntax: &TransferSyntaxUid) -> Option<Self> {
        let suffix = syntax.as_str().strip_prefix("1.2.840.10008.1.2")?;
        Some(match suffix {
            "" | ".1" => Self::Native(ByteOrder::Little),
            ".2" => Self::Native(ByteOrder::Big),
            ".1.99" => Self::DeflatedDataSet,
            ".1.98" => Self::Encapsulated(Codec::Uncompressed),
            ".8.1" => Self::Encapsulated(Codec::Deflated),
            ".5" => Self::Encapsulated(Codec::Rle),
            ".4.50" | ".4.51" | ".4.57" | ".4.70" => Self::Encapsulated(Codec::Jpeg),
            ".4.90" | ".4.91" | ".4.201" | ".4.202" | ".4.203" => {
                Self::Encapsulated(Codec::Jpeg2000)
            }
            _ => return None,
        })
    }
}

/// The name of a compressed transfer syntax that people know it by.
pub(crate) fn name(syntax: &TransferSyntaxUid) -> &'static str {
    match syntax.as_str().strip_prefix("1.2.840.10008.1.2.").unwrap_or_default() {
        "4.51" => "JPEG Extended",
        "4.80" => "JPEG-LS Lossless",
        "4.81" => "JPEG-LS Near-Lossless",
        "4.92" | "4.93" => "JPEG 2000 Part 2",
        "4.94" | "4.95" | "4.204" | "4.205" => "JPIP",
        "4.100" | "4.101" => "MPEG-2",
        "4.102" | "4.103" | "4.104" | "4.105" | "4.106" => "MPEG-4",
        "4.107" | "4.108" => "HEVC",
        "4.110" | "4.111" | "4.112" => "JPEG XL",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_we_decode_has_a_coding() {
        let coding = |uid| Coding::of(&TransferSyntaxUid::parse(uid).unwrap());
        assert_eq!(coding("1.2.840.10008.1.2"), Some(Coding::Native(ByteOrder::Little)));
        assert_eq!(coding("1.2.840.10008.1.2.5"), Some(Coding::Encapsulated(Codec::Rle)));
        assert_eq!(coding("1.2.840.10008.1.2.4.80"), None);
        assert_eq!(coding("1.2.840.10008.1.20"), None);
        assert_eq!(coding("1.2.3"), None);
    }
}

//! How Pixel Data is encoded, by transfer syntax (PS3.5 §10 and Annex A).

use domain::TransferSyntaxUid;

use crate::encapsulated::DecodeFault;
use crate::format::Format;

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
    JpegLs,
    JpegXl,
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
            ".4.80" | ".4.81" => Self::Encapsulated(Codec::JpegLs),
            ".4.90" | ".4.91" | ".4.201" | ".4.202" | ".4.203" => {
                Self::Encapsulated(Codec::Jpeg2000)
            }
            ".4.110" | ".4.111" | ".4.112" => Self::Encapsulated(Codec::JpegXl),
            _ => return None,
        })
    }
}

impl Coding {
    /// Whether frames have the bytes of the uncompressed form.
    pub(crate) fn keeps_bytes(self) -> bool {
        match self {
            Self::Native(_) | Self::DeflatedDataSet => true,
            Self::Encapsulated(codec) => codec.keeps_bytes(),
        }
    }
}

impl Codec {
    /// Whether it keeps the bytes of the uncompressed form, of whatever kind they are.
    pub(crate) fn keeps_bytes(self) -> bool {
        matches!(self, Self::Uncompressed | Self::Deflated)
    }

    /// Checks that a code stream can hold the frame, before anything is allocated for the frame.
    pub(crate) fn check_size(
        self,
        stream_bytes: usize,
        format: &Format,
    ) -> Result<(), DecodeFault> {
        let most = self.samples_max(stream_bytes);
        if format.frame_samples() <= most {
            return Ok(());
        }
        Err(DecodeFault::Broken(format!(
            "{stream_bytes} bytes for {} samples",
            format.frame_samples()
        )))
    }

    /// Most samples that so many bytes can stand for.
    fn samples_max(self, stream_bytes: usize) -> usize {
        match self {
            // The decoders of these grow with what they find.
            Self::Uncompressed | Self::Deflated => usize::MAX,
            // Two bytes repeat a byte 128 times.
            Self::Rle => stream_bytes.saturating_mul(64),
            // Two bits stand for a block of 64 samples, which subsampling makes up to 16 times as many.
            Self::Jpeg => stream_bytes.saturating_mul(4096),
            // Empty parts of an image cost next to nothing; so does the decoding of what fits here.
            Self::Jpeg2000 | Self::JpegLs | Self::JpegXl => {
                stream_bytes.saturating_mul(4096).max(1 << 24)
            }
        }
    }
}

/// The name of a transfer syntax that people know it by.
pub(crate) fn name(syntax: &TransferSyntaxUid) -> &'static str {
    match syntax.as_str().strip_prefix("1.2.840.10008.1.2.").unwrap_or_default() {
        "1.98" => "Encapsulated Uncompressed",
        "5" => "RLE Lossless",
        "8.1" => "Deflated Image Frame Compression",
        "4.50" => "JPEG Baseline",
        "4.51" => "JPEG Extended",
        "4.52" | "4.53" | "4.54" | "4.55" | "4.56" | "4.58" | "4.59" | "4.60" | "4.61" | "4.62"
        | "4.63" | "4.64" | "4.65" | "4.66" => "a retired JPEG process",
        "4.57" | "4.70" => "JPEG Lossless",
        "4.80" => "JPEG-LS Lossless",
        "4.81" => "JPEG-LS Near-Lossless",
        "4.90" | "4.91" => "JPEG 2000",
        "4.92" | "4.93" => "JPEG 2000 Part 2",
        "4.94" | "4.95" | "4.204" | "4.205" => "JPIP",
        "4.100" | "4.100.1" | "4.101" | "4.101.1" => "MPEG-2",
        "4.102" | "4.102.1" | "4.103" | "4.103.1" | "4.104" | "4.104.1" | "4.105" | "4.105.1"
        | "4.106" | "4.106.1" => "MPEG-4",
        "4.107" | "4.108" => "HEVC",
        "4.110" | "4.111" | "4.112" => "JPEG XL",
        "4.201" | "4.202" | "4.203" => "High-Throughput JPEG 2000",
        "7.1" | "7.2" | "7.3" => "SMPTE ST 2110",
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
        assert_eq!(coding("1.2.840.10008.1.2.4.100"), None);
        assert_eq!(coding("1.2.840.10008.1.20"), None);
        assert_eq!(coding("1.2.3"), None);
    }
}

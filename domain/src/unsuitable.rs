//! Good DICOM that a model cannot use: coded reasons for quarantine.

use std::fmt;

use thiserror::Error;

/// The kind of unsuitability; its text form is stable and appears in logs, `status` and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnsuitableCode {
    /// A slice is missing between two others.
    Gap,
    /// Two slices lie at the same position.
    DuplicateSlice,
    /// Slices differ in orientation.
    MixedOrientation,
    /// Slices differ in rows, columns, pixel spacing or Frame of Reference.
    MixedGrid,
    /// The slices are sheared along the table (gantry tilt).
    GantryTilt,
    /// Image Position, Image Orientation, Pixel Spacing or Frame of Reference UID is missing or malformed.
    MissingGeometry,
    /// The instance has no Pixel Data.
    NoPixels,
    /// Pixel Data is shorter than rows, columns and frames say.
    TruncatedPixels,
    /// The transfer syntax cannot be decoded; the reason names it.
    UndecodableTransferSyntax,
    /// The data set cannot be parsed.
    Unreadable,
    /// Bits, samples or photometric interpretation that the model kind does not take.
    PixelFormat,
    /// The model is for another modality.
    WrongModality,
    /// Fewer slices than the model needs.
    TooFewSlices,
    /// More instances, bytes or voxels than the limits allow.
    TooLarge,
    /// The model failed: an engine error, an output of the wrong shape, values that are not finite.
    ModelFailed,
    /// What a promptable model is asked cannot be asked: words it was never trained on, of other images, too many.
    PromptRefused,
    /// Tiles of a whole slide; no model kind takes them yet.
    WholeSlide,
    /// The rule names a model that is not loaded.
    UnknownModel,
    /// The findings cannot be written as SEG and SR: too many frames, for instance.
    Unwritable,
    /// A result breaks a rule of our own; nothing of its set leaves. A fault of ours.
    RefusedByGate,
}

impl UnsuitableCode {
    /// The stable text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::DuplicateSlice => "duplicate-slice",
            Self::MixedOrientation => "mixed-orientation",
            Self::MixedGrid => "mixed-grid",
            Self::GantryTilt => "gantry-tilt",
            Self::MissingGeometry => "missing-geometry",
            Self::NoPixels => "no-pixels",
            Self::TruncatedPixels => "truncated-pixels",
            Self::UndecodableTransferSyntax => "undecodable-transfer-syntax",
            Self::Unreadable => "unreadable",
            Self::PixelFormat => "pixel-format",
            Self::WrongModality => "wrong-modality",
            Self::TooFewSlices => "too-few-slices",
            Self::TooLarge => "too-large",
            Self::ModelFailed => "model-failed",
            Self::PromptRefused => "prompt-refused",
            Self::WholeSlide => "whole-slide",
            Self::UnknownModel => "unknown-model",
            Self::Unwritable => "unwritable",
            Self::RefusedByGate => "refused-by-gate",
        }
    }
}

impl fmt::Display for UnsuitableCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a series is set aside. Never retried; a new revision of the series is a new try.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{code}: {detail}")]
pub struct Unsuitable {
    /// The kind.
    pub code: UnsuitableCode,
    /// What was found where; numbers and UIDs only, no patient attribute.
    pub detail: String,
}

impl Unsuitable {
    /// A reason with its detail.
    #[must_use]
    pub fn new(code: UnsuitableCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

//! Stored frames become what the scanner meant: [`slice_values`] for grey slices, [`color_frame`] for colour,
//! [`stored_frame`] for what was stored, and, for people only, [`display_frame`].
//!
//! Uncompressed frames are read by our own code, and only their own bytes. Compressed ones are found by our own code too
//! and handed, one frame at a time, to a decoder for nothing but the code stream; what a codec returns
//! goes through the same masking, sign extension and rescaling as uncompressed values.
//! This room reads no attributes from files (they come with the [`series::SourceInstance`]), and no window touches what models take.
//!
//! ## What is decoded
//!
//! Implicit and Explicit VR Little Endian, Explicit VR Big Endian, Deflated Explicit VR Little Endian, Encapsulated Uncompressed,
//! RLE Lossless, JPEG Baseline, Extended with 8 and 12 bits, and Lossless with any predictor, JPEG-LS, JPEG 2000, High-Throughput JPEG 2000, JPEG XL, Deflated Image Frame.
//! Not decoded and refused by name: video, JPIP, JPEG 2000 Part 2, the retired JPEG processes.
//!
//! Samples are whole numbers of 1, 8, 16 or 32 bits, or floating point; one a pixel, or three in either Planar Configuration.
//! Photometric Interpretation may be any of [`Photometric`]; colour frames come out as RGB.
//!
//! Three codecs are crates in pure Rust: `jpeg-decoder` for 8-bit DCT frames, `openjp2` for JPEG 2000, `jxl-oxide`. Their panics are caught,
//! their memory is bounded by what the code stream could hold. JPEG-LS, 12-bit and lossless JPEG and RLE are decoded here.
//!
//! ## What it is compared with
//!
//! With `PARSENODE_PYTHON` naming a Python that has pydicom, pydicom-data, pylibjpeg\[all\], pyjpegls, python-gdcm, pillow and imagecodecs:
//! `cargo test -p pixels --test pydicom -- --nocapture` prints the table of all files of pydicom and pydicom-data,
//! `--test written` that of code streams by other encoders, cut and spoiled ones too, and
//! `cargo run --release -p pixels --example frames_per_second` that of frames a second.
//!
//! ## What the values are
//!
//! Stored values are the bits from High Bit down, Bits Stored of them, sign-extended where Pixel Representation is 1. Then
//! either the Modality LUT Sequence or slope and intercept. Pixel Padding Values pass like any other: they are what
//! the scanner put outside its field of view, and models clip.
//!
//! MONOCHROME1 says that low values are to be *shown* bright. It does not change what a Hounsfield unit is, so values with a physical unit
//! (CT, PT and NM, or a Rescale Type other than US) are left alone. All others are turned round within the stored range before rescaling,
//! so that bright means the same in every image a model sees.

mod color;
mod display;
mod encapsulated;
mod format;
mod found;
mod frame;
mod jpeg;
mod jpeg2000;
mod jpegls;
mod jpegxl;
mod lut;
mod native;
mod photometric;
mod rle;
mod slice;
mod stored;
mod syntax;
mod values;

pub use color::{ColorFrame, check_color, color_frame};
pub use display::{GreyFrame, VoiLut, Window, display_frame};
pub use photometric::Photometric;
pub use slice::{check_decodable, slice_values};
pub use stored::{StoredFrame, StoredValues, stored_frame};

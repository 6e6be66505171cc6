//! Data sets as bytes: read with limits, written in one way. The room where hostile input is met first.
//!
//! Reading never allocates by a length that is only declared, never descends deeper than told, and keeps values
//! exactly as they came, so that what is copied into a result is copied to the letter. Writing is Explicit VR
//! Little Endian with defined lengths. This room knows nothing of what attributes mean.

mod data_set;
mod decimal;
mod element;
mod encode;
mod encoding;
mod file;
mod inflate;
mod prefix;
mod put;
mod reader;
pub mod tags;

pub use dicom_core::VR as Vr;

pub use data_set::{DataSet, NoNumber};
pub use element::{Element, Value};
pub use encode::{encode, encode_file, encode_implicit, encode_into, file_meta_bytes};
pub use encoding::Encoding;
pub use file::{FileError, FileHeader, FileMeta, PixelDataAt, read_file_header, read_file_meta};
pub use prefix::{ELEMENTS_MAX, End, Prefix, ReadError, ReadLimits, read_prefix};

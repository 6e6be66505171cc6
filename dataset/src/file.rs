//! Headers of DICOM files (PS3.10 §7): read only as far as needed.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use domain::{
    AeTitle, Announced, InstanceIdentity, InstanceOrigin, SopClassUid, SopInstanceUid, Tag,
    TransferSyntaxUid,
};
use thiserror::Error;

use crate::inflate::{Inflating, Stream};
use crate::reader::{Halt, Reader};
use crate::{DataSet, Encoding, ReadError, ReadLimits, Vr, tags};

/// Where the prefix `DICM` ends.
const META_OFFSET: usize = 132;
/// The first piece of a file that is read; most headers end in it.
const FIRST_PIECE_BYTES: usize = 16 * 1024;

/// Bounds on file meta information, which has some hundred bytes.
const META_LIMITS: ReadLimits = ReadLimits {
    bytes_max: 16 * 1024,
    depth_max: 1,
    elements_max: 1024,
    value_bytes_max: 16 * 1024,
};

/// File meta information.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileMeta {
    /// Media Storage SOP Class UID (0002,0002).
    pub sop_class: SopClassUid,
    /// Media Storage SOP Instance UID (0002,0003).
    pub sop_instance: SopInstanceUid,
    /// Transfer Syntax UID (0002,0010).
    pub transfer_syntax: TransferSyntaxUid,
    /// Sending Application Entity Title (0002,0017).
    pub sending_ae: Option<AeTitle>,
    /// Receiving Application Entity Title (0002,0018).
    pub receiving_ae: Option<AeTitle>,
    /// Where the data set begins in the file, in bytes. Not written.
    pub data_set_offset: u64,
}

impl FileMeta {
    /// What to write before the data set of an instance while it arrives.
    #[must_use]
    pub fn received(announced: &Announced, origin: &InstanceOrigin) -> Self {
        Self {
            sop_class: announced.sop_class.clone(),
            sop_instance: announced.sop_instance.clone(),
            transfer_syntax: announced.transfer_syntax.clone(),
            sending_ae: Some(origin.calling.clone()),
            receiving_ae: Some(origin.called.clone()),
            data_set_offset: 0,
        }
    }

    /// What to write before the data set of an instance of our own.
    #[must_use]
    pub fn of(identity: &InstanceIdentity) -> Self {
        Self {
            sop_class: identity.sop_class.clone(),
            sop_instance: identity.sop_instance.clone(),
            transfer_syntax: identity.transfer_syntax.clone(),
            sending_ae: None,
            receiving_ae: None,
            data_set_offset: 0,
        }
    }
}

/// Everything of a file but its pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct FileHeader {
    /// File meta information.
    pub meta: FileMeta,
    /// The data set up to its pixels.
    pub data_set: DataSet,
    /// Where the pixels are.
    pub pixel_data: Option<PixelDataAt>,
}

/// Where the value of Pixel Data, Float Pixel Data or Double Float Pixel Data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelDataAt {
    /// Which of the three.
    pub tag: Tag,
    /// OB, OW, OF or OD.
    pub vr: Vr,
    /// Offset of the value in the file; in deflated files, in the inflated data set.
    pub offset: u64,
    /// Length as declared; `None` when it is undefined: encapsulated.
    pub length: Option<u64>,
}

/// Why a file has no header that could be read.
#[derive(Debug, Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[source] io::Error),
    /// The prefix `DICM` is missing.
    #[error("no DICOM file: no DICM after 128 bytes")]
    NotDicom,
    /// It ends within the header.
    #[error("truncated: the file ends within its header")]
    Truncated,
    /// The header goes on behind the limit.
    #[error("the header is longer than {0} bytes")]
    TooLong(usize),
    /// File meta information lacks something or is malformed.
    #[error("file meta information: {0}")]
    Meta(String),
    /// The data set is malformed.
    #[error("data set: {0}")]
    DataSet(#[source] ReadError),
}

/// Reads everything up to the pixels, in growing pieces, at most `limits.bytes_max`.
///
/// # Errors
/// [`FileError`], which says what is wrong.
pub fn read_file_header(path: &Path, limits: &ReadLimits) -> Result<FileHeader, FileError> {
    let mut file = File::open(path).map_err(FileError::Io)?;
    let mut bytes = Vec::new();
    let mut piece = FIRST_PIECE_BYTES;
    loop {
        let ended = read_on(&mut file, &mut bytes, piece.min(limits.bytes_max))?;
        match parse(&bytes, ended, limits)? {
            Some(header) => return Ok(header),
            None if ended => return Err(FileError::Truncated),
            None if bytes.len() >= limits.bytes_max => {
                return Err(FileError::TooLong(limits.bytes_max));
            }
            None => piece = bytes.len().saturating_mul(4),
        }
    }
}

/// Reads file meta information and nothing behind it: a data set that cannot be read is no obstacle.
///
/// # Errors
/// [`FileError`], which says what is wrong.
pub fn read_file_meta(path: &Path) -> Result<FileMeta, FileError> {
    let mut file = File::open(path).map_err(FileError::Io)?;
    let mut bytes = Vec::new();
    let ended = read_on(&mut file, &mut bytes, META_LIMITS.bytes_max)?;
    match parse_meta(&bytes, ended, &META_LIMITS)? {
        Some(meta) => Ok(meta),
        None if ended => Err(FileError::Truncated),
        None => Err(FileError::TooLong(META_LIMITS.bytes_max)),
    }
}

/// Reads on until there are `wanted` bytes; true at the end of the file.
fn read_on(file: &mut File, bytes: &mut Vec<u8>, wanted: usize) -> Result<bool, FileError> {
    let missing = wanted.saturating_sub(bytes.len());
    let limit = u64::try_from(missing).unwrap_or(u64::MAX);
    let read = file.take(limit).read_to_end(bytes).map_err(FileError::Io)?;
    Ok(read < missing)
}

/// The header, or `None` where more bytes are needed.
fn parse(bytes: &[u8], ended: bool, limits: &ReadLimits) -> Result<Option<FileHeader>, FileError> {
    match parse_meta(bytes, ended, limits)? {
        Some(meta) => data_set(bytes, ended, meta, limits),
        None => Ok(None),
    }
}

/// File meta information, or `None` where more bytes are needed.
fn parse_meta(
    bytes: &[u8],
    ended: bool,
    limits: &ReadLimits,
) -> Result<Option<FileMeta>, FileError> {
    if bytes.get(META_OFFSET - 4..META_OFFSET).is_none_or(|prefix| prefix != b"DICM") {
        return Err(FileError::NotDicom);
    }
    let end = meta_end(bytes);
    let Some(group_bytes) = bytes.get(META_OFFSET..end.unwrap_or(bytes.len())) else {
        return Ok(None);
    };
    let mut reader = Reader::new(group_bytes, Encoding::ExplicitLittle, limits);
    let mut group = DataSet::new();
    match reader.top_level(&mut group, Tag::new(0x0003, 0)) {
        Ok(Some(_)) => {}
        Ok(None) if ended || end.is_some() => {}
        Ok(None) => return Ok(None),
        Err(halt) => return unfinished(halt, |error| FileError::Meta(error.to_string())),
    }
    meta(&group, end.unwrap_or_else(|| META_OFFSET + reader.offset())).map(Some)
}

/// Where group 0002 ends by its File Meta Information Group Length, if it begins with that, as it must (PS3.10 §7.1).
fn meta_end(bytes: &[u8]) -> Option<usize> {
    let element = bytes.get(META_OFFSET..META_OFFSET + 12)?;
    let length = element.strip_prefix(b"\x02\0\0\0UL\x04\0")?.try_into().ok()?;
    let length = usize::try_from(u32::from_le_bytes(length)).ok()?;
    (META_OFFSET + 12).checked_add(length)
}

fn unfinished<T>(
    halt: Halt,
    fault: impl FnOnce(ReadError) -> FileError,
) -> Result<Option<T>, FileError> {
    match halt {
        Halt::Cut => Ok(None),
        Halt::Fault(error) => Err(fault(error)),
    }
}

fn meta(group: &DataSet, data_set_offset: usize) -> Result<FileMeta, FileError> {
    let text = |tag, name: &str| {
        group.text(tag).ok_or_else(|| FileError::Meta(format!("{name} is missing")))
    };
    let fault = |name: &'static str| {
        move |error: domain::UidError| FileError::Meta(format!("{name}: {error}"))
    };
    let title = |tag| group.text(tag).and_then(|text| AeTitle::parse(&text).ok());
    let sop_class = text(tags::MEDIA_STORAGE_SOP_CLASS_UID, "Media Storage SOP Class UID")?;
    let instance = text(tags::MEDIA_STORAGE_SOP_INSTANCE_UID, "Media Storage SOP Instance UID")?;
    let syntax = text(tags::TRANSFER_SYNTAX_UID, "Transfer Syntax UID")?;
    Ok(FileMeta {
        sop_class: SopClassUid::parse(&sop_class).map_err(fault("SOP Class UID"))?,
        sop_instance: SopInstanceUid::parse(&instance).map_err(fault("SOP Instance UID"))?,
        transfer_syntax: TransferSyntaxUid::parse(&syntax).map_err(fault("Transfer Syntax UID"))?,
        sending_ae: title(tags::SENDING_APPLICATION_ENTITY_TITLE),
        receiving_ae: title(tags::RECEIVING_APPLICATION_ENTITY_TITLE),
        data_set_offset: u64::try_from(data_set_offset).unwrap_or(u64::MAX),
    })
}

fn data_set(
    bytes: &[u8],
    ended: bool,
    meta: FileMeta,
    limits: &ReadLimits,
) -> Result<Option<FileHeader>, FileError> {
    let start = usize::try_from(meta.data_set_offset).unwrap_or(usize::MAX).min(bytes.len());
    let encoding = Encoding::of(&meta.transfer_syntax);
    if encoding == Encoding::DeflatedLittle {
        return deflated(&bytes[start..], &meta, limits);
    }
    elements(&bytes[start..], ended, start, encoding, meta, limits)
}

/// Inflates no further than the header goes, and no further than bytes that are there may become.
fn deflated(
    bytes: &[u8],
    meta: &FileMeta,
    limits: &ReadLimits,
) -> Result<Option<FileHeader>, FileError> {
    let mut inflating = Inflating::new(bytes, limits.bytes_max);
    loop {
        inflating.step();
        let (inflated, ended) = (inflating.bytes(), inflating.stream() == Stream::Ended);
        let encoding = Encoding::ExplicitLittle;
        let header = elements(inflated, ended, 0, encoding, meta.clone(), limits)?;
        if header.is_some() || inflating.stream() != Stream::GoesOn {
            return Ok(header);
        }
        if inflated.len() >= limits.bytes_max {
            return Err(FileError::TooLong(limits.bytes_max));
        }
        if inflating.is_full() {
            return Err(FileError::DataSet(ReadError::Inflation));
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "one step of the same reading, cut for its length")]
fn elements(
    bytes: &[u8],
    ended: bool,
    start: usize,
    encoding: Encoding,
    meta: FileMeta,
    limits: &ReadLimits,
) -> Result<Option<FileHeader>, FileError> {
    let mut reader = Reader::new(bytes, encoding, limits);
    let mut data_set = DataSet::new();
    match reader.top_level(&mut data_set, tags::FLOAT_PIXEL_DATA) {
        Ok(Some(_)) => {}
        Ok(None) if ended => return Ok(Some(FileHeader { meta, data_set, pixel_data: None })),
        Ok(None) => return Ok(None),
        Err(halt) => return unfinished(halt, FileError::DataSet),
    }
    match reader.header() {
        Ok(header) => {
            let bytes = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
            let at = PixelDataAt {
                tag: header.tag,
                vr: header.vr,
                offset: bytes(start + reader.offset()),
                length: header.length.map(bytes),
            };
            let pixel_data = is_pixel_data(header.tag).then_some(at);
            Ok(Some(FileHeader { meta, data_set, pixel_data }))
        }
        Err(halt) => unfinished(halt, FileError::DataSet),
    }
}

fn is_pixel_data(tag: Tag) -> bool {
    [tags::FLOAT_PIXEL_DATA, tags::DOUBLE_FLOAT_PIXEL_DATA, tags::PIXEL_DATA].contains(&tag)
}

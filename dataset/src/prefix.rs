//! The top of a data set, read within limits.

use domain::Tag;
use thiserror::Error;

use crate::inflate::{INFLATION_MAX, Inflating, Stream};
use crate::reader::{Halt, Reader};
use crate::{DataSet, Encoding};

/// Bounds on reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// Bytes that are looked at, after inflation. What lies behind them is not read: the end is then
    /// [`End::AtLimit`].
    pub bytes_max: usize,
    /// Sequences within sequences; a deeper one is an error.
    pub depth_max: usize,
    /// Elements and items, at all depths, also those that are skipped; more are an error. [`ELEMENTS_MAX`] is enough for any image.
    pub elements_max: usize,
    /// Bytes of one value; a longer one is skipped, as if it were not there.
    pub value_bytes_max: usize,
}

/// Why bytes are no data set.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReadError {
    /// Two bytes that are no VR (PS3.5 §7.1.2).
    #[error("no value representation at byte {offset}")]
    NoVr {
        /// Where, from the start of the data set.
        offset: usize,
    },
    /// Sequences lie deeper in each other than the limits allow.
    #[error("sequences nested deeper than {depth_max} at byte {offset}")]
    TooDeep {
        /// The limit.
        depth_max: usize,
        /// Where.
        offset: usize,
    },
    /// More elements and items than the limits allow.
    #[error("more than {elements_max} elements and items at byte {offset}")]
    TooMany {
        /// The limit.
        elements_max: usize,
        /// Where.
        offset: usize,
    },
    /// An item or a delimiter where none may be, or something else where one must be (PS3.5 §7.5).
    #[error("an item, or none, where it must not be: {tag} at byte {offset}")]
    Misplaced {
        /// What was found.
        tag: Tag,
        /// Where.
        offset: usize,
    },
    /// A value of undefined length that cannot have one.
    #[error("{tag} at byte {offset} cannot have an undefined length")]
    UndefinedLength {
        /// The attribute.
        tag: Tag,
        /// Where.
        offset: usize,
    },
    /// Something reaches behind the end of the item that holds it.
    #[error("{tag} at byte {offset} is longer than the item that holds it")]
    TooLong {
        /// The attribute.
        tag: Tag,
        /// Where.
        offset: usize,
    },
    /// A deflated data set whose header is mostly air.
    #[error("deflated data whose header grows more than {INFLATION_MAX}-fold")]
    Inflation,
}

/// Elements and items of a data set that is kept: an item of one element takes half a kilobyte, functional groups of ten thousand
/// frames have less than this many.
pub const ELEMENTS_MAX: usize = 1 << 20;

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Prefix {
    /// Complete elements, group lengths left out.
    pub data_set: DataSet,
    /// Where and why reading ended.
    pub end: End,
}

/// Why reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Before the first attribute that is not wanted any more.
    Stopped {
        /// Its offset, from the start of the (inflated) data set.
        offset: usize,
    },
    /// At the end of the input, which is the end of an element.
    Exhausted,
    /// Within an element, or between two: the input ends there. More input would bring more.
    Cut,
    /// Before an element that does not end within the limits. More input would change nothing.
    AtLimit,
}

/// Reads the top of a data set: stops before the first attribute that is `stop_before` or comes after it, at the end of
/// the bytes, or at the limits.
///
/// # Errors
/// [`ReadError`] when the bytes are no data set.
pub fn read_prefix(
    bytes: &[u8],
    encoding: Encoding,
    stop_before: Tag,
    limits: &ReadLimits,
) -> Result<Prefix, ReadError> {
    let whole = bytes.len() <= limits.bytes_max;
    let bytes = &bytes[..bytes.len().min(limits.bytes_max)];
    if encoding == Encoding::DeflatedLittle {
        return read_deflated(bytes, stop_before, limits);
    }
    read(bytes, whole, encoding, stop_before, limits)
}

/// Inflates no further than reading needs, and stops where bytes say too little for what they become: to inflate is work for us,
/// and none for who sends.
fn read_deflated(bytes: &[u8], stop_before: Tag, limits: &ReadLimits) -> Result<Prefix, ReadError> {
    let mut inflating = Inflating::new(bytes, limits.bytes_max);
    loop {
        inflating.step();
        let whole = inflating.stream() == Stream::Ended;
        let encoding = Encoding::ExplicitLittle;
        let prefix = read(inflating.bytes(), whole, encoding, stop_before, limits)?;
        if prefix.end != End::Cut || inflating.stream() != Stream::GoesOn {
            return Ok(prefix);
        }
        if inflating.is_full() {
            // Without an end at the limits, which would be known by now, growth was what ended it.
            return Err(ReadError::Inflation);
        }
    }
}

fn read(
    bytes: &[u8],
    whole: bool,
    encoding: Encoding,
    stop_before: Tag,
    limits: &ReadLimits,
) -> Result<Prefix, ReadError> {
    let mut reader = Reader::new(bytes, encoding, limits);
    let mut data_set = DataSet::new();
    let end = match reader.top_level(&mut data_set, stop_before) {
        Ok(Some(offset)) => End::Stopped { offset },
        Ok(None) if whole => End::Exhausted,
        Ok(None) | Err(Halt::Cut) if reader.needs_more_than(limits.bytes_max) => End::AtLimit,
        Ok(None) | Err(Halt::Cut) => End::Cut,
        Err(Halt::Fault(error)) => return Err(error),
    };
    Ok(Prefix { data_set, end })
}

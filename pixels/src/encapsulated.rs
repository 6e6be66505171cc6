//! Frames in fragments (PS3.5 §A.4).

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use dataset::{Element, Value, tags};
use domain::{Unsuitable, UnsuitableCode};
use flate2::read::DeflateDecoder;

use crate::format::Format;
use crate::found::{self, Span};
use crate::frame::{Samples, Wanted};
use crate::native::{arranged, read_up_to};
use crate::syntax::{Codec, name};
use crate::{jpeg, jpeg2000, jpegls, jpegxl, rle};

/// Tag (FFFE,E000) and length of an item.
const ITEM_HEADER_BYTES: usize = 8;
/// Fragments of an instance that are looked through. An instance with more is unreadable.
const FRAGMENTS_MAX: usize = 1 << 20;

/// A code stream may be so many times as long as what it becomes, and [`STREAM_FREE`] bytes more. A longer one is unreadable.
const STREAM_FACTOR: usize = 4;
/// What a code stream of any frame may have around its samples: tables, metadata, thumbnails.
const STREAM_FREE: usize = 1 << 20;

/// Why a code stream gives no samples.
#[derive(Debug)]
pub(crate) enum DecodeFault {
    /// Legal, but more than our decoder can.
    Unsupported(String),
    /// Broken, or of another size than the header says.
    Broken(String),
    /// Fewer bytes than the frame has.
    Short(usize),
}

/// Decodes one frame.
pub(crate) fn read(wanted: &Wanted<'_>, codec: Codec) -> Result<Samples, Unsuitable> {
    let stream = Fragments::open(wanted)?.frame()?;
    let format = wanted.format;
    codec.check_size(stream.len(), format).map_err(|fault| told(wanted, fault))?;
    let samples = match codec {
        Codec::Uncompressed => native(stream, format),
        Codec::Deflated => inflate(&stream, format).and_then(|bytes| native(bytes, format)),
        Codec::Rle => rle::decode(&stream, format),
        Codec::Jpeg => jpeg::decode(&stream, format),
        Codec::JpegXl => jpegxl::decode(&stream, format),
        Codec::JpegLs => jpegls::decode(&stream, format),
        Codec::Jpeg2000 => jpeg2000::decode(&stream, format),
    };
    let samples = samples.map_err(|fault| told(wanted, fault))?;
    let expected = format.frame_bytes();
    if samples.bytes.len() == expected {
        return Ok(samples);
    }
    Err(told(wanted, DecodeFault::Short(samples.bytes.len())))
}

fn told(wanted: &Wanted<'_>, fault: DecodeFault) -> Unsuitable {
    let frame = wanted.frame_index + 1;
    let syntax = &wanted.instance.identity.transfer_syntax;
    match fault {
        DecodeFault::Unsupported(why) => {
            let detail = format!("{syntax} ({}): {why}", name(syntax));
            wanted.fault(UnsuitableCode::UndecodableTransferSyntax, &detail)
        }
        DecodeFault::Broken(why) => {
            wanted.fault(UnsuitableCode::Unreadable, &format!("frame {frame} ({syntax}): {why}"))
        }
        DecodeFault::Short(found) => {
            wanted.truncated(wanted.format.frame_bytes() as u64, found as u64)
        }
    }
}

/// Uncompressed samples in fragments are little endian (PS3.5 §A.4.11); each frame begins with a byte of its own.
fn native(bytes: Vec<u8>, format: &Format) -> Result<Samples, DecodeFault> {
    let found = bytes.len();
    let bytes = arranged(bytes, format, 0).ok_or(DecodeFault::Short(found))?;
    Ok(Samples { bytes, photometric: format.photometric.full_resolution() })
}

fn inflate(stream: &[u8], format: &Format) -> Result<Vec<u8>, DecodeFault> {
    let mut bytes = Vec::new();
    let length = format.native_bits().div_ceil(8);
    let read = DeflateDecoder::new(stream).take(length).read_to_end(&mut bytes);
    read.map_err(|error| DecodeFault::Broken(error.to_string()))?;
    Ok(bytes)
}

/// The fragments of an instance, in its file.
struct Fragments<'a> {
    wanted: &'a Wanted<'a>,
    file: File,
    file_bytes: u64,
}

impl<'a> Fragments<'a> {
    fn open(wanted: &'a Wanted<'a>) -> Result<Self, Unsuitable> {
        if wanted.at.length.is_some() {
            let detail = "compressed Pixel Data of defined length";
            return Err(wanted.fault(UnsuitableCode::Unreadable, detail));
        }
        let file = wanted.open()?;
        let file_bytes = file.metadata().map_err(|error| wanted.unreadable(&error))?.len();
        Ok(Self { wanted, file, file_bytes })
    }

    /// The code stream of the wanted frame.
    fn frame(&mut self) -> Result<Vec<u8>, Unsuitable> {
        let Wanted { instance, frame_index, .. } = *self.wanted;
        let span = found::span(instance, frame_index, || self.spans())?;
        span.map_or_else(|| Err(self.wanted.truncated(1, 0)), |span| self.between(span))
    }

    /// Where the frames are. All of them are looked for at once: to find one takes a walk from the first.
    fn spans(&mut self) -> Result<Vec<Span>, Unsuitable> {
        let Some(table) = self.item(self.wanted.at.offset)? else {
            return Err(self
                .wanted
                .fault(UnsuitableCode::Unreadable, "no Basic Offset Table item"));
        };
        let first = table.end();
        if self.wanted.instance.frame_count == 1 {
            return Ok(vec![Span { start: first, end: u64::MAX }]);
        }
        let offsets = match self.extended_offsets() {
            Some(offsets) => offsets,
            None => self.basic_offsets(table)?,
        };
        // Frames follow one another; a table in which they do not says nothing.
        if offsets.is_empty() || !offsets.is_sorted_by(|a, b| a < b) {
            return self.one_each(first);
        }
        let starts = offsets.into_iter().map(|offset| first.saturating_add(offset));
        let ends = starts.clone().skip(1).chain([u64::MAX]);
        Ok(starts.zip(ends).map(|(start, end)| Span { start, end }).collect())
    }

    /// Extended Offset Table (7FE0,0001).
    fn extended_offsets(&self) -> Option<Vec<u64>> {
        let element = self.wanted.instance.header.get(tags::EXTENDED_OFFSET_TABLE)?;
        let Element { value: Value::Bytes(bytes), .. } = element else { return None };
        let offsets: Vec<u64> =
            bytes.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
        (offsets.len() == self.wanted.instance.frame_count).then_some(offsets)
    }

    fn basic_offsets(&mut self, table: Item) -> Result<Vec<u64>, Unsuitable> {
        let frames = self.wanted.instance.frame_count;
        // A table for another number of frames says nothing.
        if table.length != 4 * frames as u64 {
            return Ok(Vec::new());
        }
        let bytes = self.value(table)?;
        let offset = |bytes: &[u8; 4]| u64::from(u32::from_le_bytes(*bytes));
        Ok(bytes.as_chunks::<4>().0.iter().map(offset).collect())
    }

    /// Without a table each frame has one fragment, or nobody can tell.
    fn one_each(&mut self, first: u64) -> Result<Vec<Span>, Unsuitable> {
        let (mut at, mut spans) = (first, Vec::new());
        while let Some(item) = self.item(at)? {
            spans.push(Span { start: at, end: item.end() });
            at = item.end();
            self.check_count(spans.len())?;
        }
        let (frames, count) = (self.wanted.instance.frame_count, spans.len());
        if count == frames {
            return Ok(spans);
        }
        let detail = format!("{frames} frames in {count} fragments, and no offset table");
        Err(self.wanted.fault(UnsuitableCode::Unreadable, &detail))
    }

    /// All fragments of a span, as one.
    fn between(&mut self, span: Span) -> Result<Vec<u8>, Unsuitable> {
        let (mut stream, mut at, mut count) = (Vec::new(), span.start, 0);
        while at < span.end {
            let Some(item) = self.item(at)? else { break };
            self.check_length(stream.len() as u64 + item.length)?;
            stream.append(&mut self.value(item)?);
            at = item.end();
            count += 1;
            self.check_count(count)?;
        }
        if stream.is_empty() { Err(self.wanted.truncated(1, 0)) } else { Ok(stream) }
    }

    /// Before a fragment is read: nothing holds a file of any length in memory for the sake of a small frame.
    fn check_length(&self, stream_bytes: u64) -> Result<(), Unsuitable> {
        let frame_bytes = self.wanted.format.frame_bytes();
        let most = frame_bytes.saturating_mul(STREAM_FACTOR).saturating_add(STREAM_FREE) as u64;
        if stream_bytes <= most {
            return Ok(());
        }
        let detail =
            format!("a code stream of more than {most} bytes for a frame of {frame_bytes}");
        Err(self.wanted.fault(UnsuitableCode::Unreadable, &detail))
    }

    fn check_count(&self, count: usize) -> Result<(), Unsuitable> {
        if count <= FRAGMENTS_MAX {
            return Ok(());
        }
        let detail = format!("more than {FRAGMENTS_MAX} fragments");
        Err(self.wanted.fault(UnsuitableCode::Unreadable, &detail))
    }

    /// The item at a place in the file; `None` at the Sequence Delimitation Item.
    fn item(&mut self, at: u64) -> Result<Option<Item>, Unsuitable> {
        let mut header = [0; ITEM_HEADER_BYTES];
        let found = self.read(at, &mut header)?;
        if found < header.len() {
            let end = |bytes: usize| at.saturating_add(bytes as u64);
            return Err(self.wanted.truncated(end(header.len()), end(found)));
        }
        let [t0, t1, t2, t3, l0, l1, l2, l3] = header;
        let length = u64::from(u32::from_le_bytes([l0, l1, l2, l3]));
        match [t0, t1, t2, t3] {
            [0xFE, 0xFF, 0xDD, 0xE0] => Ok(None),
            [0xFE, 0xFF, 0x00, 0xE0] => {
                let item = Item { value: at.saturating_add(ITEM_HEADER_BYTES as u64), length };
                if item.end() > self.file_bytes {
                    return Err(self.wanted.truncated(item.end(), self.file_bytes));
                }
                Ok(Some(item))
            }
            _ => {
                let detail = format!("no fragment at byte {at}");
                Err(self.wanted.fault(UnsuitableCode::Unreadable, &detail))
            }
        }
    }

    /// Its length was checked against the file's.
    fn value(&mut self, item: Item) -> Result<Vec<u8>, Unsuitable> {
        let length = usize::try_from(item.length).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length];
        let found = self.read(item.value, &mut bytes)?;
        if found < length {
            return Err(self.wanted.truncated(item.length, found as u64));
        }
        Ok(bytes)
    }

    fn read(&mut self, at: u64, buffer: &mut [u8]) -> Result<usize, Unsuitable> {
        let found =
            self.file.seek(SeekFrom::Start(at)).and_then(|_| read_up_to(&mut self.file, buffer));
        found.map_err(|error| self.wanted.unreadable(&error))
    }
}

/// A fragment in the file.
#[derive(Debug, Clone, Copy)]
struct Item {
    /// Where its value begins.
    value: u64,
    length: u64,
}

impl Item {
    fn end(self) -> u64 {
        self.value.saturating_add(self.length)
    }
}

//! The tokenizer under everything that reads: bytes in, elements out, nothing believed that is not there.

use dicom_core::Tag as DictionaryTag;
use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_dictionary_std::StandardDataDictionary;
use domain::Tag;

use crate::{DataSet, Element, Encoding, ReadError, ReadLimits, Value, Vr};

const ITEM: Tag = Tag::new(0xFFFE, 0xE000);
const ITEM_DELIMITATION: Tag = Tag::new(0xFFFE, 0xE00D);
const SEQUENCE_DELIMITATION: Tag = Tag::new(0xFFFE, 0xE0DD);
const UNDEFINED: u32 = u32::MAX;

/// Why reading cannot go on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// The bytes end within an element.
    Cut,
    /// The bytes are no data set.
    Fault(ReadError),
}

type Step<T> = Result<T, Halt>;

/// An element's tag, VR and length, and where they stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ElementHeader {
    pub(crate) tag: Tag,
    pub(crate) vr: Vr,
    /// `None` for an undefined length.
    pub(crate) length: Option<usize>,
    pub(crate) offset: usize,
}

/// A position in bytes, and how they are to be read.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    implicit: bool,
    big: bool,
    limits: &'a ReadLimits,
    /// Elements and items so far.
    elements: usize,
    /// Where what was wanted last and was not there would have ended.
    missing: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the first byte. Deflated bytes have to be inflated before.
    pub(crate) fn new(bytes: &'a [u8], encoding: Encoding, limits: &'a ReadLimits) -> Self {
        let implicit = encoding == Encoding::ImplicitLittle;
        let big = encoding == Encoding::ExplicitBig;
        Self { bytes, at: 0, implicit, big, limits, elements: 0, missing: 0 }
    }

    /// Where the next byte is read.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    /// Having come to the end of the bytes, whether it could go on only with more than `bytes_max` in all.
    pub(crate) fn needs_more_than(&self, bytes_max: usize) -> bool {
        self.missing > bytes_max || self.bytes.len() >= bytes_max
    }

    /// Reads elements into `data_set` until `stop_before`, whose offset is given back, or to the end of the bytes.
    pub(crate) fn top_level(
        &mut self,
        data_set: &mut DataSet,
        stop_before: Tag,
    ) -> Step<Option<usize>> {
        while self.at < self.bytes.len() {
            let offset = self.at;
            let tag = Tag::new(self.u16()?, self.u16()?);
            self.at = offset;
            if tag >= stop_before && tag.group != 0xFFFE {
                return Ok(Some(offset));
            }
            let header = self.header()?;
            self.element(header, data_set, 0)?;
        }
        Ok(None)
    }

    /// Reads tag, VR and length.
    pub(crate) fn header(&mut self) -> Step<ElementHeader> {
        let offset = self.at;
        let tag = Tag::new(self.u16()?, self.u16()?);
        let (vr, length) = if tag.group == 0xFFFE {
            (Vr::UN, self.u32()?)
        } else if self.implicit {
            (dictionary_vr(tag), self.u32()?)
        } else {
            self.explicit_vr()?
        };
        let length = (length != UNDEFINED).then_some(length as usize);
        Ok(ElementHeader { tag, vr, length, offset })
    }

    fn explicit_vr(&mut self) -> Step<(Vr, u32)> {
        let offset = self.at;
        let letters = [self.u8()?, self.u8()?];
        if !letters.iter().all(u8::is_ascii_uppercase) {
            return Err(Halt::Fault(ReadError::NoVr { offset }));
        }
        // A VR of a later edition has the long form of the header (PS3.5 §7.1.2), and is kept as bytes.
        let vr = Vr::from_binary(letters);
        if vr.is_some_and(has_short_length) {
            return Ok((vr.unwrap_or(Vr::UN), self.u16()?.into()));
        }
        self.u16()?;
        Ok((vr.unwrap_or(Vr::UN), self.u32()?))
    }

    /// Reads the value behind a header into `data_set`; `depth` is the number of sequences around it.
    fn element(&mut self, header: ElementHeader, data_set: &mut DataSet, depth: usize) -> Step<()> {
        if header.tag.group == 0xFFFE {
            return Err(misplaced(header));
        }
        self.count(header)?;
        match header.length {
            _ if header.vr == Vr::SQ => {
                let items = self.items(header, depth + 1)?;
                data_set.insert(header.tag, Element { vr: Vr::SQ, value: Value::Items(items) });
            }
            // CP-246: UN of undefined length is a sequence in Implicit VR Little Endian.
            None if header.vr == Vr::UN => {
                let items = self.implicit_items(header, depth + 1)?;
                data_set.insert(header.tag, Element { vr: Vr::SQ, value: Value::Items(items) });
            }
            None => self.skip_fragments(header)?,
            Some(length) => self.value(header, length, data_set)?,
        }
        Ok(())
    }

    fn value(&mut self, header: ElementHeader, length: usize, data_set: &mut DataSet) -> Step<()> {
        let bytes = self.take(length)?;
        // Group lengths are retired (PS3.5 §7.2) and wrong as soon as anything is copied.
        if length <= self.limits.value_bytes_max && header.tag.element != 0 {
            let mut bytes = bytes.to_vec();
            if self.big {
                swap(&mut bytes, header.vr);
            }
            data_set.insert(header.tag, Element { vr: header.vr, value: Value::Bytes(bytes) });
        }
        Ok(())
    }

    fn implicit_items(&mut self, header: ElementHeader, depth: usize) -> Step<Vec<DataSet>> {
        let (implicit, big) = (self.implicit, self.big);
        (self.implicit, self.big) = (true, false);
        let items = self.items(header, depth);
        (self.implicit, self.big) = (implicit, big);
        items
    }

    fn items(&mut self, sequence: ElementHeader, depth: usize) -> Step<Vec<DataSet>> {
        if depth > self.limits.depth_max {
            let depth_max = self.limits.depth_max;
            return Err(Halt::Fault(ReadError::TooDeep { depth_max, offset: sequence.offset }));
        }
        let end = self.end_of(sequence)?;
        let mut items = Vec::new();
        while end.is_none_or(|end| self.at < end) {
            let header = self.header()?;
            if end.is_none() && header.tag == SEQUENCE_DELIMITATION {
                break;
            }
            if header.tag != ITEM {
                return Err(misplaced(header));
            }
            items.push(self.item(header, depth)?);
            self.check_end(sequence, end)?;
        }
        Ok(items)
    }

    fn item(&mut self, item: ElementHeader, depth: usize) -> Step<DataSet> {
        self.count(item)?;
        let end = self.end_of(item)?;
        let mut data_set = DataSet::new();
        while end.is_none_or(|end| self.at < end) {
            let header = self.header()?;
            if end.is_none() && header.tag == ITEM_DELIMITATION {
                break;
            }
            self.element(header, &mut data_set, depth)?;
            self.check_end(header, end)?;
        }
        Ok(data_set)
    }

    /// One more element or item: short ones take many times as much memory as bytes.
    fn count(&mut self, header: ElementHeader) -> Step<()> {
        self.elements += 1;
        let elements_max = self.limits.elements_max;
        if self.elements <= elements_max {
            return Ok(());
        }
        Err(Halt::Fault(ReadError::TooMany { elements_max, offset: header.offset }))
    }

    /// Where something of defined length ends; it must end within the bytes.
    fn end_of(&mut self, header: ElementHeader) -> Step<Option<usize>> {
        header.length.map(|length| self.reach(length)).transpose()
    }

    /// Where `length` bytes from here end; they must be there.
    fn reach(&mut self, length: usize) -> Step<usize> {
        let end = self.at.saturating_add(length);
        if end > self.bytes.len() {
            self.missing = end;
            return Err(Halt::Cut);
        }
        Ok(end)
    }

    fn check_end(&self, header: ElementHeader, end: Option<usize>) -> Step<()> {
        if end.is_some_and(|end| self.at > end) {
            let (tag, offset) = (header.tag, header.offset);
            return Err(Halt::Fault(ReadError::TooLong { tag, offset }));
        }
        Ok(())
    }

    /// Encapsulated values (PS3.5 §A.4) other than the Pixel Data that reading stops at: icons, mostly.
    fn skip_fragments(&mut self, sequence: ElementHeader) -> Step<()> {
        if !matches!(sequence.vr, Vr::OB | Vr::OW) {
            let (tag, offset) = (sequence.tag, sequence.offset);
            return Err(Halt::Fault(ReadError::UndefinedLength { tag, offset }));
        }
        loop {
            let header = self.header()?;
            match header.length {
                _ if header.tag == SEQUENCE_DELIMITATION => return Ok(()),
                Some(length) if header.tag == ITEM => {
                    self.take(length)?;
                }
                Some(_) | None => return Err(misplaced(header)),
            }
        }
    }

    fn take(&mut self, length: usize) -> Step<&'a [u8]> {
        let end = self.reach(length)?;
        let taken = self.bytes.get(self.at..end).ok_or(Halt::Cut)?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Step<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| Halt::Cut)
    }

    fn u8(&mut self) -> Step<u8> {
        self.array().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Step<u16> {
        let bytes = self.array()?;
        Ok(if self.big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn u32(&mut self) -> Step<u32> {
        let bytes = self.array()?;
        Ok(if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }
}

fn misplaced(header: ElementHeader) -> Halt {
    Halt::Fault(ReadError::Misplaced { tag: header.tag, offset: header.offset })
}

/// What PS3.6 says; private and unknown attributes are UN. Where it leaves a choice, the common one.
fn dictionary_vr(tag: Tag) -> Vr {
    let entry = StandardDataDictionary.by_tag(DictionaryTag(tag.group, tag.element));
    entry.map_or(Vr::UN, |entry| entry.vr().relaxed())
}

/// VRs whose length has 16 bits in explicit encodings (PS3.5 §7.1.2).
pub(crate) fn has_short_length(vr: Vr) -> bool {
    !matches!(
        vr,
        Vr::OB
            | Vr::OD
            | Vr::OF
            | Vr::OL
            | Vr::OV
            | Vr::OW
            | Vr::SQ
            | Vr::SV
            | Vr::UC
            | Vr::UN
            | Vr::UR
            | Vr::UT
            | Vr::UV
    )
}

/// From big to little endian.
fn swap(bytes: &mut [u8], vr: Vr) {
    let width = if matches!(vr, Vr::US | Vr::SS | Vr::OW | Vr::AT) {
        2
    } else if matches!(vr, Vr::UL | Vr::SL | Vr::FL | Vr::OL | Vr::OF) {
        4
    } else if matches!(vr, Vr::FD | Vr::OD | Vr::OV | Vr::SV | Vr::UV) {
        8
    } else {
        return;
    };
    bytes.chunks_exact_mut(width).for_each(<[u8]>::reverse);
}

//! A second, independent writer of data sets, in every encoding and with every way to write lengths.

use dataset::{DataSet, Value, Vr};
use domain::Tag;

/// How the test writer writes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    /// Explicit VR; implicit otherwise.
    pub(crate) explicit: bool,
    /// Big endian; little otherwise.
    pub(crate) big: bool,
    /// Sequences and items of undefined length; defined otherwise.
    pub(crate) undefined: bool,
}

/// The four forms that differ in kind.
pub(crate) const FORMS: [Form; 4] = [
    Form { explicit: true, big: false, undefined: false },
    Form { explicit: true, big: false, undefined: true },
    Form { explicit: false, big: false, undefined: true },
    Form { explicit: true, big: true, undefined: true },
];

impl Form {
    /// Two bytes in this form's order.
    pub(crate) fn u16(self, number: u16) -> [u8; 2] {
        if self.big { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    /// Four bytes in this form's order.
    pub(crate) fn u32(self, number: u32) -> [u8; 4] {
        if self.big { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    /// Tag, VR and length.
    pub(crate) fn header(self, tag: Tag, vr: Vr, length: u32) -> Vec<u8> {
        let mut bytes = [self.u16(tag.group), self.u16(tag.element)].concat();
        if !self.explicit || tag.group == 0xFFFE {
            bytes.extend(self.u32(length));
            return bytes;
        }
        bytes.extend(vr.to_string().as_bytes());
        if LONG.contains(&vr) {
            bytes.extend([0, 0]);
            bytes.extend(self.u32(length));
        } else {
            bytes.extend(self.u16(u16::try_from(length).unwrap()));
        }
        bytes
    }

    /// The data set.
    pub(crate) fn write(self, data_set: &DataSet) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (tag, element) in data_set.iter() {
            match &element.value {
                Value::Bytes(value) => {
                    bytes.extend(self.header(*tag, element.vr, length(value)));
                    bytes.extend(self.ordered(value, element.vr));
                }
                Value::Items(items) => bytes.extend(self.sequence(*tag, items)),
            }
        }
        bytes
    }

    fn sequence(self, tag: Tag, items: &[DataSet]) -> Vec<u8> {
        let item = |item: &DataSet| {
            let content = self.write(item);
            let end = self.header(Tag::new(0xFFFE, 0xE00D), Vr::UN, 0);
            let declared = if self.undefined { u32::MAX } else { length(&content) };
            let start = self.header(Tag::new(0xFFFE, 0xE000), Vr::UN, declared);
            if self.undefined { [start, content, end].concat() } else { [start, content].concat() }
        };
        let content = items.iter().map(item).collect::<Vec<_>>().concat();
        let end = self.header(Tag::new(0xFFFE, 0xE0DD), Vr::UN, 0);
        let declared = if self.undefined { u32::MAX } else { length(&content) };
        let start = self.header(tag, Vr::SQ, declared);
        if self.undefined { [start, content, end].concat() } else { [start, content].concat() }
    }

    fn ordered(self, value: &[u8], vr: Vr) -> Vec<u8> {
        let width = WIDTHS.iter().find(|(vrs, _)| vrs.contains(&vr)).map_or(1, |(_, width)| *width);
        if !self.big {
            return value.to_vec();
        }
        value.chunks(width).flat_map(|chunk| chunk.iter().rev().copied()).collect()
    }
}

const LONG: [Vr; 13] = [
    Vr::OB,
    Vr::OD,
    Vr::OF,
    Vr::OL,
    Vr::OV,
    Vr::OW,
    Vr::SQ,
    Vr::SV,
    Vr::UC,
    Vr::UN,
    Vr::UR,
    Vr::UT,
    Vr::UV,
];

const WIDTHS: [(&[Vr], usize); 3] = [
    (&[Vr::US, Vr::SS, Vr::OW, Vr::AT], 2),
    (&[Vr::UL, Vr::SL, Vr::FL, Vr::OF, Vr::OL], 4),
    (&[Vr::FD, Vr::OD, Vr::SV, Vr::UV, Vr::OV], 8),
];

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap()
}

//! Writing: Explicit VR Little Endian with defined lengths (PS3.5 §7.1.2), and the DICOM file around it (PS3.10 §7).

use std::io::{self, Write};

use domain::{AeTitle, Tag, derive_uid};

use crate::reader::has_short_length;
use crate::{DataSet, Element, FileMeta, Value, Vr, tags};

const ITEM_HEADER: [u8; 4] = [0xFE, 0xFF, 0x00, 0xE0];
const PREAMBLE_BYTES: usize = 128;

/// Whether elements are written with their value representation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Explicit,
    Implicit,
}

/// The data set as bytes, in Explicit VR Little Endian.
#[must_use]
pub fn encode(data_set: &DataSet) -> Vec<u8> {
    encode_form(data_set, Form::Explicit)
}

/// The data set as bytes, in Implicit VR Little Endian.
#[must_use]
pub fn encode_implicit(data_set: &DataSet) -> Vec<u8> {
    encode_form(data_set, Form::Implicit)
}

fn encode_form(data_set: &DataSet, form: Form) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(encoded_bytes(data_set, form));
    append(data_set, form, &mut bytes);
    bytes
}

/// Writes the data set; Pixel Data is handed over in one piece, not copied.
///
/// # Errors
/// Those of `to`.
pub fn encode_into(data_set: &DataSet, to: &mut impl Write) -> io::Result<()> {
    for (tag, element) in data_set.iter() {
        let mut head = Vec::new();
        append_header(*tag, element, Form::Explicit, &mut head);
        match &element.value {
            Value::Bytes(bytes) => {
                to.write_all(&head)?;
                to.write_all(bytes)?;
            }
            Value::Items(items) => {
                append_items(items, Form::Explicit, &mut head);
                to.write_all(&head)?;
            }
        }
    }
    Ok(())
}

/// A whole file: preamble, file meta information, data set. `meta` must name Explicit VR Little Endian.
#[must_use]
pub fn encode_file(meta: &FileMeta, data_set: &DataSet) -> Vec<u8> {
    let mut file = file_meta_bytes(meta);
    file.reserve_exact(encoded_bytes(data_set, Form::Explicit));
    append(data_set, Form::Explicit, &mut file);
    file
}

/// Preamble, prefix and file meta information (PS3.10 §7.1), up to the first byte of the data set.
#[must_use]
pub fn file_meta_bytes(meta: &FileMeta) -> Vec<u8> {
    let group = encode(&meta_group(meta));
    let mut length = DataSet::new();
    let group_bytes = u32::try_from(group.len()).unwrap_or(u32::MAX);
    length.put_u32s(tags::FILE_META_INFORMATION_GROUP_LENGTH, &[group_bytes]);
    let mut bytes = vec![0; PREAMBLE_BYTES];
    bytes.extend_from_slice(b"DICM");
    append(&length, Form::Explicit, &mut bytes);
    bytes.extend_from_slice(&group);
    bytes
}

fn meta_group(meta: &FileMeta) -> DataSet {
    let mut group = DataSet::new();
    group.put_bytes(tags::FILE_META_INFORMATION_VERSION, Vr::OB, vec![0, 1]);
    group.put_uid(tags::MEDIA_STORAGE_SOP_CLASS_UID, meta.sop_class.as_str());
    group.put_uid(tags::MEDIA_STORAGE_SOP_INSTANCE_UID, meta.sop_instance.as_str());
    group.put_uid(tags::TRANSFER_SYNTAX_UID, meta.transfer_syntax.as_str());
    group.put_uid(tags::IMPLEMENTATION_CLASS_UID, &derive_uid(&["implementation class"]));
    group.put_text(tags::IMPLEMENTATION_VERSION_NAME, Vr::SH, "PARSENODE_0.1");
    let title = |title: &Option<AeTitle>| title.as_ref().map(|title| title.as_str().to_owned());
    if let Some(title) = title(&meta.sending_ae) {
        group.put_text(tags::SENDING_APPLICATION_ENTITY_TITLE, Vr::AE, &title);
    }
    if let Some(title) = title(&meta.receiving_ae) {
        group.put_text(tags::RECEIVING_APPLICATION_ENTITY_TITLE, Vr::AE, &title);
    }
    group
}

fn append(data_set: &DataSet, form: Form, to: &mut Vec<u8>) {
    for (tag, element) in data_set.iter() {
        append_header(*tag, element, form, to);
        match &element.value {
            Value::Bytes(bytes) => {
                to.extend_from_slice(bytes);
                to.extend(padding(bytes));
            }
            Value::Items(items) => append_items(items, form, to),
        }
    }
}

fn append_items(items: &[DataSet], form: Form, to: &mut Vec<u8>) {
    for item in items {
        to.extend_from_slice(&ITEM_HEADER);
        to.extend_from_slice(&length_bytes(encoded_bytes(item, form)));
        append(item, form, to);
    }
}

fn append_header(tag: Tag, element: &Element, form: Form, to: &mut Vec<u8>) {
    let length = value_bytes(element, form);
    to.extend_from_slice(&tag.group.to_le_bytes());
    to.extend_from_slice(&tag.element.to_le_bytes());
    if form == Form::Implicit {
        to.extend_from_slice(&length_bytes(length));
        return;
    }
    let vr = written_vr(element, length);
    to.extend_from_slice(vr.to_string().as_bytes());
    match u16::try_from(length) {
        Ok(short) if has_short_length(vr) => to.extend_from_slice(&short.to_le_bytes()),
        Ok(_) | Err(_) => {
            to.extend_from_slice(&[0, 0]);
            to.extend_from_slice(&length_bytes(length));
        }
    }
}

/// A value too long for its VR's 16-bit length goes as UN (PS3.5 §6.2.2).
fn written_vr(element: &Element, length: usize) -> Vr {
    let too_long = has_short_length(element.vr) && length > usize::from(u16::MAX);
    if too_long { Vr::UN } else { element.vr }
}

/// Defined lengths end at 2^32 - 2; the callers' limits are far below it.
fn length_bytes(length: usize) -> [u8; 4] {
    debug_assert!(length < u32::MAX as usize, "a defined length");
    u32::try_from(length).unwrap_or(u32::MAX - 1).to_le_bytes()
}

fn padding(bytes: &[u8]) -> Option<u8> {
    (bytes.len() % 2 == 1).then_some(0)
}

fn value_bytes(element: &Element, form: Form) -> usize {
    match &element.value {
        Value::Bytes(bytes) => bytes.len() + bytes.len() % 2,
        Value::Items(items) => items.iter().map(|item| 8 + encoded_bytes(item, form)).sum(),
    }
}

fn encoded_bytes(data_set: &DataSet, form: Form) -> usize {
    let of = |element: &Element| {
        let length = value_bytes(element, form);
        let short = form == Form::Implicit || has_short_length(written_vr(element, length));
        length + if short { 8 } else { 12 }
    };
    data_set.iter().map(|(_, element)| of(element)).sum()
}

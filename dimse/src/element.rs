//! Elements of a command set: group 0000, Implicit VR Little Endian (PS3.7 §6.3.1).

use std::collections::BTreeMap;

use crate::CommandError;

/// Element numbers of group 0000 (PS3.7 §E.1).
pub(crate) mod number {
    pub(crate) const GROUP_LENGTH: u16 = 0x0000;
    pub(crate) const AFFECTED_SOP_CLASS_UID: u16 = 0x0002;
    pub(crate) const REQUESTED_SOP_CLASS_UID: u16 = 0x0003;
    pub(crate) const COMMAND_FIELD: u16 = 0x0100;
    pub(crate) const MESSAGE_ID: u16 = 0x0110;
    pub(crate) const MESSAGE_ID_BEING_RESPONDED_TO: u16 = 0x0120;
    pub(crate) const PRIORITY: u16 = 0x0700;
    pub(crate) const COMMAND_DATA_SET_TYPE: u16 = 0x0800;
    pub(crate) const STATUS: u16 = 0x0900;
    pub(crate) const ERROR_COMMENT: u16 = 0x0902;
    pub(crate) const AFFECTED_SOP_INSTANCE_UID: u16 = 0x1000;
    pub(crate) const REQUESTED_SOP_INSTANCE_UID: u16 = 0x1001;
    pub(crate) const EVENT_TYPE_ID: u16 = 0x1002;
    pub(crate) const ACTION_TYPE_ID: u16 = 0x1008;
}

/// The elements of a command set by element number.
#[derive(Debug, Default)]
pub(crate) struct Elements(BTreeMap<u16, Vec<u8>>);

impl Elements {
    /// From a whole command set.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, CommandError> {
        let mut elements = BTreeMap::new();
        let mut rest = bytes;
        while let Some((head, tail)) = rest.split_first_chunk::<8>() {
            let [a, b, c, d, length @ ..] = *head;
            if u16::from_le_bytes([a, b]) != 0 {
                return Err(CommandError::NotGroup0000);
            }
            let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
            let (value, tail) = tail.split_at_checked(length).ok_or(CommandError::Cut)?;
            elements.insert(u16::from_le_bytes([c, d]), value.to_vec());
            rest = tail;
        }
        if rest.is_empty() { Ok(Self(elements)) } else { Err(CommandError::Cut) }
    }

    /// The command set, with its group length.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for (number, value) in &self.0 {
            put(&mut body, *number, value);
        }
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::new();
        put(&mut bytes, number::GROUP_LENGTH, &length.to_le_bytes());
        bytes.append(&mut body);
        bytes
    }

    /// A value of VR US.
    pub(crate) fn us(&self, number: u16) -> Option<u16> {
        self.0.get(&number)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
    }

    /// A mandatory value of VR US.
    pub(crate) fn need_us(&self, number: u16) -> Result<u16, CommandError> {
        self.us(number).ok_or(CommandError::Missing(number))
    }

    /// A text or UID without padding; `None` when it is absent.
    pub(crate) fn text(&self, number: u16) -> Option<String> {
        self.0.get(&number).map(|value| crate::item::text(value))
    }

    /// Sets a value of VR US.
    pub(crate) fn put_us(&mut self, number: u16, value: u16) {
        self.0.insert(number, value.to_le_bytes().to_vec());
    }

    /// Sets a UID.
    pub(crate) fn put_uid(&mut self, number: u16, uid: &str) {
        self.put_padded(number, uid, 0);
    }

    /// Sets a text.
    pub(crate) fn put_text(&mut self, number: u16, text: &str) {
        self.put_padded(number, text, b' ');
    }

    fn put_padded(&mut self, number: u16, text: &str, padding: u8) {
        let mut value = text.as_bytes().to_vec();
        if value.len() % 2 == 1 {
            value.push(padding);
        }
        self.0.insert(number, value);
    }
}

fn put(out: &mut Vec<u8>, number: u16, value: &[u8]) {
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(value);
}

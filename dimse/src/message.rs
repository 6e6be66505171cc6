//! Puts fragments together to commands, and tells which bytes belong to which data set (PS3.7 §8.1, PS3.8 Annex E).
//!
//! A pure machine. One message at a time: operations may be outstanding, their messages are never mixed.

use crate::pieces::Pieces;
use crate::{Command, CommandError, Fragment, FragmentKind, ProtocolError};

/// Longest command set, in bytes. The longest that PS3.7 can need has far below 2 KiB.
const COMMAND_BYTES_MAX: usize = 16 * 1024;

/// What a fragment brought.
#[derive(Debug, PartialEq, Eq)]
pub enum MessageEvent<'a> {
    /// A command set is complete.
    Command {
        /// Presentation Context ID.
        context_id: u8,
        /// The command.
        command: Command,
    },
    /// Bytes of the data set of the last command.
    DataSet {
        /// The bytes, perhaps none.
        bytes: Pieces<'a>,
        /// The data set is complete with them.
        is_end: bool,
    },
}

#[derive(Debug)]
enum State {
    /// No message has begun that has not ended.
    Idle,
    /// Fragments of a command set came, and not yet the last one.
    Command { context_id: u8 },
    /// The command set is complete; its data set is not.
    DataSet { context_id: u8 },
}

/// The machine: one per Association and direction.
#[derive(Debug)]
pub struct MessageReader {
    state: State,
    command: Vec<u8>,
    /// Fragments without a byte since the message began.
    empty_fragments: usize,
}

/// Most fragments of a message that have no bytes and are not its last. The standard does not forbid them (PS3.8 §E.2); they are work
/// and nothing else.
const EMPTY_FRAGMENTS_MAX: usize = 64;

impl Default for MessageReader {
    fn default() -> Self {
        Self::new()
    }
}

impl MessageReader {
    /// A machine before the first message.
    #[must_use]
    pub fn new() -> Self {
        Self { state: State::Idle, command: Vec::new(), empty_fragments: 0 }
    }

    /// No message has begun that has not ended.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// Takes bytes of `fragment`, and perhaps of some before it that were not the last; `ends` when the fragment, which may come in
    /// parts, ends with them.
    ///
    /// # Errors
    /// [`ProtocolError`] when messages are mixed, or a command set cannot be read.
    pub fn on_fragment<'a>(
        &mut self,
        fragment: Fragment,
        bytes: impl Into<Pieces<'a>>,
        ends: bool,
    ) -> Result<Option<MessageEvent<'a>>, ProtocolError> {
        let bytes = bytes.into();
        let is_end = ends && fragment.is_last;
        self.count_empty(bytes.is_empty() && ends && !is_end)?;
        match (&self.state, fragment.kind) {
            (State::Idle, FragmentKind::DataSet) => {
                Err(ProtocolError::Fragments("a data set came without its command"))
            }
            (State::Command { .. }, FragmentKind::DataSet) => {
                Err(ProtocolError::Fragments("a data set came within a command set"))
            }
            (State::DataSet { .. }, FragmentKind::Command) => {
                Err(ProtocolError::Fragments("a command came within a data set"))
            }
            (State::Command { context_id } | State::DataSet { context_id }, _)
                if *context_id != fragment.context_id =>
            {
                Err(ProtocolError::Fragments("a message changed its presentation context"))
            }
            (State::DataSet { .. }, FragmentKind::DataSet) => {
                if is_end {
                    self.state = State::Idle;
                }
                Ok(Some(MessageEvent::DataSet { bytes, is_end }))
            }
            (State::Idle | State::Command { .. }, FragmentKind::Command) => {
                self.on_command(fragment.context_id, bytes, is_end)
            }
        }
    }

    fn count_empty(&mut self, is_empty: bool) -> Result<(), ProtocolError> {
        if self.is_idle() {
            self.empty_fragments = 0;
        }
        self.empty_fragments = self.empty_fragments.saturating_add(usize::from(is_empty));
        if self.empty_fragments > EMPTY_FRAGMENTS_MAX {
            return Err(ProtocolError::Fragments("a message of empty fragments"));
        }
        Ok(())
    }

    fn on_command<'a>(
        &mut self,
        context_id: u8,
        bytes: Pieces<'_>,
        is_end: bool,
    ) -> Result<Option<MessageEvent<'a>>, ProtocolError> {
        self.command.extend(bytes.iter().flatten());
        if self.command.len() > COMMAND_BYTES_MAX {
            return Err(CommandError::TooLong(COMMAND_BYTES_MAX).into());
        }
        if !is_end {
            self.state = State::Command { context_id };
            return Ok(None);
        }
        let command = Command::decode(&self.command)?;
        self.command.clear();
        self.state =
            if command.has_data_set() { State::DataSet { context_id } } else { State::Idle };
        Ok(Some(MessageEvent::Command { context_id, command }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreRequest;

    fn fragment(kind: FragmentKind, is_last: bool) -> Fragment {
        Fragment { context_id: 1, kind, is_last }
    }

    const COMMAND: FragmentKind = FragmentKind::Command;
    const DATA_SET: FragmentKind = FragmentKind::DataSet;

    fn store() -> Command {
        Command::StoreRequest(StoreRequest {
            message_id: 1,
            sop_class: "1.2".into(),
            sop_instance: "1.3".into(),
            has_data_set: true,
        })
    }

    #[test]
    fn a_command_in_fragments_of_one_byte_and_its_data_set() {
        let mut reader = MessageReader::new();
        let bytes = store().encode();
        let (head, last) = bytes.split_at(bytes.len() - 1);
        for byte in head.chunks(1) {
            assert_eq!(reader.on_fragment(fragment(COMMAND, false), byte, true), Ok(None));
        }
        let command = reader.on_fragment(fragment(COMMAND, true), last, true).unwrap();
        assert_eq!(command, Some(MessageEvent::Command { context_id: 1, command: store() }));
        assert!(!reader.is_idle());
        // The last fragment comes in two parts.
        let part = reader.on_fragment(fragment(DATA_SET, true), b"ab".as_slice(), false).unwrap();
        assert_eq!(
            part,
            Some(MessageEvent::DataSet { bytes: Pieces::from(b"ab".as_slice()), is_end: false })
        );
        let part = reader.on_fragment(fragment(DATA_SET, true), b"c".as_slice(), true).unwrap();
        assert_eq!(
            part,
            Some(MessageEvent::DataSet { bytes: Pieces::from(b"c".as_slice()), is_end: true })
        );
        assert!(reader.is_idle());
    }

    fn error(fragments: &[(Fragment, &[u8])]) -> String {
        let mut reader = MessageReader::new();
        for (fragment, bytes) in fragments {
            if let Err(error) = reader.on_fragment(*fragment, *bytes, true) {
                return error.to_string();
            }
        }
        "none".into()
    }

    #[test]
    fn mixed_messages_are_errors() {
        let store = store().encode();
        let whole = (fragment(COMMAND, true), store.as_slice());
        let begun = (fragment(COMMAND, false), &store[..5]);
        let data = (fragment(DATA_SET, true), b"x".as_slice());
        let other_data = (Fragment { context_id: 3, ..data.0 }, data.1);
        assert_eq!(error(&[data]), "a data set came without its command");
        assert_eq!(error(&[begun, data]), "a data set came within a command set");
        assert_eq!(error(&[whole, whole]), "a command came within a data set");
        assert_eq!(error(&[whole, other_data]), "a message changed its presentation context");
        assert_eq!(error(&[whole, data]), "none");
    }

    #[test]
    fn a_command_set_without_end_is_cut_off() {
        let mut reader = MessageReader::new();
        let piece = [0; 1024];
        for _ in 0..16 {
            assert_eq!(
                reader.on_fragment(fragment(COMMAND, false), piece.as_slice(), true),
                Ok(None)
            );
        }
        let error =
            reader.on_fragment(fragment(COMMAND, false), piece.as_slice(), true).unwrap_err();
        assert_eq!(error, ProtocolError::Command(CommandError::TooLong(16_384)));
    }
}

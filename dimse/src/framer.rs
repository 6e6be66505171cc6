//! Cuts a byte stream into fragments of messages and PDUs (PS3.8 §9.3.1 and §9.3.5): a pure machine.
//!
//! P-DATA-TF is never held: what arrives of a fragment is handed on at once, as a part of the input. Other PDUs are
//! collected whole, below a bound. A length that the peer declares reserves nothing.

use std::ops::Range;

use crate::{Abort, AssociateAccept, AssociateRequest, FragmentKind, ProtocolError, Rejection};

/// Longest A-ASSOCIATE-RQ or -AC that is taken: 128 contexts, each with 58 transfer syntaxes of the longest UID.
const ASSOCIATE_BYTES_MAX: u32 = 512 * 1024;
/// Longest of the other PDUs; each has four bytes, some peers send a few more.
const SHORT_BYTES_MAX: u32 = 64;
/// Item-length, Presentation-context-ID and message control header of a Presentation Data Value.
const PDV_HEADER_BYTES: u32 = 6;

/// What a Presentation Data Value Item says of its fragment (PS3.8 §9.3.5.1 and Annex E).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragment {
    /// Presentation Context ID.
    pub context_id: u8,
    /// Command or data set.
    pub kind: FragmentKind,
    /// The last fragment of its command or data set.
    pub is_last: bool,
}

/// A PDU other than P-DATA-TF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pdu {
    /// A-ASSOCIATE-RQ.
    AssociateRequest(AssociateRequest),
    /// A-ASSOCIATE-AC.
    AssociateAccept(AssociateAccept),
    /// A-ASSOCIATE-RJ.
    AssociateReject(Rejection),
    /// A-RELEASE-RQ.
    ReleaseRequest,
    /// A-RELEASE-RP.
    ReleaseResponse,
    /// A-ABORT.
    Abort(Abort),
}

impl Pdu {
    /// Its name in the standard.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::AssociateRequest(_) => "A-ASSOCIATE-RQ",
            Self::AssociateAccept(_) => "A-ASSOCIATE-AC",
            Self::AssociateReject(_) => "A-ASSOCIATE-RJ",
            Self::ReleaseRequest => "A-RELEASE-RQ",
            Self::ReleaseResponse => "A-RELEASE-RP",
            Self::Abort(_) => "A-ABORT",
        }
    }
}

/// What was found in the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Bytes of a fragment.
    Fragment {
        /// Which fragment.
        fragment: Fragment,
        /// Where in the input they lie; empty only when the fragment is empty.
        bytes: Range<usize>,
        /// The fragment ends with them.
        ends: bool,
    },
    /// A whole PDU.
    Pdu(Pdu),
}

/// What [`Framer::next`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framed {
    /// Bytes of the input that are used up.
    pub used: usize,
    /// What they completed; `None` when all input is used up and more is needed.
    pub part: Option<Part>,
}

/// The machine: one per connection and direction.
#[derive(Debug)]
pub struct Framer {
    p_data_bytes_max: u32,
    state: State,
}

/// Bytes of a header of fixed size while they arrive.
#[derive(Debug, Clone, Copy, Default)]
struct Head {
    bytes: [u8; 6],
    count: usize,
}

#[derive(Debug)]
enum State {
    /// Before or within the six bytes of a PDU header.
    Pdu(Head),
    /// Within a PDU that is collected whole.
    Body { kind: Kind, left: usize, body: Vec<u8> },
    /// Within P-DATA-TF, before or within the six bytes before a fragment.
    Item { head: Head, pdu_left: u32 },
    /// Within a fragment.
    Fragment { fragment: Fragment, left: u32, pdu_left: u32 },
}

/// PDU types but P-DATA-TF (PS3.8 §9.3).
#[derive(Debug, Clone, Copy)]
enum Kind {
    AssociateRequest,
    AssociateAccept,
    AssociateReject,
    ReleaseRequest,
    ReleaseResponse,
    Abort,
}

impl Framer {
    /// A machine before the first PDU; a P-DATA-TF longer than `p_data_bytes_max` is an error.
    #[must_use]
    pub fn new(p_data_bytes_max: u32) -> Self {
        Self { p_data_bytes_max, state: State::Pdu(Head::default()) }
    }

    /// No PDU has begun that has not ended.
    #[must_use]
    pub fn is_between_pdus(&self) -> bool {
        matches!(self.state, State::Pdu(Head { count: 0, .. }))
    }

    /// Looks at `input`, which continues what was used up before, up to the first part that is complete.
    ///
    /// # Errors
    /// [`ProtocolError`]; the machine must then not be used any more.
    pub fn next(&mut self, input: &[u8]) -> Result<Framed, ProtocolError> {
        let mut used = 0;
        loop {
            let rest = input.get(used..).unwrap_or_default();
            let (taken, moved) = self.step(rest)?;
            let from = used;
            used = from.saturating_add(taken);
            match moved {
                Moved::Starved => return Ok(Framed { used, part: None }),
                Moved::On => {}
                Moved::Fragment { fragment, ends } => {
                    let part = Part::Fragment { fragment, bytes: from..used, ends };
                    return Ok(Framed { used, part: Some(part) });
                }
                Moved::Pdu(pdu) => return Ok(Framed { used, part: Some(Part::Pdu(pdu)) }),
            }
        }
    }

    fn step(&mut self, rest: &[u8]) -> Result<(usize, Moved), ProtocolError> {
        match &mut self.state {
            State::Pdu(head) => {
                let taken = head.fill(rest);
                let Some(bytes) = head.full() else { return Ok((taken, Moved::Starved)) };
                self.state = self.begin_pdu(bytes)?;
                Ok((taken, Moved::On))
            }
            State::Body { kind, left, body } => {
                let taken = rest.get(..*left).unwrap_or(rest);
                body.extend_from_slice(taken);
                *left = left.saturating_sub(taken.len());
                if *left > 0 {
                    return Ok((taken.len(), Moved::Starved));
                }
                let pdu = kind.decode(body)?;
                self.state = State::Pdu(Head::default());
                Ok((taken.len(), Moved::Pdu(pdu)))
            }
            State::Item { head, pdu_left } => {
                let taken = head.fill(rest);
                let Some(bytes) = head.full() else { return Ok((taken, Moved::Starved)) };
                self.state = begin_fragment(bytes, *pdu_left)?;
                Ok((taken, Moved::On))
            }
            State::Fragment { fragment, left, pdu_left } => {
                let (taken, ends) = match u32::try_from(rest.len()) {
                    Ok(available) if available < *left => (available, false),
                    Ok(_) | Err(_) => (*left, true),
                };
                if taken == 0 && !ends {
                    return Ok((0, Moved::Starved));
                }
                let moved = Moved::Fragment { fragment: *fragment, ends };
                *left = left.saturating_sub(taken);
                if ends {
                    self.state = State::after_fragment(*pdu_left)?;
                }
                Ok((usize::try_from(taken).unwrap_or(usize::MAX), moved))
            }
        }
    }

    fn begin_pdu(&self, head: [u8; 6]) -> Result<State, ProtocolError> {
        let [pdu_type, _, length @ ..] = head;
        let length = u32::from_be_bytes(length);
        let (kind, name, max) = match pdu_type {
            1 => (Kind::AssociateRequest, "A-ASSOCIATE-RQ", ASSOCIATE_BYTES_MAX),
            2 => (Kind::AssociateAccept, "A-ASSOCIATE-AC", ASSOCIATE_BYTES_MAX),
            3 => (Kind::AssociateReject, "A-ASSOCIATE-RJ", SHORT_BYTES_MAX),
            4 => return self.begin_p_data(length),
            5 => (Kind::ReleaseRequest, "A-RELEASE-RQ", SHORT_BYTES_MAX),
            6 => (Kind::ReleaseResponse, "A-RELEASE-RP", SHORT_BYTES_MAX),
            7 => (Kind::Abort, "A-ABORT", SHORT_BYTES_MAX),
            other => return Err(ProtocolError::UnrecognizedPdu(other)),
        };
        if length > max {
            return Err(ProtocolError::PduTooLong { kind: name, length, max });
        }
        // The bound makes it fit; the body grows as it arrives.
        let left = usize::try_from(length).unwrap_or_default();
        Ok(State::Body { kind, left, body: Vec::new() })
    }

    fn begin_p_data(&self, length: u32) -> Result<State, ProtocolError> {
        let max = self.p_data_bytes_max;
        if length > max {
            return Err(ProtocolError::PduTooLong { kind: "P-DATA-TF", length, max });
        }
        if length < PDV_HEADER_BYTES {
            return Err(ProtocolError::InvalidPdu("P-DATA-TF without a Presentation Data Value"));
        }
        Ok(State::Item { head: Head::default(), pdu_left: length })
    }
}

/// What one step of the machine came to.
enum Moved {
    /// Nothing more can be made of the input.
    Starved,
    /// A header is complete.
    On,
    Fragment {
        fragment: Fragment,
        ends: bool,
    },
    Pdu(Pdu),
}

impl Head {
    /// Takes what it needs off the front of `rest`, and says how much that was.
    fn fill(&mut self, rest: &[u8]) -> usize {
        let room = self.bytes.get_mut(self.count..).unwrap_or_default();
        let taken = room.len().min(rest.len());
        for (to, from) in room.iter_mut().zip(rest) {
            *to = *from;
        }
        self.count = self.count.saturating_add(taken);
        taken
    }

    fn full(&self) -> Option<[u8; 6]> {
        (self.count == self.bytes.len()).then_some(self.bytes)
    }
}

impl State {
    fn after_fragment(pdu_left: u32) -> Result<Self, ProtocolError> {
        match pdu_left {
            0 => Ok(Self::Pdu(Head::default())),
            PDV_HEADER_BYTES.. => Ok(Self::Item { head: Head::default(), pdu_left }),
            _ => Err(ProtocolError::InvalidPdu("bytes behind the last Presentation Data Value")),
        }
    }
}

fn begin_fragment(head: [u8; 6], pdu_left: u32) -> Result<State, ProtocolError> {
    let [length @ .., context_id, control] = head;
    // The length counts context and control; its own four bytes come on top of it in the PDU.
    let length = u32::from_be_bytes(length);
    let left = length.checked_sub(2);
    let pdu_left = length.checked_add(4).and_then(|item| pdu_left.checked_sub(item));
    let (Some(left), Some(pdu_left)) = (left, pdu_left) else {
        return Err(ProtocolError::InvalidPdu("the length of a Presentation Data Value cannot be"));
    };
    let kind = if control & 1 == 1 { FragmentKind::Command } else { FragmentKind::DataSet };
    let fragment = Fragment { context_id, kind, is_last: control & 2 == 2 };
    Ok(State::Fragment { fragment, left, pdu_left })
}

impl Kind {
    fn decode(self, body: &[u8]) -> Result<Pdu, ProtocolError> {
        const SHORT: ProtocolError = ProtocolError::InvalidPdu("a PDU is too short");
        match self {
            Self::AssociateRequest => AssociateRequest::decode(body).map(Pdu::AssociateRequest),
            Self::AssociateAccept => AssociateAccept::decode(body).map(Pdu::AssociateAccept),
            Self::AssociateReject => Rejection::decode(body).map(Pdu::AssociateReject).ok_or(SHORT),
            Self::ReleaseRequest => Ok(Pdu::ReleaseRequest),
            Self::ReleaseResponse => Ok(Pdu::ReleaseResponse),
            Self::Abort => Abort::decode(body).map(Pdu::Abort).ok_or(SHORT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PDataWriter;
    use proptest::prelude::*;

    /// Everything in `input`, fed in pieces of at most `step` bytes.
    fn frame(input: &[u8], step: usize) -> Result<Vec<(Part, Vec<u8>)>, ProtocolError> {
        let mut framer = Framer::new(1000);
        let mut parts = Vec::new();
        for piece in input.chunks(step) {
            let mut rest = piece;
            loop {
                let Framed { used, part } = framer.next(rest)?;
                let Some(part) = part else {
                    assert_eq!(used, rest.len(), "all input is used up when more is needed");
                    break;
                };
                let bytes = match &part {
                    Part::Fragment { bytes, .. } => rest[bytes.clone()].to_vec(),
                    Part::Pdu(_) => vec![],
                };
                parts.push((part, bytes));
                rest = &rest[used..];
            }
        }
        Ok(parts)
    }

    fn error(input: &[u8]) -> ProtocolError {
        let whole = frame(input, input.len()).unwrap_err();
        assert_eq!(frame(input, 1).unwrap_err(), whole);
        whole
    }

    #[test]
    fn two_values_in_a_pdu_and_a_release() {
        // P-DATA-TF of 17 bytes: a last command fragment "abc" on context 1, an empty last data set fragment on 3.
        let mut bytes = b"\x04\0\0\0\0\x0F\0\0\0\x05\x01\x03abc\0\0\0\x02\x03\x02".to_vec();
        bytes.extend_from_slice(&[5, 0, 0, 0, 0, 4, 0, 0, 0, 0]);
        let parts = frame(&bytes, 100).unwrap();
        let command = Fragment { context_id: 1, kind: FragmentKind::Command, is_last: true };
        let data = Fragment { context_id: 3, kind: FragmentKind::DataSet, is_last: true };
        assert_eq!(parts.len(), 3);
        assert_eq!(parts[0].1, b"abc");
        assert_eq!(parts[0].0, Part::Fragment { fragment: command, bytes: 12..15, ends: true });
        assert!(
            matches!(&parts[1].0, Part::Fragment { fragment, ends: true, .. } if *fragment == data)
        );
        assert_eq!(parts[2].0, Part::Pdu(Pdu::ReleaseRequest));
    }

    #[test]
    fn lengths_that_cannot_be() {
        let max = ProtocolError::PduTooLong { kind: "P-DATA-TF", length: u32::MAX, max: 1000 };
        assert_eq!(error(&[4, 0, 0xFF, 0xFF, 0xFF, 0xFF]), max);
        assert!(matches!(error(&[1, 0, 0xFF, 0xFF, 0xFF, 0xFF]), ProtocolError::PduTooLong { .. }));
        assert!(matches!(error(&[7, 0, 0, 1, 0, 0]), ProtocolError::PduTooLong { .. }));
        assert!(matches!(error(&[4, 0, 0, 0, 0, 0]), ProtocolError::InvalidPdu(_)));
        assert!(matches!(error(&[4, 0, 0, 0, 0, 5]), ProtocolError::InvalidPdu(_)));
        // An item of 1 byte; one that is longer than its PDU; three bytes behind the last one.
        assert!(matches!(
            error(b"\x04\0\0\0\0\x06\0\0\0\x01\x01\x03"),
            ProtocolError::InvalidPdu(_)
        ));
        assert!(matches!(
            error(b"\x04\0\0\0\0\x06\xFF\xFF\xFF\xFF\x01\x03"),
            ProtocolError::InvalidPdu(_)
        ));
        assert!(matches!(
            error(b"\x04\0\0\0\0\x09\0\0\0\x02\x01\x03abc"),
            ProtocolError::InvalidPdu(_)
        ));
        assert_eq!(error(b"GET / HTTP/1.1"), ProtocolError::UnrecognizedPdu(b'G'));
    }

    #[test]
    fn the_longest_pdu_is_taken_and_one_more_byte_is_not() {
        let pdu = |length: u32| {
            let value = length - 4;
            let mut bytes = vec![4, 0];
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(&value.to_be_bytes());
            bytes.extend_from_slice(&[1, 2]);
            bytes.resize(6 + length as usize, 7);
            bytes
        };
        assert_eq!(frame(&pdu(1000), 4096).unwrap().len(), 1);
        assert!(frame(&pdu(1001), 4096).is_err());
    }

    proptest! {
        #[test]
        fn a_stream_means_the_same_in_any_pieces(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..700), 1..5),
            step in 1usize..300,
            pdu_bytes in 16u32..1000,
        ) {
            let mut stream = Vec::new();
            for message in &messages {
                PDataWriter::new(1, pdu_bytes).put(&mut stream, FragmentKind::DataSet, message);
            }
            let mut got = vec![vec![]];
            for (part, bytes) in frame(&stream, step).unwrap() {
                got.last_mut().unwrap().extend(bytes);
                if matches!(part, Part::Fragment { fragment, ends: true, .. } if fragment.is_last) {
                    got.push(vec![]);
                }
            }
            prop_assert_eq!(got.pop(), Some(vec![]));
            prop_assert_eq!(got, messages);
        }

        #[test]
        fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..2000), step in 1usize..50) {
            drop(frame(&noise, step));
        }
    }
}

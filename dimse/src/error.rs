//! What can go wrong between two AEs, and with which A-ABORT it is answered.

use std::io;

use thiserror::Error;

use crate::{Abort, CommandError};

/// The peer broke PS3.7 or PS3.8. Answered with A-ABORT.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProtocolError {
    /// A PDU type that PS3.8 Table 9-10 does not have.
    #[error("PDU type {0:02X} does not exist")]
    UnrecognizedPdu(u8),
    /// A PDU that is not expected in this state.
    #[error("{0} is not expected now")]
    UnexpectedPdu(&'static str),
    /// A PDU is longer than was agreed, or than any PDU of its type can be.
    #[error("{kind} of {length} bytes, at most {max} are allowed")]
    PduTooLong {
        /// Name of the PDU type.
        kind: &'static str,
        /// Its PDU-length field.
        length: u32,
        /// The bound.
        max: u32,
    },
    /// A field of a PDU has a value that cannot be.
    #[error("{0}")]
    InvalidPdu(&'static str),
    /// A fragment on a presentation context that was not accepted.
    #[error("presentation context {0} was not accepted")]
    UnknownContext(u8),
    /// Fragments of two messages are mixed, or a data set comes without its command (PS3.7 §8.1).
    #[error("{0}")]
    Fragments(&'static str),
    /// A command set that cannot be understood, so that it cannot be answered.
    #[error("command set: {0}")]
    Command(#[from] CommandError),
}

impl ProtocolError {
    /// The A-ABORT that answers it once an Association is established (PS3.8 §9.3.8, action AA-8).
    #[must_use]
    pub fn abort(&self) -> Abort {
        match self {
            Self::UnrecognizedPdu(_) => Abort::UNRECOGNIZED_PDU,
            Self::UnexpectedPdu(_) => Abort::UNEXPECTED_PDU,
            Self::PduTooLong { .. } | Self::InvalidPdu(_) => Abort::INVALID_PDU_PARAMETER,
            Self::UnknownContext(_) => Abort::UNEXPECTED_PDU_PARAMETER,
            Self::Fragments(_) | Self::Command(_) => Abort::SERVICE_USER,
        }
    }
}

/// An Association cannot go on.
#[derive(Debug, Error)]
pub enum ConnectionError {
    /// The peer broke the protocol.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// Nothing came, or nothing could be sent, for too long.
    #[error("nothing came or went for {} s", .0.as_secs_f32())]
    TimedOut(std::time::Duration),
    /// A message moved on, and too slowly.
    #[error("a message came too slowly for {} s", .0.as_secs_f32())]
    TooSlow(std::time::Duration),
    /// The peer closed the connection where it had to send something.
    #[error("the peer closed the connection")]
    Closed,
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Io(io::Error),
}

impl ConnectionError {
    /// The A-ABORT to send; `None` where nobody is there to read it.
    #[must_use]
    pub fn abort(&self) -> Option<Abort> {
        match self {
            Self::Protocol(error) => Some(error.abort()),
            Self::TimedOut(_) | Self::TooSlow(_) => Some(Abort::SERVICE_PROVIDER),
            Self::Closed | Self::Io(_) => None,
        }
    }
}

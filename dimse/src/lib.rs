//! What both sides of an Association share: PDUs (PS3.8 §9.3), messages and command sets (PS3.7 §9.3), statuses.
//!
//! Everything but [`Connection`] is pure: bytes in, values out, no clock and no socket, so that each rule of the
//! standard can be tested with bytes. The room does not know what an instance is, where it is kept, or who may talk
//! to whom. Read in this order: [`Framer`] cuts a byte stream into fragments and PDUs, [`MessageReader`] puts
//! fragments together to commands and data sets, [`negotiate()`] answers an A-ASSOCIATE-RQ, [`Connection`] does this
//! over a stream with time limits.
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod associate;
mod command;
mod commitment;
mod connection;
mod element;
mod error;
mod framer;
mod identity;
mod implementation;
mod item;
mod message;
mod negotiate;
mod normalized;
mod pdata;
mod pieces;
mod reject;
mod roles;
mod secure;
mod status;
pub mod uids;
mod window;

pub use associate::{
    AssociateAccept, AssociateRequest, ContextAnswer, ContextOutcome, ProposedContext,
    UserInformation,
};
pub use command::{Command, CommandError, OtherRequest, Response, StoreRequest};
pub use commitment::{
    COMMITMENT_FAILURES_EXIST, COMMITMENT_SUCCESSFUL, CommitmentError, REQUEST_STORAGE_COMMITMENT,
    check_commitment_message, commitment_bytes_max, commitment_status, decode_commitment_report,
    decode_commitment_request, encode_commitment_report, encode_commitment_request, event_type_id,
    is_commitment_syntax,
};
pub use connection::{Connection, Incoming, Transport};
pub use error::{ConnectionError, ProtocolError};
pub use framer::{Fragment, Framed, Framer, Part, Pdu};
pub use identity::{IdentityItem, UserIdentity};
pub use implementation::{implementation_class_uid, implementation_version_name};
pub use item::brief;
pub use message::{MessageEvent, MessageReader};
pub use negotiate::{AcceptedContext, Acceptor, Negotiated, negotiate};
pub use normalized::{NormalizedRequest, NormalizedService};
pub use pdata::{FragmentKind, PDataWriter, encode_release_request, encode_release_response};
pub use pieces::Pieces;
pub use reject::{Abort, Rejection, RejectionReason};
pub use roles::{RoleSelection, Roles};
pub use status::{Category, Meaning, STATUSES, Status};
pub use window::OperationsWindow;

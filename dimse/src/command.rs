//! Command sets as values (PS3.7 §9.3 and Annex E).
//!
//! UIDs are text as the peer sent it: a malformed one must be answered with a status, not with silence.

use thiserror::Error;

use crate::element::{Elements, number};
use crate::item::brief;
use crate::{NormalizedRequest, NormalizedService, Status};

/// Command Field of C-STORE-RQ.
const C_STORE: u16 = 0x0001;
/// Command Field of C-ECHO-RQ.
const C_ECHO: u16 = 0x0030;
/// Command Field of C-CANCEL-RQ.
const C_CANCEL: u16 = 0x0FFF;
/// The bit that makes a request's Command Field its response's.
const RESPONSE: u16 = 0x8000;
/// Command Data Set Type: no data set follows. Any other value: one does.
const NO_DATA_SET: u16 = 0x0101;
/// Characters of an Error Comment (VR LO).
const COMMENT_CHARACTERS_MAX: usize = 64;

/// Why a command set cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CommandError {
    /// It ends within an element.
    #[error("it ends within an element")]
    Cut,
    /// An element of another group.
    #[error("it has an element outside of group 0000")]
    NotGroup0000,
    /// A mandatory element is absent or too short.
    #[error("element (0000,{0:04X}) is missing")]
    Missing(u16),
    /// It is longer than any command set needs to be.
    #[error("it is longer than {0} bytes")]
    TooLong(usize),
}

/// C-STORE-RQ (PS3.7 §9.3.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreRequest {
    /// Message ID.
    pub message_id: u16,
    /// Affected SOP Class UID, as sent.
    pub sop_class: String,
    /// Affected SOP Instance UID, as sent.
    pub sop_instance: String,
    /// A data set follows.
    pub has_data_set: bool,
}

/// A request that we know only by its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherRequest {
    /// Command Field.
    pub field: u16,
    /// Message ID.
    pub message_id: u16,
    /// Affected or Requested SOP Class UID, as sent.
    pub sop_class: Option<String>,
    /// A data set follows.
    pub has_data_set: bool,
}

/// Any response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Command Field of the request that it answers.
    pub request_field: u16,
    /// Message ID Being Responded To.
    pub message_id: u16,
    /// Affected SOP Class UID.
    pub sop_class: Option<String>,
    /// Affected SOP Instance UID.
    pub sop_instance: Option<String>,
    /// Action Type ID or Event Type ID, in answers to N-ACTION and N-EVENT-REPORT.
    pub type_id: Option<u16>,
    /// Status.
    pub status: Status,
    /// Error Comment; empty for none. Written, and kept of what came, with at most 64 characters.
    pub comment: String,
    /// A data set follows.
    pub has_data_set: bool,
}

/// A command set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// C-ECHO-RQ (PS3.7 §9.3.5.1).
    EchoRequest {
        /// Message ID.
        message_id: u16,
    },
    /// C-STORE-RQ.
    StoreRequest(StoreRequest),
    /// C-CANCEL-RQ, which is not answered.
    CancelRequest,
    /// N-ACTION-RQ or N-EVENT-REPORT-RQ.
    NormalizedRequest(NormalizedRequest),
    /// Any other request.
    OtherRequest(OtherRequest),
    /// Any response.
    Response(Response),
}

impl Command {
    /// From a whole command set.
    ///
    /// # Errors
    /// [`CommandError`] when it is no command set or lacks what an answer needs.
    pub fn decode(bytes: &[u8]) -> Result<Self, CommandError> {
        let elements = Elements::decode(bytes)?;
        let field = elements.need_us(number::COMMAND_FIELD)?;
        let has_data_set = elements.need_us(number::COMMAND_DATA_SET_TYPE)? != NO_DATA_SET;
        if field & RESPONSE != 0 {
            return Response::decode(&elements, field & !RESPONSE, has_data_set)
                .map(Self::Response);
        }
        if field == C_CANCEL {
            return Ok(Self::CancelRequest);
        }
        let message_id = elements.need_us(number::MESSAGE_ID)?;
        if let Some(service) = NormalizedService::of(field) {
            let request = NormalizedRequest::decode(service, message_id, &elements, has_data_set);
            return Ok(Self::NormalizedRequest(request));
        }
        let sop_class = elements.text(number::AFFECTED_SOP_CLASS_UID);
        let requested = || elements.text(number::REQUESTED_SOP_CLASS_UID);
        match field {
            C_ECHO if !has_data_set => Ok(Self::EchoRequest { message_id }),
            C_STORE => Ok(Self::StoreRequest(StoreRequest {
                message_id,
                sop_class: sop_class.unwrap_or_default(),
                sop_instance: elements.text(number::AFFECTED_SOP_INSTANCE_UID).unwrap_or_default(),
                has_data_set,
            })),
            _ => Ok(Self::OtherRequest(OtherRequest {
                field,
                message_id,
                sop_class: sop_class.or_else(requested),
                has_data_set,
            })),
        }
    }

    /// The command set as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut elements = Elements::default();
        match self {
            Self::EchoRequest { message_id } => {
                put_request(&mut elements, C_ECHO, *message_id, self.has_data_set());
                elements.put_uid(number::AFFECTED_SOP_CLASS_UID, crate::uids::VERIFICATION);
            }
            Self::StoreRequest(request) => request.put(&mut elements),
            Self::CancelRequest => {
                elements.put_us(number::COMMAND_FIELD, C_CANCEL);
                elements.put_us(number::COMMAND_DATA_SET_TYPE, NO_DATA_SET);
            }
            Self::NormalizedRequest(request) => {
                let field = request.service.field();
                put_request(&mut elements, field, request.message_id, request.has_data_set);
                request.put(&mut elements);
            }
            Self::OtherRequest(request) => {
                put_request(&mut elements, request.field, request.message_id, request.has_data_set);
                if let Some(sop_class) = &request.sop_class {
                    elements.put_uid(number::AFFECTED_SOP_CLASS_UID, sop_class);
                }
            }
            Self::Response(response) => response.put(&mut elements),
        }
        elements.encode()
    }

    /// A data set follows.
    #[must_use]
    pub fn has_data_set(&self) -> bool {
        match self {
            Self::EchoRequest { .. } | Self::CancelRequest => false,
            Self::StoreRequest(request) => request.has_data_set,
            Self::NormalizedRequest(request) => request.has_data_set,
            Self::OtherRequest(request) => request.has_data_set,
            Self::Response(response) => response.has_data_set,
        }
    }
}

impl StoreRequest {
    fn put(&self, elements: &mut Elements) {
        put_request(elements, C_STORE, self.message_id, self.has_data_set);
        elements.put_us(number::PRIORITY, 0);
        elements.put_uid(number::AFFECTED_SOP_CLASS_UID, &self.sop_class);
        elements.put_uid(number::AFFECTED_SOP_INSTANCE_UID, &self.sop_instance);
    }
}

impl Response {
    /// The answer to a C-ECHO-RQ: success, or 0122 where its presentation context is not one of Verification (PS3.7 §9.1.5).
    #[must_use]
    pub fn to_echo(message_id: u16, is_verification: bool) -> Self {
        let no = Status::SOP_CLASS_NOT_SUPPORTED;
        Self {
            request_field: C_ECHO,
            message_id,
            sop_class: Some(crate::uids::VERIFICATION.to_owned()),
            sop_instance: None,
            type_id: None,
            status: if is_verification { Status::SUCCESS } else { no },
            comment: String::new(),
            has_data_set: false,
        }
    }

    /// The answer to a C-STORE-RQ. UIDs go back as they came, but not if they are longer than a UID can be.
    #[must_use]
    pub fn to_store(request: &StoreRequest, status: Status, comment: &str) -> Self {
        let uid = |text: &String| (1..=64).contains(&text.len()).then(|| text.clone());
        Self {
            request_field: C_STORE,
            message_id: request.message_id,
            sop_class: uid(&request.sop_class),
            sop_instance: uid(&request.sop_instance),
            type_id: None,
            status,
            comment: comment.to_owned(),
            has_data_set: false,
        }
    }

    /// The answer to a request that we do not know: 0211, unrecognized operation.
    #[must_use]
    pub fn to_other(request: &OtherRequest) -> Self {
        Self {
            request_field: request.field,
            message_id: request.message_id,
            sop_class: request.sop_class.clone().filter(|text| (1..=64).contains(&text.len())),
            sop_instance: None,
            type_id: None,
            status: Status::UNRECOGNIZED_OPERATION,
            comment: String::new(),
            has_data_set: false,
        }
    }

    /// It answers a C-STORE-RQ.
    #[must_use]
    pub fn is_to_store(&self) -> bool {
        self.request_field == C_STORE
    }

    /// It answers a request of this service.
    #[must_use]
    pub fn is_to(&self, service: NormalizedService) -> bool {
        self.request_field == service.field()
    }

    /// It answers a C-ECHO-RQ.
    #[must_use]
    pub fn is_to_echo(&self) -> bool {
        self.request_field == C_ECHO
    }

    fn decode(
        elements: &Elements,
        request_field: u16,
        has_data_set: bool,
    ) -> Result<Self, CommandError> {
        Ok(Self {
            request_field,
            message_id: elements.need_us(number::MESSAGE_ID_BEING_RESPONDED_TO)?,
            sop_class: elements.text(number::AFFECTED_SOP_CLASS_UID),
            sop_instance: elements.text(number::AFFECTED_SOP_INSTANCE_UID),
            type_id: NormalizedService::of(request_field)
                .and_then(|service| elements.us(service.type_number())),
            status: Status(elements.need_us(number::STATUS)?),
            comment: elements
                .text(number::ERROR_COMMENT)
                .map(|comment| brief(&comment).to_owned())
                .unwrap_or_default(),
            has_data_set,
        })
    }

    fn put(&self, elements: &mut Elements) {
        elements.put_us(number::COMMAND_FIELD, self.request_field | RESPONSE);
        elements.put_us(number::MESSAGE_ID_BEING_RESPONDED_TO, self.message_id);
        elements.put_us(number::COMMAND_DATA_SET_TYPE, data_set_type(self.has_data_set));
        elements.put_us(number::STATUS, self.status.0);
        if let Some(sop_class) = &self.sop_class {
            elements.put_uid(number::AFFECTED_SOP_CLASS_UID, sop_class);
        }
        if let Some(sop_instance) = &self.sop_instance {
            elements.put_uid(number::AFFECTED_SOP_INSTANCE_UID, sop_instance);
        }
        let service = NormalizedService::of(self.request_field);
        if let (Some(service), Some(type_id)) = (service, self.type_id) {
            elements.put_us(service.type_number(), type_id);
        }
        if !self.comment.is_empty() {
            elements.put_text(number::ERROR_COMMENT, &comment(&self.comment));
        }
    }
}

fn put_request(elements: &mut Elements, field: u16, message_id: u16, has_data_set: bool) {
    elements.put_us(number::COMMAND_FIELD, field);
    elements.put_us(number::MESSAGE_ID, message_id);
    elements.put_us(number::COMMAND_DATA_SET_TYPE, data_set_type(has_data_set));
}

fn data_set_type(has_data_set: bool) -> u16 {
    if has_data_set { 0x0000 } else { NO_DATA_SET }
}

/// A text as Error Comment: the default character repertoire, no backslash, at most 64 characters.
fn comment(text: &str) -> String {
    let allowed = |c: char| if (c.is_ascii_graphic() && c != '\\') || c == ' ' { c } else { '?' };
    text.chars().map(allowed).take(COMMENT_CHARACTERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn store() -> StoreRequest {
        StoreRequest {
            message_id: 7,
            sop_class: "1.2.840.10008.5.1.4.1.1.2".into(),
            sop_instance: "1.2.3".into(),
            has_data_set: true,
        }
    }

    #[test]
    fn an_echo_request_as_bytes() {
        let want = [
            b"\0\0\0\0\x04\0\0\0\x38\0\0\0".as_slice(), // Group Length: 56
            b"\0\0\x02\0\x12\0\0\x001.2.840.10008.1.1\0", // Affected SOP Class UID
            b"\0\0\0\x01\x02\0\0\0\x30\0",              // Command Field: C-ECHO-RQ
            b"\0\0\x10\x01\x02\0\0\0\x05\0",            // Message ID: 5
            b"\0\0\0\x08\x02\0\0\0\x01\x01",            // Command Data Set Type: none
        ];
        assert_eq!(Command::EchoRequest { message_id: 5 }.encode(), want.concat());
    }

    #[test]
    fn what_is_written_is_read() {
        let other =
            OtherRequest { field: 0x0020, message_id: 9, sop_class: None, has_data_set: true };
        let commands = [
            Command::EchoRequest { message_id: 65_535 },
            Command::StoreRequest(store()),
            Command::CancelRequest,
            Command::OtherRequest(other.clone()),
            Command::Response(Response::to_echo(3, true)),
            Command::Response(Response::to_store(&store(), Status(0xA700), "disk full")),
            Command::Response(Response::to_other(&other)),
        ];
        for command in commands {
            assert_eq!(Command::decode(&command.encode()), Ok(command));
        }
    }

    #[test]
    fn an_unknown_request_is_answered_0211_under_its_own_number() {
        let request =
            OtherRequest { field: 0x0140, message_id: 2, sop_class: None, has_data_set: false };
        let response = Response::to_other(&request);
        assert_eq!((response.request_field, response.status.0), (0x0140, 0x0211));
    }

    #[test]
    fn comments_are_short_and_plain() {
        let long = "Ä\\\n".to_owned() + &"x".repeat(100);
        let response = Response::to_store(&store(), Status::CANNOT_UNDERSTAND, &long);
        match Command::decode(&Command::Response(response).encode()).unwrap() {
            Command::Response(response) => {
                assert_eq!(response.comment.len(), 64);
                assert!(response.comment.starts_with("???xxx"));
            }
            other @ (Command::EchoRequest { .. }
            | Command::StoreRequest(_)
            | Command::CancelRequest
            | Command::NormalizedRequest(_)
            | Command::OtherRequest(_)) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_longer_comment_of_a_peer_is_cut() {
        let mut elements =
            Elements::decode(&Command::Response(Response::to_echo(3, true)).encode());
        let elements = elements.as_mut().unwrap();
        elements.put_text(number::ERROR_COMMENT, &"x".repeat(10_000));
        let Ok(Command::Response(response)) = Command::decode(&elements.encode()) else {
            panic!("no response");
        };
        assert_eq!(response.comment, "x".repeat(64));
    }

    #[test]
    fn a_uid_that_is_none_is_not_sent_back() {
        let request =
            StoreRequest { sop_instance: "1".repeat(65), sop_class: String::new(), ..store() };
        let response = Response::to_store(&request, Status::CANNOT_UNDERSTAND, "");
        assert_eq!((response.sop_class, response.sop_instance), (None, None));
    }

    #[test]
    fn command_sets_that_cannot_be_answered() {
        let whole = Command::StoreRequest(store()).encode();
        assert_eq!(Command::decode(&whole[..whole.len() - 1]), Err(CommandError::Cut));
        assert_eq!(Command::decode(b""), Err(CommandError::Missing(0x0100)));
        assert_eq!(Command::decode(b"\x08\0\x05\0\0\0\0\0"), Err(CommandError::NotGroup0000));
        assert_eq!(Command::decode(b"\0\0\0\x01\xFF\xFF\xFF\xFF\x30\0"), Err(CommandError::Cut));
        let mut elements = Elements::default();
        elements.put_us(number::COMMAND_FIELD, C_STORE);
        elements.put_us(number::COMMAND_DATA_SET_TYPE, 0);
        assert_eq!(Command::decode(&elements.encode()), Err(CommandError::Missing(0x0110)));
    }

    proptest! {
        #[test]
        fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..200)) {
            drop(Command::decode(&noise));
        }
    }
}

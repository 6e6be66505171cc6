//! A-ASSOCIATE-RQ and A-ASSOCIATE-AC (PS3.8 §9.3.2 and §9.3.3), with the user information of PS3.7 Annex D.
//!
//! Reading is tolerant where the standard is: items and sub-items of unknown type are skipped (PS3.8 §9.3.1), and
//! what is "not significant" is not looked at. Extended negotiation is such an item: not answering it means the default.

use crate::identity::{decode_response, put_response};
use crate::item::{kind, put_item, put_text, take, take_item, text};
use crate::{
    IdentityItem, OperationsWindow, ProtocolError, RoleSelection, UserIdentity,
    implementation_class_uid, implementation_version_name, uids,
};

/// Most presentation contexts: their IDs are odd and have eight bits.
const CONTEXTS_MAX: usize = 128;
/// Most transfer syntaxes of a presentation context that are looked at. The standard has about sixty; an acceptor may choose any.
const TRANSFER_SYNTAXES_MAX: usize = 64;

/// A presentation context as the requestor proposes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedContext {
    /// Presentation Context ID: odd, 1 to 255.
    pub id: u8,
    /// Abstract Syntax Name: the SOP Class UID.
    pub abstract_syntax: String,
    /// Transfer Syntax Names, in the requestor's order.
    pub transfer_syntaxes: Vec<String>,
}

/// The acceptor's word on a presentation context (PS3.8 Table 9-18).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContextOutcome {
    /// 0.
    Acceptance,
    /// 1.
    UserRejection,
    /// 2.
    NoReason,
    /// 3.
    AbstractSyntaxNotSupported,
    /// 4.
    TransferSyntaxesNotSupported,
}

impl ContextOutcome {
    fn code(self) -> u8 {
        match self {
            Self::Acceptance => 0,
            Self::UserRejection => 1,
            Self::NoReason => 2,
            Self::AbstractSyntaxNotSupported => 3,
            Self::TransferSyntaxesNotSupported => 4,
        }
    }

    fn of(code: u8) -> Self {
        match code {
            0 => Self::Acceptance,
            1 => Self::UserRejection,
            3 => Self::AbstractSyntaxNotSupported,
            4 => Self::TransferSyntaxesNotSupported,
            // Codes that do not exist are no acceptance either.
            _ => Self::NoReason,
        }
    }
}

/// The answer to one proposed presentation context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextAnswer {
    /// Presentation Context ID.
    pub id: u8,
    /// What became of it.
    pub outcome: ContextOutcome,
    /// The transfer syntax; significant only when accepted.
    pub transfer_syntax: String,
}

/// User information (PS3.7 §D.3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserInformation {
    /// Longest P-DATA-TF that its sender takes, in bytes; 0 is no limit (PS3.8 §D.1).
    pub pdu_length_max: u32,
    /// Implementation Class UID; empty when it was not sent.
    pub implementation_class_uid: String,
    /// Implementation Version Name; empty when it was not sent.
    pub implementation_version_name: String,
    /// User identity (PS3.7 §D.3.3.7).
    pub identity: Option<Box<IdentityItem>>,
    /// Asynchronous operations window; without it one operation at a time.
    pub operations_window: Option<OperationsWindow>,
    /// Role selections; a SOP class without one has the requestor as its SCU.
    pub roles: Vec<RoleSelection>,
}

impl UserInformation {
    /// Who the requestor says its user is.
    #[must_use]
    pub fn claim(&self) -> Option<&UserIdentity> {
        match self.identity.as_deref() {
            Some(IdentityItem::Claim(claim)) => Some(claim),
            Some(IdentityItem::Response(_)) | None => None,
        }
    }

    /// Ours, with the longest P-DATA-TF that we take.
    #[must_use]
    pub fn ours(pdu_length_max: u32) -> Self {
        Self {
            pdu_length_max,
            implementation_class_uid: implementation_class_uid(),
            implementation_version_name: implementation_version_name().to_owned(),
            identity: None,
            operations_window: None,
            roles: vec![],
        }
    }
}

/// A-ASSOCIATE-RQ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssociateRequest {
    /// Protocol-version; bit 0 is version 1.
    pub protocol_version: u16,
    /// Called-AE-title without padding, as sent: perhaps no AE title at all.
    pub called: String,
    /// Calling-AE-title without padding, as sent.
    pub calling: String,
    /// Application Context Name.
    pub application_context: String,
    /// Proposed presentation contexts.
    pub contexts: Vec<ProposedContext>,
    /// User information.
    pub user: UserInformation,
}

/// A-ASSOCIATE-AC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssociateAccept {
    /// The called title of the request.
    pub called: String,
    /// The calling title of the request.
    pub calling: String,
    /// An answer to each proposed presentation context.
    pub contexts: Vec<ContextAnswer>,
    /// User information.
    pub user: UserInformation,
}

impl AssociateRequest {
    /// The PDU.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(1, &self.called, &self.calling, &self.user, |body| {
            for context in &self.contexts {
                put_item(body, kind::PROPOSED_CONTEXT, |value| put_proposed(value, context));
            }
        })
    }

    /// From the bytes behind the PDU header.
    pub(crate) fn decode(body: &[u8]) -> Result<Self, ProtocolError> {
        let Body { protocol_version, called, calling, items } = Body::decode(body)?;
        let mut contexts = Vec::new();
        if items.of(kind::PROPOSED_CONTEXT).nth(CONTEXTS_MAX).is_some() {
            return Err(ProtocolError::InvalidPdu("more than 128 presentation contexts"));
        }
        for value in items.of(kind::PROPOSED_CONTEXT) {
            contexts.push(take_proposed(value)?);
        }
        let application_context = items.text(kind::APPLICATION_CONTEXT);
        let user = items.user()?;
        Ok(Self { protocol_version, called, calling, application_context, contexts, user })
    }
}

impl AssociateAccept {
    /// The PDU.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(2, &self.called, &self.calling, &self.user, |body| {
            for context in &self.contexts {
                put_item(body, kind::ANSWERED_CONTEXT, |value| {
                    value.extend_from_slice(&[context.id, 0, context.outcome.code(), 0]);
                    put_text(value, kind::TRANSFER_SYNTAX, &context.transfer_syntax);
                });
            }
        })
    }

    /// From the bytes behind the PDU header.
    pub(crate) fn decode(body: &[u8]) -> Result<Self, ProtocolError> {
        let Body { called, calling, items, .. } = Body::decode(body)?;
        let mut contexts = Vec::new();
        for value in items.of(kind::ANSWERED_CONTEXT) {
            contexts.push(take_answer(value)?);
        }
        Ok(Self { called, calling, contexts, user: items.user()? })
    }
}

/// What both PDUs begin with, and their items.
struct Body<'a> {
    protocol_version: u16,
    called: String,
    calling: String,
    items: Items<'a>,
}

struct Items<'a>(Vec<(u8, &'a [u8])>);

impl<'a> Body<'a> {
    fn decode(body: &'a [u8]) -> Result<Self, ProtocolError> {
        let mut rest = body;
        let version = take(&mut rest, 4)?;
        let protocol_version = match *version {
            [high, low, ..] => u16::from_be_bytes([high, low]),
            _ => 0,
        };
        let called = text(take(&mut rest, 16)?);
        let calling = text(take(&mut rest, 16)?);
        take(&mut rest, 32)?;
        Ok(Self { protocol_version, called, calling, items: Items::decode(rest)? })
    }
}

impl<'a> Items<'a> {
    fn decode(mut rest: &'a [u8]) -> Result<Self, ProtocolError> {
        let mut items = Vec::new();
        while !rest.is_empty() {
            items.push(take_item(&mut rest)?);
        }
        Ok(Self(items))
    }

    fn of(&self, kind: u8) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |item| item.0 == kind).map(|item| item.1)
    }

    fn identity(&self) -> Result<Option<IdentityItem>, ProtocolError> {
        if let Some(value) = self.of(kind::USER_IDENTITY).next() {
            return UserIdentity::decode(value).map(|claim| Some(IdentityItem::Claim(claim)));
        }
        let response = self.of(kind::USER_IDENTITY_RESPONSE).next();
        response.map(|value| decode_response(value).map(IdentityItem::Response)).transpose()
    }

    fn text(&self, kind: u8) -> String {
        self.of(kind).next().map(text).unwrap_or_default()
    }

    fn user(&self) -> Result<UserInformation, ProtocolError> {
        let items = Items::decode(self.of(kind::USER_INFORMATION).next().unwrap_or_default())?;
        let length = items.of(kind::MAXIMUM_LENGTH).next();
        let length = length.and_then(|value| Some(u32::from_be_bytes(*value.first_chunk()?)));
        let window = items.of(kind::OPERATIONS_WINDOW).next();
        let roles = items.of(kind::ROLE_SELECTION).map(RoleSelection::take);
        Ok(UserInformation {
            // The item is mandatory; a peer that forgets it is not sent more than 16 KiB at a time.
            pdu_length_max: length.unwrap_or(16_384),
            implementation_class_uid: items.text(kind::IMPLEMENTATION_CLASS_UID),
            implementation_version_name: items.text(kind::IMPLEMENTATION_VERSION_NAME),
            identity: items.identity()?.map(Box::new),
            operations_window: window.and_then(OperationsWindow::take),
            roles: roles.collect::<Result<_, _>>()?,
        })
    }
}

fn take_proposed(value: &[u8]) -> Result<ProposedContext, ProtocolError> {
    let mut rest = value;
    let id = take(&mut rest, 4)?.first().copied().unwrap_or_default();
    if id % 2 == 0 {
        return Err(ProtocolError::InvalidPdu("an even Presentation Context ID"));
    }
    let items = Items::decode(rest)?;
    let abstract_syntax = items.text(kind::ABSTRACT_SYNTAX);
    let transfer_syntaxes = items.of(kind::TRANSFER_SYNTAX).take(TRANSFER_SYNTAXES_MAX);
    let transfer_syntaxes = transfer_syntaxes.map(text).collect();
    Ok(ProposedContext { id, abstract_syntax, transfer_syntaxes })
}

fn take_answer(value: &[u8]) -> Result<ContextAnswer, ProtocolError> {
    let mut rest = value;
    let &[id, _, code, _] = take(&mut rest, 4)? else {
        return Err(ProtocolError::InvalidPdu("a short Presentation Context Item"));
    };
    let outcome = ContextOutcome::of(code);
    // Of a context that is not accepted the transfer syntax is not significant; some peers leave out even its item.
    let transfer_syntax = match outcome {
        ContextOutcome::Acceptance => Items::decode(rest)?.text(kind::TRANSFER_SYNTAX),
        ContextOutcome::UserRejection
        | ContextOutcome::NoReason
        | ContextOutcome::AbstractSyntaxNotSupported
        | ContextOutcome::TransferSyntaxesNotSupported => String::new(),
    };
    Ok(ContextAnswer { id, outcome, transfer_syntax })
}

fn put_proposed(value: &mut Vec<u8>, context: &ProposedContext) {
    value.extend_from_slice(&[context.id, 0, 0, 0]);
    put_text(value, kind::ABSTRACT_SYNTAX, &context.abstract_syntax);
    for syntax in &context.transfer_syntaxes {
        put_text(value, kind::TRANSFER_SYNTAX, syntax);
    }
}

fn encode(
    pdu_type: u8,
    called: &str,
    calling: &str,
    user: &UserInformation,
    put_contexts: impl FnOnce(&mut Vec<u8>),
) -> Vec<u8> {
    let mut body = vec![0, 1, 0, 0];
    for title in [called, calling] {
        body.extend(title.bytes().chain(std::iter::repeat(b' ')).take(16));
    }
    body.extend_from_slice(&[0; 32]);
    put_text(&mut body, kind::APPLICATION_CONTEXT, uids::APPLICATION_CONTEXT);
    put_contexts(&mut body);
    put_item(&mut body, kind::USER_INFORMATION, |value| put_user(value, user));
    // 128 contexts of at most 64 KiB each always fit 32 bits.
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let mut pdu = vec![pdu_type, 0];
    pdu.extend_from_slice(&length.to_be_bytes());
    pdu.append(&mut body);
    pdu
}

fn put_user(value: &mut Vec<u8>, user: &UserInformation) {
    put_item(value, kind::MAXIMUM_LENGTH, |length| {
        length.extend_from_slice(&user.pdu_length_max.to_be_bytes());
    });
    put_text(value, kind::IMPLEMENTATION_CLASS_UID, &user.implementation_class_uid);
    if let Some(window) = user.operations_window {
        window.put(value);
    }
    user.roles.iter().for_each(|selection| selection.put(value));
    put_text(value, kind::IMPLEMENTATION_VERSION_NAME, &user.implementation_version_name);
    match user.identity.as_deref() {
        None => {}
        Some(IdentityItem::Claim(identity)) => {
            put_item(value, kind::USER_IDENTITY, |value| identity.put(value));
        }
        Some(IdentityItem::Response(response)) => {
            put_item(value, kind::USER_IDENTITY_RESPONSE, |value| put_response(value, response));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Roles;
    use domain::IdentityClaim;
    use proptest::prelude::*;

    fn request() -> AssociateRequest {
        AssociateRequest {
            protocol_version: 1,
            called: "PARSENODE".into(),
            calling: "CT1".into(),
            application_context: uids::APPLICATION_CONTEXT.into(),
            contexts: vec![ProposedContext {
                id: 1,
                abstract_syntax: uids::VERIFICATION.into(),
                transfer_syntaxes: vec![uids::IMPLICIT_VR_LITTLE_ENDIAN.into()],
            }],
            user: UserInformation::ours(16_384),
        }
    }

    #[test]
    fn a_request_as_bytes() {
        let bytes = request().encode();
        // PDU type 1, reserved, length of the rest; protocol version 1, reserved.
        assert_eq!(bytes[..2], [1, 0]);
        assert_eq!(
            u32::from_be_bytes(*bytes[2..].first_chunk().unwrap()) as usize,
            bytes.len() - 6
        );
        assert_eq!(bytes[6..10], [0, 1, 0, 0]);
        assert_eq!(&bytes[10..42], b"PARSENODE       CT1             ");
        assert_eq!(bytes[42..74], [0; 32]);
        assert_eq!(&bytes[74..99], b"\x10\0\0\x151.2.840.10008.3.1.1.1");
        // Context 1: 46 bytes; Verification under Implicit VR Little Endian.
        assert_eq!(&bytes[99..107], b"\x20\0\0\x2E\x01\0\0\0");
        assert_eq!(&bytes[107..128], b"\x30\0\0\x111.2.840.10008.1.1");
        assert_eq!(&bytes[128..149], b"\x40\0\0\x111.2.840.10008.1.2");
        assert_eq!(bytes[149..151], [0x50, 0]);
        assert_eq!(&bytes[153..161], b"\x51\0\0\x04\0\0\x40\0");
    }

    #[test]
    fn items_of_unknown_type_are_skipped() {
        let mut bytes = request().encode();
        // An item of a future type.
        put_item(&mut bytes, 0x77, |value| value.extend_from_slice(&[1, 2, 3]));
        assert_eq!(AssociateRequest::decode(&bytes[6..]), Ok(request()));
    }

    #[test]
    fn a_rejected_context_needs_no_transfer_syntax() {
        let mut body = vec![0, 1, 0, 0];
        body.extend_from_slice(&[b' '; 32]);
        body.extend_from_slice(&[0; 32]);
        put_item(&mut body, kind::ANSWERED_CONTEXT, |value| value.extend_from_slice(&[3, 0, 4, 0]));
        let accept = AssociateAccept::decode(&body).unwrap();
        assert_eq!(accept.contexts[0].outcome, ContextOutcome::TransferSyntaxesNotSupported);
        assert_eq!(accept.user.pdu_length_max, 16_384, "a peer that does not say");
    }

    #[test]
    fn transfer_syntaxes_without_end_are_not_kept() {
        let mut request = request();
        request.contexts[0].transfer_syntaxes = (0..1_000).map(|n| n.to_string()).collect();
        let read = AssociateRequest::decode(&request.encode()[6..]).unwrap();
        assert_eq!(read.contexts[0].transfer_syntaxes, request.contexts[0].transfer_syntaxes[..64]);
    }

    #[test]
    fn an_even_context_id_is_an_error() {
        let mut request = request();
        request.contexts[0].id = 2;
        let error = AssociateRequest::decode(&request.encode()[6..]).unwrap_err();
        assert_eq!(error.to_string(), "an even Presentation Context ID");
    }

    fn contexts() -> impl Strategy<Value = Vec<ProposedContext>> {
        let uid = "[1-9](\\.[0-9]{1,5}){1,6}";
        let context = (0u8..128, uid, prop::collection::vec(uid, 0..4));
        let context = context.prop_map(|(id, abstract_syntax, transfer_syntaxes)| {
            ProposedContext { id: id * 2 + 1, abstract_syntax, transfer_syntaxes }
        });
        prop::collection::vec(context, 0..8)
    }

    proptest! {
        #[test]
        fn requests_survive_the_wire(
            contexts in contexts(), max: u32, calling in "[A-Z]{1,16}",
            window: Option<(u16, u16)>, roles in prop::collection::vec(("[1-9](\\.[0-9]{1,5}){1,6}", any::<(bool, bool)>()), 0..4),
        ) {
            let mut user = UserInformation::ours(max);
            user.operations_window =
                window.map(|(invoked, performed)| OperationsWindow { invoked, performed });
            let role = |(sop_class, (scu, scp))| {
                RoleSelection { sop_class, roles: Roles { scu, scp } }
            };
            user.roles = roles.into_iter().map(role).collect();
            let claim = IdentityClaim::Username(calling.clone());
            let identity =
                Box::new(IdentityItem::Claim(UserIdentity { claim, wants_response: true }));
            user.identity = (max % 2 == 0).then_some(identity);
            let request = AssociateRequest { contexts, calling, user, ..request() };
            prop_assert_eq!(AssociateRequest::decode(&request.encode()[6..]).unwrap(), request);
        }

        #[test]
        fn accepts_survive_the_wire(codes in prop::collection::vec(0u8..5, 0..8)) {
            let answer = |(index, code): (usize, u8)| {
                let outcome = ContextOutcome::of(code);
                let id = u8::try_from(index * 2 + 1).unwrap();
                let accepted = outcome == ContextOutcome::Acceptance;
                let transfer_syntax = if accepted { "1.2.3".into() } else { String::new() };
                ContextAnswer { id, outcome, transfer_syntax }
            };
            let contexts: Vec<_> = codes.into_iter().enumerate().map(answer).collect();
            let (called, calling) = ("A".into(), "B".into());
            let mut user = UserInformation::ours(0);
            let response = Box::new(IdentityItem::Response(b"yes".to_vec()));
            user.identity = (contexts.len() > 4).then_some(response);
            let accept = AssociateAccept { called, calling, contexts, user };
            prop_assert_eq!(AssociateAccept::decode(&accept.encode()[6..]).unwrap(), accept);
        }

        #[test]
        fn noise_is_an_error_or_a_request(noise in prop::collection::vec(any::<u8>(), 0..300)) {
            drop(AssociateRequest::decode(&noise));
            drop(AssociateAccept::decode(&noise));
        }
    }
}

//! An Association that we requested: established, used for one operation of ours at a time, released or aborted.

use std::collections::BTreeMap;
use std::time::Duration;

use dimse::{
    Abort, AssociateAccept, AssociateRequest, Command, Connection, ConnectionError, ContextOutcome,
    IdentityItem, Incoming, MessageEvent, MessageReader, Pdu, ProposedContext, ProtocolError,
    Response, RoleSelection, Roles, UserIdentity, UserInformation, encode_release_request, uids,
};

use tokio::time::timeout;

use crate::dial::{Line, dial};
use crate::{Route, ScuError, Timeouts};

/// Longest P-DATA-TF that we take: only responses come, which are far shorter.
const PDU_LENGTH_MAX: u32 = 16_384;
/// How long the peer may take to close the connection after its or our last word.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// What the acceptor sent.
#[derive(Debug)]
pub(crate) struct Message {
    /// Its Presentation Context ID.
    pub(crate) context_id: u8,
    /// Its command set.
    pub(crate) command: Command,
    /// The beginning of its data set.
    pub(crate) data_set: Vec<u8>,
}

/// An established Association.
#[derive(Debug)]
pub(crate) struct Requestor {
    connection: Connection<Line>,
    messages: MessageReader,
    /// Transfer syntaxes by Presentation Context ID.
    accepted: BTreeMap<u8, String>,
    /// What the acceptor said to the roles that were proposed.
    roles: Vec<RoleSelection>,
    peer_pdu_length_max: u32,
    operations_max: u16,
    limit: Duration,
    message_id: u16,
}

impl Requestor {
    /// Connects and establishes an Association.
    pub(crate) async fn open(
        route: Route<'_>,
        contexts: Vec<ProposedContext>,
        timeouts: &Timeouts,
    ) -> Result<Self, ScuError> {
        Self::open_as(route, contexts, Self::user(), timeouts).await
    }

    /// What we say of ourselves when nothing else is wanted.
    pub(crate) fn user() -> UserInformation {
        UserInformation::ours(PDU_LENGTH_MAX)
    }

    /// Connects and establishes an Association, with roles or a window in `user`.
    pub(crate) async fn open_as(
        route: Route<'_>,
        contexts: Vec<ProposedContext>,
        user: UserInformation,
        timeouts: &Timeouts,
    ) -> Result<Self, ScuError> {
        let window = user.operations_window.map_or(1, |window| window.invoked);
        let line = dial(route, timeouts.connect).await?;
        let mut connection = Connection::new(line, PDU_LENGTH_MAX);
        let Route { to, .. } = route;
        let request = AssociateRequest {
            protocol_version: 1,
            called: to.called.to_string(),
            calling: to.calling.to_string(),
            application_context: uids::APPLICATION_CONTEXT.to_owned(),
            contexts,
            user: UserInformation { identity: identity(route), ..user },
        };
        connection.send(&request.encode(), timeouts.io).await?;
        let answer = match connection.next(timeouts.io).await {
            Ok(Incoming::Pdu(pdu)) => Ok(pdu),
            Ok(Incoming::Fragment { .. }) => Err(unexpected("P-DATA-TF")),
            Err(error) => Err(error.into()),
        };
        match answer.and_then(|pdu| accepted(pdu, &request.contexts)) {
            Ok((accepted, user)) => Ok(Self {
                connection,
                messages: MessageReader::new(),
                accepted,
                operations_max: user
                    .operations_window
                    .map_or(1, |agreed| agreed.within(window, 1).invoked)
                    .max(1),
                roles: user.roles,
                peer_pdu_length_max: user.pdu_length_max,
                limit: timeouts.io,
                message_id: 0,
            }),
            Err(error) => {
                part(connection, &error).await;
                Err(error)
            }
        }
    }

    /// Was this presentation context accepted?
    pub(crate) fn accepts(&self, context_id: u8) -> bool {
        self.accepted.contains_key(&context_id)
    }

    /// The transfer syntax of a presentation context that was accepted.
    pub(crate) fn transfer_syntax(&self, context_id: u8) -> Option<&str> {
        self.accepted.get(&context_id).map(String::as_str)
    }

    /// What the acceptor said to our roles for a SOP class; `None` when it said nothing.
    pub(crate) fn roles(&self, sop_class: &str) -> Option<Roles> {
        let said = self.roles.iter().find(|said| said.sop_class == sop_class);
        said.map(|said| said.roles)
    }

    /// Longest P-DATA-TF that the peer takes; 0 is no limit.
    pub(crate) fn peer_pdu_length_max(&self) -> u32 {
        self.peer_pdu_length_max
    }

    /// No message of the peer has begun that has not ended.
    pub(crate) fn is_between_messages(&self) -> bool {
        self.messages.is_idle()
    }

    /// Operations that may be outstanding: never more than was proposed and than was agreed to.
    pub(crate) fn operations_max(&self) -> usize {
        self.operations_max.into()
    }

    /// The Message ID of the next request.
    pub(crate) fn next_message_id(&mut self) -> u16 {
        self.message_id = self.message_id.wrapping_add(1);
        self.message_id
    }

    /// Sends whole PDUs.
    pub(crate) async fn send(&mut self, pdus: &[u8]) -> Result<(), ScuError> {
        Ok(self.connection.send(pdus, self.limit).await?)
    }

    /// Waits for the response to `message_id`.
    pub(crate) async fn response(&mut self, message_id: u16) -> Result<Response, ScuError> {
        // Data sets of responses are not looked at.
        let Message { command, .. } = self.message(self.limit, 0).await?;
        answering(command, message_id)
    }

    /// Waits for the response to any request.
    pub(crate) async fn next_response(&mut self) -> Result<Response, ScuError> {
        let Message { command, .. } = self.message(self.limit, 0).await?;
        if let Command::Response(response) = command { Ok(response) } else { answering(command, 0) }
    }

    /// Waits for the next message, which may begin within `limit` and then take as long as any answer, however it drips; the
    /// first `data_set_bytes_max` bytes of its data set are kept.
    pub(crate) async fn message(
        &mut self,
        limit: Duration,
        data_set_bytes_max: usize,
    ) -> Result<Message, ScuError> {
        let rest = self.limit;
        let mut message = None;
        let mut is_whole = self.read_on(limit, &mut message, data_set_bytes_max).await?;
        let reading = timeout(rest, async {
            while !is_whole {
                is_whole = self.read_on(rest, &mut message, data_set_bytes_max).await?;
            }
            Ok::<(), ScuError>(())
        });
        reading.await.map_err(|_| ConnectionError::TimedOut(rest))??;
        // The message reader lets no data set through without its command.
        message.ok_or_else(|| unexpected("P-DATA-TF"))
    }

    /// Takes what comes next of a message; whether it is whole.
    async fn read_on(
        &mut self,
        limit: Duration,
        message: &mut Option<Message>,
        data_set_bytes_max: usize,
    ) -> Result<bool, ScuError> {
        let event = match self.connection.next(limit).await? {
            Incoming::Fragment { fragment, bytes, ends } => {
                let event = self.messages.on_fragment(fragment, bytes, ends);
                event.map_err(ConnectionError::from)?
            }
            Incoming::Pdu(Pdu::Abort(abort)) => return Err(ScuError::Aborted(abort)),
            Incoming::Pdu(pdu) => return Err(unexpected(pdu.name())),
        };
        Ok(match event {
            None => false,
            Some(MessageEvent::DataSet { bytes, is_end }) => {
                if let Some(Message { data_set, .. }) = message {
                    let room = data_set_bytes_max.saturating_sub(data_set.len());
                    data_set.extend(bytes.iter().flatten().take(room));
                }
                is_end
            }
            Some(MessageEvent::Command { context_id, command }) => {
                let is_whole = !command.has_data_set();
                *message = Some(Message { context_id, command, data_set: Vec::new() });
                is_whole
            }
        })
    }

    /// Releases the Association. What could be lost by its failure is already answered, so it has no outcome.
    pub(crate) async fn release(mut self) {
        let released = async {
            self.connection.send(&encode_release_request(), self.limit).await?;
            match self.connection.next(self.limit).await? {
                Incoming::Pdu(Pdu::ReleaseResponse) => Ok(()),
                Incoming::Pdu(pdu) => Err(ProtocolError::UnexpectedPdu(pdu.name()).into()),
                Incoming::Fragment { .. } => Err(ProtocolError::UnexpectedPdu("P-DATA-TF").into()),
            }
        };
        let released: Result<(), ConnectionError> = released.await;
        if let Err(reason) = released {
            tracing::debug!(%reason, "the association was not released in order");
        }
    }

    /// Ends the Association after an error, with A-ABORT where there is somebody to read it.
    pub(crate) async fn abort(self, error: &ScuError) {
        part(self.connection, error).await;
    }
}

/// Who our user is, where the destination asks for it. A response is not asked for: a destination that does not accept the
/// identity rejects the Association.
fn identity(route: Route<'_>) -> Option<Box<IdentityItem>> {
    let claim = route.security.and_then(|security| security.identity.clone())?;
    Some(Box::new(IdentityItem::Claim(UserIdentity { claim, wants_response: false })))
}

/// The accepted presentation contexts, and what else the peer said.
fn accepted(
    pdu: Pdu,
    proposed: &[ProposedContext],
) -> Result<(BTreeMap<u8, String>, UserInformation), ScuError> {
    let AssociateAccept { contexts, user, .. } = match pdu {
        Pdu::AssociateAccept(accept) => accept,
        Pdu::AssociateReject(rejection) => return Err(ScuError::Rejected(rejection)),
        Pdu::Abort(abort) => return Err(ScuError::Aborted(abort)),
        Pdu::AssociateRequest(_) | Pdu::ReleaseRequest | Pdu::ReleaseResponse => {
            return Err(unexpected(pdu.name()));
        }
    };
    let mut accepted = BTreeMap::new();
    for answer in contexts.into_iter().filter(|answer| answer.outcome == ContextOutcome::Acceptance)
    {
        let syntax = &answer.transfer_syntax;
        let is_proposed = |context: &&ProposedContext| {
            context.id == answer.id && context.transfer_syntaxes.contains(syntax)
        };
        if proposed.iter().find(is_proposed).is_none() {
            let error = ProtocolError::InvalidPdu("what was not proposed is accepted");
            return Err(ConnectionError::from(error).into());
        }
        accepted.insert(answer.id, answer.transfer_syntax);
    }
    Ok((accepted, user))
}

/// The response to `message_id`, if `command` is it.
pub(crate) fn answering(command: Command, message_id: u16) -> Result<Response, ScuError> {
    let wrong = match command {
        Command::Response(response) if response.message_id == message_id => return Ok(response),
        Command::Response(_) => "a response to another request came",
        Command::EchoRequest { .. }
        | Command::StoreRequest(_)
        | Command::CancelRequest
        | Command::NormalizedRequest(_)
        | Command::OtherRequest(_) => "a request came where a response was due",
    };
    Err(ConnectionError::from(ProtocolError::Fragments(wrong)).into())
}

fn unexpected(name: &'static str) -> ScuError {
    ConnectionError::from(ProtocolError::UnexpectedPdu(name)).into()
}

/// Closes a connection after `error`.
async fn part(connection: Connection<Line>, error: &ScuError) {
    let abort = match error {
        ScuError::Connection(error) => error.abort(),
        ScuError::File { .. } => Some(Abort::SERVICE_USER),
        ScuError::Unreachable(_)
        | ScuError::Handshake(_)
        | ScuError::Rejected(_)
        | ScuError::Aborted(_)
        | ScuError::VerificationNotAccepted
        | ScuError::CommitmentNotAccepted
        | ScuError::ReportNotTaken { .. }
        | ScuError::Echo(_) => None,
    };
    if let Some(abort) = abort {
        connection.send_last(&abort.encode(), CLOSE_LIMIT).await;
    }
}

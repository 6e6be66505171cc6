//! An association-acceptor that does what a test tells it.

use std::time::Duration;

use dimse::{
    Abort, AssociateAccept, AssociateRequest, Command, Connection, ContextAnswer, ContextOutcome,
    FragmentKind, Incoming, MessageEvent, MessageReader, PDataWriter, Pdu, Rejection,
    RejectionReason, Response, Status, StoreRequest, UserInformation,
};
use domain::{AeTitle, Destination};
use scu::Timeouts;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const TIMEOUTS: Timeouts = Timeouts { connect: PATIENCE, io: PATIENCE };

/// What the acceptor does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    /// Answers each request with the next of these statuses, then with success.
    Answer(Vec<u16>),
    /// Takes only this SOP class.
    TakeOnly(&'static str),
    Reject,
    AbortTheRequest,
    CloseAtTheRequest,
    IgnoreTheRequest,
    AcceptWhatWasNotProposed,
    /// Answers the second request under the ID of the first.
    AnswerTheWrongOne,
    AbortTheSecond,
    CloseAtTheSecond,
    IgnoreTheSecond,
    RefuseToRelease,
}

/// What the acceptor saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) associations: usize,
    pub(crate) requests: Vec<StoreRequest>,
    pub(crate) data_sets: Vec<Vec<u8>>,
    pub(crate) released: usize,
    pub(crate) aborts: Vec<Abort>,
    pub(crate) contexts: Vec<usize>,
    pub(crate) longest_fragment: usize,
}

pub(crate) struct Acceptor {
    pub(crate) to: Destination,
    task: JoinHandle<Seen>,
}

impl Acceptor {
    /// Serves `associations` of them, one after another, taking P-DATA-TF of at most `pdu_length_max`.
    pub(crate) async fn start(act: Act, associations: usize, pdu_length_max: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let mut seen = Seen::default();
            for _ in 0..associations {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                seen.associations += 1;
                serve(stream, &act, pdu_length_max, &mut seen).await;
            }
            seen
        });
        let title = |text| AeTitle::parse(text).unwrap();
        let (called, calling) = (title("PACS"), title("NODE"));
        let host = "127.0.0.1".into();
        Self { to: Destination { name: "pacs".into(), called, calling, host, port }, task }
    }

    pub(crate) async fn seen(self) -> Seen {
        tokio::time::timeout(PATIENCE, self.task).await.expect("still serving").unwrap()
    }
}

async fn serve(stream: TcpStream, act: &Act, pdu_length_max: u32, seen: &mut Seen) {
    // A P-DATA-TF longer than was agreed ends this with an error.
    let agreed = if pdu_length_max == 0 { u32::MAX } else { pdu_length_max };
    let mut connection = Connection::new(stream, agreed);
    let request = match connection.next(PATIENCE).await {
        Ok(Incoming::Pdu(Pdu::AssociateRequest(request))) => request,
        other => panic!("{other:?}"),
    };
    assert_eq!((request.called.as_str(), request.calling.as_str()), ("PACS", "NODE"));
    seen.contexts.push(request.contexts.len());
    let answer = match act {
        Act::Reject => Rejection::from(RejectionReason::LocalLimitExceeded).encode().to_vec(),
        Act::AbortTheRequest => Abort::SERVICE_PROVIDER.encode().to_vec(),
        Act::CloseAtTheRequest => return,
        Act::IgnoreTheRequest => vec![],
        Act::Answer(_)
        | Act::TakeOnly(_)
        | Act::AcceptWhatWasNotProposed
        | Act::AnswerTheWrongOne
        | Act::AbortTheSecond
        | Act::CloseAtTheSecond
        | Act::IgnoreTheSecond
        | Act::RefuseToRelease => accept(&request, act, pdu_length_max).encode(),
    };
    connection.send(&answer, PATIENCE).await.unwrap();
    converse(connection, act, seen).await;
}

fn accept(request: &AssociateRequest, act: &Act, pdu_length_max: u32) -> AssociateAccept {
    let answer = |context: &dimse::ProposedContext| {
        let is_other = matches!(act, Act::TakeOnly(class) if *class != context.abstract_syntax);
        let outcome = if is_other {
            ContextOutcome::AbstractSyntaxNotSupported
        } else {
            ContextOutcome::Acceptance
        };
        let is_proposed = *act != Act::AcceptWhatWasNotProposed;
        let proposed = context.transfer_syntaxes[0].as_str();
        let transfer_syntax = if is_proposed { proposed } else { "1.2.840.10008.1.2.2" }.to_owned();
        ContextAnswer { id: context.id, outcome, transfer_syntax }
    };
    AssociateAccept {
        called: request.called.clone(),
        calling: request.calling.clone(),
        contexts: request.contexts.iter().map(answer).collect(),
        user: UserInformation { pdu_length_max, ..UserInformation::ours(0) },
    }
}

async fn converse(mut connection: Connection<TcpStream>, act: &Act, seen: &mut Seen) {
    let mut messages = MessageReader::new();
    let mut context;
    let mut answered = 0;
    loop {
        let event = match connection.next(PATIENCE).await {
            Ok(Incoming::Fragment { fragment, bytes, ends }) => {
                let longest = bytes.iter().map(<[u8]>::len).max().unwrap_or_default();
                seen.longest_fragment = seen.longest_fragment.max(longest);
                context = fragment.context_id;
                messages.on_fragment(fragment, bytes, ends).unwrap()
            }
            Ok(Incoming::Pdu(Pdu::ReleaseRequest)) => {
                seen.released += 1;
                if !matches!(act, Act::RefuseToRelease) {
                    let response = dimse::encode_release_response();
                    connection.send(&response, PATIENCE).await.unwrap();
                }
                return;
            }
            Ok(Incoming::Pdu(Pdu::Abort(abort))) => return seen.aborts.push(abort),
            Ok(Incoming::Pdu(pdu)) => panic!("{pdu:?}"),
            Err(_) => return,
        };
        let response = match event {
            None => continue,
            Some(MessageEvent::Command {
                command: Command::EchoRequest { message_id }, ..
            }) => {
                let status = Status(statuses(act).first().copied().unwrap_or_default());
                Response { status, ..Response::to_echo(message_id, true) }
            }
            Some(MessageEvent::Command { command: Command::StoreRequest(request), .. }) => {
                seen.requests.push(request);
                seen.data_sets.push(vec![]);
                continue;
            }
            Some(MessageEvent::Command { command, .. }) => panic!("{command:?}"),
            Some(MessageEvent::DataSet { bytes, is_end }) => {
                seen.data_sets.last_mut().unwrap().extend(bytes.iter().flatten());
                if !is_end {
                    continue;
                }
                match respond(act, answered, seen.requests.last().unwrap()) {
                    Reply::With(response) => response,
                    Reply::Abort => {
                        connection.send(&Abort::SERVICE_USER.encode(), PATIENCE).await.unwrap();
                        return;
                    }
                    Reply::Close => return,
                    Reply::Nothing => continue,
                }
            }
        };
        answered += 1;
        let mut pdus = Vec::new();
        let command = Command::Response(response).encode();
        PDataWriter::new(context, 0).put(&mut pdus, FragmentKind::Command, &command);
        connection.send(&pdus, PATIENCE).await.unwrap();
    }
}

enum Reply {
    With(Response),
    Abort,
    Close,
    Nothing,
}

fn statuses(act: &Act) -> &[u16] {
    if let Act::Answer(statuses) = act { statuses } else { &[] }
}

fn respond(act: &Act, answered: usize, request: &StoreRequest) -> Reply {
    let status = statuses(act).get(answered).copied().unwrap_or_default();
    let mut response = Response::to_store(request, Status(status), "because");
    match (act, answered) {
        (Act::AnswerTheWrongOne, 1) => response.message_id -= 1,
        (Act::AbortTheSecond, 1) => return Reply::Abort,
        (Act::CloseAtTheSecond, 1) => return Reply::Close,
        (Act::IgnoreTheSecond, 1) => return Reply::Nothing,
        _ => {}
    }
    Reply::With(response)
}

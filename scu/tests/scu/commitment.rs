//! Storage commitment with an archive, and with a peer that is owed a report, that do what a test tells them.

use std::time::Duration;

use dimse::{
    AssociateAccept, AssociateRequest, Command, Connection, ConnectionError, ContextAnswer,
    ContextOutcome, FragmentKind, Incoming, MessageEvent, MessageReader, NormalizedRequest,
    NormalizedService, PDataWriter, Pdu, Response, RoleSelection, Roles, Status, UserInformation,
    decode_commitment_report, decode_commitment_request, encode_commitment_report, uids,
};
use domain::{
    AeTitle, CommitmentReport, CommitmentRequest, Destination, FailureReason, InstanceReference,
    Limits, SopClassUid, SopInstanceUid, TransactionUid,
};
use scu::{Requested, ScuError, report_commitment, request_commitment};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::acceptor::{PATIENCE, TIMEOUTS};

/// What the other side does with what is asked of it or told to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// Answers with this status.
    Answer(u16),
    /// Answers with success, then reports.
    AnswerAndReport,
    /// Reports, and answers with success only when the report was.
    ReportAndAnswer,
    /// Answers, then sends an event that there is not, then reports.
    AnswerAndSendNonsense,
    /// Answers with success, a few bytes at a time and long after anybody should wait.
    AnswerInDrips,
    /// Answers with success and closes the connection.
    AnswerAndClose,
    /// Accepts no presentation context.
    AcceptNothing,
    /// Accepts the context and refuses our role.
    RefuseTheRole,
    /// Accepts the context and says nothing of roles.
    IgnoreTheRole,
}

/// What the other side saw.
#[derive(Debug, Default)]
struct Seen {
    roles: Vec<RoleSelection>,
    requests: Vec<NormalizedRequest>,
    asked: Vec<CommitmentRequest>,
    told: Vec<CommitmentReport>,
    /// Statuses of the answers to what it sent.
    answers: Vec<u16>,
    is_released: bool,
}

struct Other {
    connection: Connection<TcpStream>,
    messages: MessageReader,
    syntax: String,
    seen: Seen,
}

async fn start(act: Act) -> (Destination, JoinHandle<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        serve(stream, act).await
    });
    let title = |text| AeTitle::parse(text).unwrap();
    let (called, calling) = (title("PACS"), title("NODE"));
    (Destination { name: "pacs".into(), called, calling, host: "127.0.0.1".into(), port }, task)
}

async fn seen(task: JoinHandle<Seen>) -> Seen {
    tokio::time::timeout(PATIENCE, task).await.expect("still serving").unwrap()
}

async fn serve(stream: TcpStream, act: Act) -> Seen {
    let mut connection = Connection::new(stream, 1 << 20);
    let request = match connection.next(PATIENCE).await {
        Ok(Incoming::Pdu(Pdu::AssociateRequest(request))) => request,
        other => panic!("{other:?}"),
    };
    let accept = accept(&request, act);
    connection.send(&accept.encode(), PATIENCE).await.unwrap();
    let syntax = accept.contexts[0].transfer_syntax.clone();
    let seen = Seen { roles: request.user.roles, ..Seen::default() };
    let mut other = Other { connection, messages: MessageReader::new(), syntax, seen };
    while other.serve_one(act).await {}
    other.seen
}

fn accept(request: &AssociateRequest, act: Act) -> AssociateAccept {
    assert_eq!(request.contexts.len(), 1);
    assert_eq!(request.contexts[0].abstract_syntax, uids::STORAGE_COMMITMENT);
    let outcome = if act == Act::AcceptNothing {
        ContextOutcome::AbstractSyntaxNotSupported
    } else {
        ContextOutcome::Acceptance
    };
    // The last syntax: what is written has to follow what was accepted.
    let transfer_syntax = request.contexts[0].transfer_syntaxes.last().unwrap().clone();
    let mut roles = request.user.roles.clone();
    if act == Act::IgnoreTheRole {
        roles.clear();
    }
    if act == Act::RefuseTheRole {
        roles.iter_mut().for_each(|role| role.roles = Roles { scu: false, scp: false });
    }
    AssociateAccept {
        called: request.called.clone(),
        calling: request.calling.clone(),
        contexts: vec![ContextAnswer { id: request.contexts[0].id, outcome, transfer_syntax }],
        user: UserInformation { roles, ..UserInformation::ours(16_384) },
    }
}

impl Other {
    /// The next message; `None` when the association is over.
    async fn message(&mut self) -> Option<(Command, Vec<u8>)> {
        let mut came: Option<(Command, Vec<u8>)> = None;
        loop {
            let event = match self.connection.next(PATIENCE).await {
                Ok(Incoming::Fragment { fragment, bytes, ends }) => {
                    self.messages.on_fragment(fragment, bytes, ends).unwrap()
                }
                Ok(Incoming::Pdu(Pdu::ReleaseRequest)) => {
                    self.seen.is_released = true;
                    let response = dimse::encode_release_response();
                    self.connection.send(&response, PATIENCE).await.unwrap();
                    return None;
                }
                Ok(Incoming::Pdu(_)) | Err(_) => return None,
            };
            let ends = match event {
                None => false,
                Some(MessageEvent::Command { command, .. }) => {
                    let ends = !command.has_data_set();
                    came = Some((command, vec![]));
                    ends
                }
                Some(MessageEvent::DataSet { bytes, is_end }) => {
                    came.as_mut().unwrap().1.extend(bytes.iter().flatten());
                    is_end
                }
            };
            if ends {
                return came;
            }
        }
    }

    async fn serve_one(&mut self, act: Act) -> bool {
        let Some((command, data_set)) = self.message().await else { return false };
        let Command::NormalizedRequest(request) = command else { panic!("{command:?}") };
        self.seen.requests.push(request.clone());
        let limits = Limits::default();
        match request.service {
            NormalizedService::EventReport => {
                let told = decode_commitment_report(&data_set, &self.syntax, &limits).unwrap();
                self.seen.told.push(told);
            }
            NormalizedService::Action => {
                let asked = decode_commitment_request(&data_set, &self.syntax, &limits).unwrap();
                self.seen.asked.push(asked);
            }
        }
        if act == Act::ReportAndAnswer {
            self.report(2).await;
        }
        let status = if let Act::Answer(status) = act { status } else { 0 };
        let response = Response::to_normalized(&request, Status(status), "because");
        if act == Act::AnswerInDrips {
            self.drip(Command::Response(response)).await;
            return false;
        }
        self.send(Command::Response(response), None).await;
        if act == Act::AnswerAndSendNonsense {
            self.report(9).await;
        }
        if matches!(act, Act::AnswerAndReport | Act::AnswerAndSendNonsense) {
            self.report(2).await;
        }
        act != Act::AnswerAndClose
    }

    /// Commits to the first reference and not to the others.
    async fn report(&mut self, event_type_id: u16) {
        let asked = self.seen.asked.last().unwrap();
        let (first, others) = asked.references.split_first().unwrap();
        let failed = |other: &InstanceReference| (other.clone(), FailureReason(0x0112));
        let report = CommitmentReport {
            transaction: asked.transaction.clone(),
            committed: vec![first.clone()],
            failed: others.iter().map(failed).collect(),
        };
        let command = Command::NormalizedRequest(NormalizedRequest {
            service: NormalizedService::EventReport,
            message_id: 77,
            sop_class: uids::STORAGE_COMMITMENT.into(),
            sop_instance: uids::STORAGE_COMMITMENT_INSTANCE.into(),
            type_id: Some(event_type_id),
            has_data_set: true,
        });
        let data_set = encode_commitment_report(&report, &self.syntax);
        self.send(command, Some(&data_set)).await;
        let (answer, _) = self.message().await.expect("no answer to the report");
        let Command::Response(answer) = answer else { panic!("{answer:?}") };
        assert!(answer.is_to(NormalizedService::EventReport) && answer.message_id == 77);
        assert_eq!(answer.type_id, Some(event_type_id));
        self.seen.answers.push(answer.status.0);
    }

    /// Sends two bytes at a time, until the peer has enough.
    async fn drip(&mut self, command: Command) {
        let writer = PDataWriter::new(1, 8);
        let mut pdus = Vec::new();
        writer.put(&mut pdus, FragmentKind::Command, &command.encode());
        for pdu in pdus.chunks(14) {
            if self.connection.send(pdu, PATIENCE).await.is_err() {
                return;
            }
            tokio::time::sleep(SHORT).await;
        }
    }

    async fn send(&mut self, command: Command, data_set: Option<&[u8]>) {
        let writer = PDataWriter::new(1, 100);
        let mut pdus = Vec::new();
        writer.put(&mut pdus, FragmentKind::Command, &command.encode());
        if let Some(data_set) = data_set {
            writer.put(&mut pdus, FragmentKind::DataSet, data_set);
        }
        self.connection.send(&pdus, PATIENCE).await.unwrap();
    }
}

fn references(count: usize) -> Vec<InstanceReference> {
    let reference = |number| InstanceReference {
        sop_class: SopClassUid::parse("1.2.840.10008.5.1.4.1.1.66.4").unwrap(),
        sop_instance: SopInstanceUid::parse(&format!("2.25.{number}")).unwrap(),
    };
    (0..count).map(reference).collect()
}

fn request() -> CommitmentRequest {
    let transaction = TransactionUid::parse("2.25.99").unwrap();
    CommitmentRequest { transaction, references: references(3) }
}

/// Asks; gives the outcome, the reports that came over the association, and what the other side saw.
async fn ask(
    act: Act,
    wait: Duration,
) -> (Result<Requested, ScuError>, Vec<CommitmentReport>, Seen) {
    let (to, task) = start(act).await;
    let mut reports = Vec::new();
    let mut on_report = |report: &CommitmentReport| {
        reports.push(report.clone());
        Ok(())
    };
    let (request, limits) = (request(), Limits::default());
    let times = (wait, &TIMEOUTS);
    let requested = request_commitment(&to, &request, times, &limits, &mut on_report).await;
    (requested, reports, seen(task).await)
}

const SHORT: Duration = Duration::from_millis(50);

#[tokio::test]
async fn an_answer_that_drips_is_not_waited_for_longer_than_any_other() {
    let (to, task) = start(Act::AnswerInDrips).await;
    let timeouts = scu::Timeouts { io: 6 * SHORT, ..TIMEOUTS };
    let (request, limits) = (request(), Limits::default());
    let mut on_report = |_: &CommitmentReport| Ok(());
    let asked =
        request_commitment(&to, &request, (PATIENCE, &timeouts), &limits, &mut on_report).await;
    assert!(matches!(asked, Err(ScuError::Connection(ConnectionError::TimedOut(_)))), "{asked:?}");
    seen(task).await;
}

#[tokio::test]
async fn a_report_over_the_same_association_whenever_it_comes() {
    for (act, answers) in [
        (Act::AnswerAndReport, vec![0]),
        (Act::ReportAndAnswer, vec![0]),
        (Act::AnswerAndSendNonsense, vec![0x0113, 0]),
    ] {
        let (requested, reports, seen) = ask(act, PATIENCE).await;
        assert_eq!(requested.unwrap(), Requested::Taken, "{act:?}");
        assert_eq!(seen.asked, [request()]);
        assert_eq!(seen.requests[0].sop_instance, uids::STORAGE_COMMITMENT_INSTANCE);
        assert_eq!((seen.requests[0].type_id, seen.roles), (Some(1), vec![]));
        assert_eq!(reports.len(), 1, "{act:?}");
        assert_eq!((reports[0].committed.len(), reports[0].failed.len()), (1, 2));
        assert_eq!((seen.answers, seen.is_released), (answers, true), "{act:?}");
    }
}

#[tokio::test]
async fn without_a_report_the_association_is_released_after_a_while() {
    let (requested, reports, seen) = ask(Act::Answer(0), SHORT).await;
    assert_eq!((requested.unwrap(), reports), (Requested::Taken, vec![]));
    assert!(seen.is_released);
}

#[tokio::test]
async fn what_was_taken_stays_taken_when_the_association_ends() {
    let (requested, _, seen) = ask(Act::AnswerAndClose, PATIENCE).await;
    assert_eq!(requested.unwrap(), Requested::Taken);
    assert!(!seen.is_released);
}

#[tokio::test]
async fn refusals_are_told_with_their_words() {
    let (requested, _, seen) = ask(Act::Answer(0x0213), PATIENCE).await;
    let refused = Requested::Refused { status: 0x0213, comment: "because".into() };
    assert_eq!(requested.unwrap(), refused);
    assert!(seen.is_released);
    let (requested, _, seen) = ask(Act::AcceptNothing, PATIENCE).await;
    assert!(matches!(requested, Err(ScuError::CommitmentNotAccepted)), "{requested:?}");
    assert!(seen.is_released && seen.asked.is_empty());
}

async fn tell(act: Act) -> (Result<(), ScuError>, Seen) {
    let (to, task) = start(act).await;
    let told = report_commitment(&to, &report(), &TIMEOUTS).await;
    (told, seen(task).await)
}

fn report() -> CommitmentReport {
    CommitmentReport {
        transaction: TransactionUid::parse("2.25.99").unwrap(),
        committed: references(2),
        failed: vec![],
    }
}

#[tokio::test]
async fn a_report_that_we_owe_goes_in_the_role_of_scp() {
    for act in [Act::Answer(0), Act::IgnoreTheRole] {
        let (told, seen) = tell(act).await;
        told.unwrap();
        let sop_class = uids::STORAGE_COMMITMENT.to_owned();
        assert_eq!(seen.roles, [RoleSelection { sop_class, roles: Roles::SCP }]);
        assert_eq!((seen.told, seen.requests[0].type_id), (vec![report()], Some(1)));
        assert!(seen.is_released);
    }
}

#[tokio::test]
async fn a_report_that_is_not_taken_is_an_error() {
    let (told, _) = tell(Act::Answer(0x0110)).await;
    let text = told.unwrap_err().to_string();
    assert_eq!(text, "N-EVENT-REPORT answered with status 0110 (Processing failure) because");
    for act in [Act::AcceptNothing, Act::RefuseTheRole] {
        let (told, seen) = tell(act).await;
        assert!(matches!(told, Err(ScuError::CommitmentNotAccepted)), "{told:?}");
        assert!(seen.is_released && seen.told.is_empty());
    }
}

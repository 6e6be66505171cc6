//! Storage commitment with peers that ask, peers that report, and peers that do neither well.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dimse::{
    Command, FragmentKind, NormalizedRequest, NormalizedService, OtherRequest, PDataWriter,
    Response, RoleSelection, Roles, Status, decode_commitment_report, encode_commitment_report,
    encode_commitment_request, uids,
};
use domain::{
    Announced, AssociationId, CommitmentRefusal, CommitmentReport, CommitmentRequest,
    CommitmentRoles, Commitments, FailureReason, InstanceOrigin, InstanceReference, Intake, Limits,
    Part, Parting, Refusal, RequestId, SharedCommitments, SopClassUid, SopInstanceUid,
    TransactionUid,
};
use tokio::time::{Instant, sleep, timeout};

use crate::support::*;

pub(crate) const BOTH: CommitmentRoles = CommitmentRoles { may_ask: true, may_report: true };

/// What the node was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    Asked(String, CommitmentRequest),
    Reported(String, CommitmentReport),
    Told(i64, CommitmentReport),
    Left(i64),
}

/// A node that commits to everything it is asked for, and writes down what it hears.
pub(crate) struct Ledger {
    roles: CommitmentRoles,
    refusal: Option<CommitmentRefusal>,
    heard: Mutex<Vec<Heard>>,
    /// Whether requests are told apart: they are numbered from 7 on then, and else all are 7.
    numbers: bool,
}

impl Ledger {
    pub(crate) fn new(roles: CommitmentRoles, refusal: Option<CommitmentRefusal>) -> Arc<Self> {
        Arc::new(Self { roles, refusal, heard: Mutex::default(), numbers: false })
    }

    /// One that tells requests apart.
    fn numbering(roles: CommitmentRoles) -> Arc<Self> {
        Arc::new(Self { roles, refusal: None, heard: Mutex::default(), numbers: true })
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    fn hear<T>(&self, heard: Heard, value: T) -> Result<T, CommitmentRefusal> {
        self.heard.lock().unwrap().push(heard);
        self.refusal.clone().map_or(Ok(value), Err)
    }

    /// Waits until it heard so many things.
    pub(crate) async fn wait(&self, count: usize) -> Vec<Heard> {
        let enough = async {
            while self.heard().len() < count {
                sleep(Duration::from_millis(5)).await;
            }
        };
        assert!(timeout(PATIENCE, enough).await.is_ok(), "{:?}", self.heard());
        self.heard()
    }
}

impl Commitments for Ledger {
    fn roles(&self) -> CommitmentRoles {
        self.roles
    }

    fn ask(
        &self,
        origin: &InstanceOrigin,
        request: &CommitmentRequest,
    ) -> Result<RequestId, CommitmentRefusal> {
        let before = if self.numbers { self.heard().len() } else { 0 };
        let id = RequestId(7 + i64::try_from(before).unwrap());
        self.hear(Heard::Asked(origin.calling.to_string(), request.clone()), id)
    }

    fn report(&self, request: RequestId) -> Option<CommitmentReport> {
        assert!(request == RequestId(7) || self.numbers);
        Some(report())
    }

    fn told(&self, request: RequestId, report: &CommitmentReport) {
        self.hear(Heard::Told(request.0, report.clone()), ()).unwrap();
    }

    fn left(&self, request: RequestId) {
        self.hear(Heard::Left(request.0), ()).unwrap();
    }

    fn reported(
        &self,
        origin: &InstanceOrigin,
        report: &CommitmentReport,
    ) -> Result<(), CommitmentRefusal> {
        self.hear(Heard::Reported(origin.calling.to_string(), report.clone()), ())
    }
}

pub(crate) struct Handle(pub(crate) Arc<Ledger>);

impl Intake for Handle {
    fn begin(&self, _: &InstanceOrigin, _: &Announced) -> Result<Box<dyn Part>, Refusal> {
        Err(Refusal::OutOfResources("nothing is stored here".into()))
    }

    fn commitments(&self) -> Option<SharedCommitments> {
        let ledger: SharedCommitments = Arc::<Ledger>::clone(&self.0);
        Some(ledger)
    }

    fn association_closed(&self, _: AssociationId, _: Parting) {}
}

fn references(count: usize) -> Vec<InstanceReference> {
    let reference = |number| InstanceReference {
        sop_class: SopClassUid::parse(CT).unwrap(),
        sop_instance: SopInstanceUid::parse(&format!("2.25.{number}")).unwrap(),
    };
    (0..count).map(reference).collect()
}

fn transaction() -> TransactionUid {
    TransactionUid::parse("2.25.99").unwrap()
}

pub(crate) fn asked(count: usize) -> CommitmentRequest {
    CommitmentRequest { transaction: transaction(), references: references(count) }
}

pub(crate) fn report() -> CommitmentReport {
    let mut references = references(2);
    let failed = vec![(references.pop().unwrap(), FailureReason::NO_SUCH_OBJECT_INSTANCE)];
    CommitmentReport { transaction: transaction(), committed: references, failed }
}

async fn start(ledger: &Arc<Ledger>, limits: Limits) -> Server {
    let intake = Arc::new(Handle(Arc::clone(ledger)));
    let settings = scp::ScpSettings { limits, ..settings() };
    Server::start_with(settings, intake, Memory::new(Mood::Good)).await
}

/// An association with contexts 1 CT, 3 Storage Commitment.
async fn open(server: &Server) -> Peer {
    let contexts = vec![
        context(1, CT, uids::EXPLICIT_VR_LITTLE_ENDIAN),
        context(3, uids::STORAGE_COMMITMENT, uids::IMPLICIT_VR_LITTLE_ENDIAN),
        context(5, uids::VERIFICATION, uids::IMPLICIT_VR_LITTLE_ENDIAN),
    ];
    Peer::open_with(server, request(contexts)).await.unwrap()
}

fn normalized(service: NormalizedService, type_id: u16) -> NormalizedRequest {
    NormalizedRequest {
        service,
        message_id: 31,
        sop_class: uids::STORAGE_COMMITMENT.into(),
        sop_instance: uids::STORAGE_COMMITMENT_INSTANCE.into(),
        type_id: Some(type_id),
        has_data_set: true,
    }
}

fn message(context_id: u8, command: &Command, data_set: Option<&[u8]>) -> Vec<u8> {
    let writer = PDataWriter::new(context_id, 16_384);
    let mut pdus = Vec::new();
    writer.put(&mut pdus, FragmentKind::Command, &command.encode());
    if let Some(data_set) = data_set {
        writer.put(&mut pdus, FragmentKind::DataSet, data_set);
    }
    pdus
}

/// Sends a request on a context and gives the response.
async fn exchange(
    peer: &mut Peer,
    context_id: u8,
    request: NormalizedRequest,
    data_set: &[u8],
) -> Response {
    let data_set = request.has_data_set.then_some(data_set);
    let pdus = message(context_id, &Command::NormalizedRequest(request), data_set);
    peer.send(&pdus).await;
    peer.response().await.unwrap()
}

fn request_bytes(count: usize) -> Vec<u8> {
    encode_commitment_request(&asked(count), uids::IMPLICIT_VR_LITTLE_ENDIAN)
}

fn report_bytes() -> Vec<u8> {
    encode_commitment_report(&report(), uids::IMPLICIT_VR_LITTLE_ENDIAN)
}

async fn ask(peer: &mut Peer) -> Response {
    exchange(peer, 3, normalized(NormalizedService::Action, 1), &request_bytes(2)).await
}

#[tokio::test]
async fn a_peer_that_stays_gets_the_report_over_its_association() {
    for (status, is_taken) in [(0, true), (0x0110, false)] {
        let ledger = Ledger::new(BOTH, None);
        let server = start(&ledger, Limits::default()).await;
        let mut peer = open(&server).await;
        let response = ask(&mut peer).await;
        assert_eq!((response.status, response.type_id), (Status::SUCCESS, Some(1)));
        assert_eq!(ledger.heard(), [Heard::Asked("TEST".into(), asked(2))]);
        let (event, data_set) = peer.request().await;
        let Command::NormalizedRequest(event) = event else { panic!("{event:?}") };
        assert_eq!(event.service, NormalizedService::EventReport);
        assert_eq!(event.type_id, Some(2), "one failed");
        let syntax = uids::IMPLICIT_VR_LITTLE_ENDIAN;
        let told = decode_commitment_report(&data_set, syntax, &Limits::default()).unwrap();
        assert_eq!(told, report());
        // The peer may go on while it has not answered.
        assert_eq!(peer.echo().await, SUCCESS);
        let response = Response::to_normalized(&event, Status(status), "");
        peer.send(&message(3, &Command::Response(response), None)).await;
        let last = ledger.wait(2).await.pop().unwrap();
        let want = if is_taken { Heard::Told(7, report()) } else { Heard::Left(7) };
        assert_eq!(last, want);
        assert_eq!(peer.release().await, Answer::Released);
        server.stop().await;
        assert_eq!(ledger.heard().len(), 2, "once");
    }
}

#[tokio::test]
async fn a_peer_that_goes_gets_it_another_way() {
    for releases in [true, false] {
        let ledger = Ledger::new(BOTH, None);
        let server = start(&ledger, Limits::default()).await;
        let mut peer = open(&server).await;
        assert_eq!(ask(&mut peer).await.status, Status::SUCCESS);
        if releases {
            assert_eq!(peer.release().await, Answer::Released);
        }
        drop(peer);
        assert_eq!(ledger.wait(2).await[1], Heard::Left(7));
    }
}

#[tokio::test]
async fn a_response_that_nobody_waits_for_ends_the_association() {
    let ledger = Ledger::new(BOTH, None);
    let server = start(&ledger, Limits::default()).await;
    let mut peer = open(&server).await;
    let event = normalized(NormalizedService::EventReport, 1);
    let response = Command::Response(Response::to_normalized(&event, Status::SUCCESS, ""));
    peer.send(&message(3, &response, None)).await;
    assert_eq!(peer.answer().await, Answer::Aborted(0, 0));
}

#[tokio::test]
async fn a_report_is_taken_from_a_peer_that_is_scp() {
    let ledger = Ledger::new(BOTH, None);
    let server = start(&ledger, Limits::default()).await;
    let contexts = vec![context(3, uids::STORAGE_COMMITMENT, uids::IMPLICIT_VR_LITTLE_ENDIAN)];
    let mut asked = request(contexts);
    let sop_class = uids::STORAGE_COMMITMENT.to_owned();
    asked.user.roles = vec![RoleSelection { sop_class, roles: Roles::SCP }];
    let mut peer = Peer::connect(&server).await;
    peer.send(&asked.encode()).await;
    let Some(dimse::Pdu::AssociateAccept(accept)) = peer.pdu().await else { panic!("rejected") };
    assert_eq!(accept.user.roles, asked.user.roles);
    let event = normalized(NormalizedService::EventReport, 2);
    let response = exchange(&mut peer, 3, event, &report_bytes()).await;
    assert_eq!(response.status, Status::SUCCESS);
    assert_eq!(ledger.heard(), [Heard::Reported("TEST".into(), report())]);
    assert_eq!(peer.release().await, Answer::Released);
}

#[tokio::test]
async fn what_the_node_does_not_take_is_told_with_its_status() {
    let table = [
        (CommitmentRefusal::UnknownTransaction, 0x0115),
        (CommitmentRefusal::NotAsked("X".into()), 0x0124),
        (CommitmentRefusal::ResourceLimitation("x".into()), 0x0213),
        (CommitmentRefusal::ProcessingFailure("x".into()), 0x0110),
    ];
    for (refusal, status) in table {
        let ledger = Ledger::new(BOTH, Some(refusal));
        let server = start(&ledger, Limits::default()).await;
        let mut peer = open(&server).await;
        assert_eq!(ask(&mut peer).await.status, Status(status));
        let event = normalized(NormalizedService::EventReport, 1);
        let response = exchange(&mut peer, 3, event, &report_bytes()).await;
        assert_eq!(response.status, Status(status));
        assert_eq!(peer.release().await, Answer::Released);
        server.stop().await;
        assert_eq!(ledger.heard().len(), 2, "nothing is owed");
    }
}

#[tokio::test]
async fn every_request_has_one_response_whatever_it_is() {
    let ledger = Ledger::new(BOTH, None);
    let server = start(&ledger, Limits::default()).await;
    let mut peer = open(&server).await;
    let action = || normalized(NormalizedService::Action, 1);
    let event = || normalized(NormalizedService::EventReport, 1);
    let other_class = NormalizedRequest { sop_class: CT.into(), ..action() };
    let other_instance = NormalizedRequest { sop_instance: "1.2.3".into(), ..action() };
    let no_type = NormalizedRequest { type_id: None, ..event() };
    let no_data_set = NormalizedRequest { has_data_set: false, ..action() };
    let table = [
        (3, other_class, 0x0118),
        (3, other_instance, 0x0112),
        (3, NormalizedRequest { type_id: Some(2), ..action() }, 0x0123),
        (3, NormalizedRequest { type_id: Some(9), ..event() }, 0x0113),
        (3, no_type, 0x0113),
        (3, no_data_set, 0x0120),
        (3, action(), 0x0115), // the data set is noise
        (3, event(), 0x0115),
        (1, action(), 0x0211), // not on a context of this SOP class
        (5, event(), 0x0211),
    ];
    for (context_id, request, status) in table {
        let response = exchange(&mut peer, context_id, request.clone(), b"no data set").await;
        assert_eq!(response.status, Status(status), "{request:?}");
        assert_eq!(response.message_id, request.message_id);
        assert!(response.is_to(request.service));
    }
    // N-GET, N-SET, N-CREATE, N-DELETE, C-FIND and what does not exist.
    for field in [0x0110, 0x0120, 0x0140, 0x0150, 0x0020, 0x0777] {
        for has_data_set in [false, true] {
            let sop_class = Some(uids::STORAGE_COMMITMENT.to_owned());
            let other = OtherRequest { field, message_id: 5, sop_class, has_data_set };
            let data_set = has_data_set.then_some(b"anything".as_slice());
            peer.send(&message(3, &Command::OtherRequest(other), data_set)).await;
            let response = peer.response().await.unwrap();
            assert_eq!((response.request_field, response.status.0), (field, 0x0211));
        }
    }
    assert_eq!(ledger.heard(), []);
    assert_eq!(peer.release().await, Answer::Released);
}

#[tokio::test]
async fn roles_that_are_not_wanted_are_not_taken() {
    for (roles, action, event) in [
        (CommitmentRoles { may_ask: true, may_report: false }, 0, 0x0211),
        (CommitmentRoles { may_ask: false, may_report: true }, 0x0211, 0),
    ] {
        let ledger = Ledger::new(roles, None);
        let server = start(&ledger, Limits::default()).await;
        let mut peer = open(&server).await;
        assert_eq!(ask(&mut peer).await.status, Status(action));
        let request = normalized(NormalizedService::EventReport, 2);
        let response = exchange(&mut peer, 3, request, &report_bytes()).await;
        assert_eq!(response.status, Status(event));
    }
    // Nobody wants either: the SOP class is not offered.
    let ledger = Ledger::new(CommitmentRoles::default(), None);
    let server = start(&ledger, Limits::default()).await;
    let mut peer = open(&server).await;
    let request = Command::NormalizedRequest(normalized(NormalizedService::Action, 1));
    peer.send(&message(3, &request, None)).await;
    assert_eq!(peer.answer().await, Answer::Aborted(2, 5), "a context that was not accepted");
}

#[tokio::test]
async fn requests_are_as_long_as_is_allowed_and_no_longer() {
    let ledger = Ledger::new(BOTH, None);
    let limits = Limits { commitment_references_max: 100, ..Limits::default() };
    let server = start(&ledger, limits).await;
    let mut peer = open(&server).await;
    let action = || normalized(NormalizedService::Action, 1);
    let long = exchange(&mut peer, 3, action(), &request_bytes(101)).await;
    assert_eq!(long.status, Status::RESOURCE_LIMITATION);
    let endless = exchange(&mut peer, 3, action(), &vec![0; 3_000_000]).await;
    assert_eq!(endless.status, Status::RESOURCE_LIMITATION);
    assert_eq!(ledger.heard(), []);
    let response = exchange(&mut peer, 3, action(), &request_bytes(100)).await;
    assert_eq!(response.status, Status::SUCCESS);
}

/// Few references, so that what eight messages may hold together is little.
fn short() -> Limits {
    Limits { commitment_references_max: 100, ..Limits::default() }
}

fn fragment(bytes: &[u8], ends: bool) -> Vec<u8> {
    let mut pdu = Vec::new();
    PDataWriter::new(3, 1 << 20).put(&mut pdu, FragmentKind::DataSet, bytes);
    // The message control header (PS3.8 §E.2): bit 0 a command, bit 1 the last fragment.
    pdu[11] = if ends { 2 } else { 0 };
    pdu
}

#[tokio::test]
async fn only_so_much_is_held_at_a_time() {
    let ledger = Ledger::new(BOTH, None);
    let server = start(&ledger, short()).await;
    let command = Command::NormalizedRequest(normalized(NormalizedService::Action, 1));
    let mut peers = Vec::new();
    for _ in 0..8 {
        let mut peer = open(&server).await;
        peer.send(&message(3, &command, None)).await;
        for _ in 0..20 {
            peer.send(&fragment(&[0; 10_000], false)).await;
        }
        peers.push(peer);
    }
    sleep(Duration::from_millis(200)).await;
    let mut late = open(&server).await;
    assert_eq!(ask(&mut late).await.status, Status::RESOURCE_LIMITATION);
    for peer in &mut peers {
        peer.send(&fragment(&[0; 2], true)).await;
        assert_eq!(peer.answer().await, Answer::Status(0x0213));
    }
    assert_eq!(ask(&mut late).await.status, Status::SUCCESS);
}

#[tokio::test]
async fn who_asks_and_sends_nothing_keeps_nobody_from_asking() {
    let ledger = Ledger::new(BOTH, None);
    let server = start(&ledger, short()).await;
    let command = Command::NormalizedRequest(normalized(NormalizedService::Action, 1));
    let mut peers = Vec::new();
    for _ in 0..20 {
        let mut peer = open(&server).await;
        peer.send(&message(3, &command, None)).await;
        peer.send(&fragment(&[0; 40], false)).await;
        peers.push(peer);
    }
    sleep(Duration::from_millis(200)).await;
    assert_eq!(ask(&mut open(&server).await).await.status, Status::SUCCESS);
}

#[tokio::test]
async fn a_data_set_in_drops_is_not_held() {
    let ledger = Ledger::new(BOTH, None);
    let idle_timeout = Duration::from_millis(600);
    let server = start(&ledger, Limits { idle_timeout, slow_bytes_min: 0, ..short() }).await;
    let mut peer = open(&server).await;
    let command = Command::NormalizedRequest(normalized(NormalizedService::Action, 1));
    peer.send(&message(3, &command, None)).await;
    let bytes = request_bytes(2);
    let (last, all_but_last) = bytes.split_last().unwrap();
    peer.send(&fragment(all_but_last, false)).await;
    for _ in 0..4 {
        sleep(Duration::from_millis(200)).await;
        peer.send(&fragment(&[], false)).await;
    }
    peer.send(&fragment(&[*last], true)).await;
    assert_eq!(peer.answer().await, Answer::Status(0x0213));
    assert_eq!(ledger.heard(), []);
}

/// Takes the report that comes next, as a peer that has nothing else to say.
async fn take_report(peer: &mut Peer) {
    let (event, _) = peer.request().await;
    let Command::NormalizedRequest(event) = event else { panic!("{event:?}") };
    let response = Response::to_normalized(&event, Status(0), "");
    peer.send(&message(3, &Command::Response(response), None)).await;
}

#[tokio::test]
async fn a_peer_that_listens_gets_one_report_behind_the_other() {
    let ledger = Ledger::numbering(BOTH);
    let server = start(&ledger, Limits::default()).await;
    let mut peer = open(&server).await;
    for _ in 0..4 {
        assert_eq!(ask(&mut peer).await.status, Status::SUCCESS);
    }
    take_report(&mut peer).await;
    let began = Instant::now();
    for _ in 0..3 {
        take_report(&mut peer).await;
    }
    // With the second that only the first of them waits for, these would take three.
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let told = (7..11).map(|id| Heard::Told(id, report()));
    assert_eq!(ledger.wait(8).await[4..], told.collect::<Vec<_>>());
}

#[tokio::test]
async fn a_request_that_comes_again_is_owed_one_report() {
    let ledger = Ledger::new(BOTH, None);
    let server = start(&ledger, Limits::default()).await;
    let mut peer = open(&server).await;
    for _ in 0..5 {
        assert_eq!(ask(&mut peer).await.status, Status::SUCCESS);
    }
    take_report(&mut peer).await;
    ledger.wait(6).await;
    assert_eq!(peer.release().await, Answer::Released);
    server.stop().await;
    let heard = ledger.heard();
    let told = heard.iter().filter(|heard| matches!(heard, Heard::Told(..))).count();
    assert_eq!((told, heard.len()), (1, 6));
}

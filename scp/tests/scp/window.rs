//! The asynchronous operations window: instances that are read while earlier ones are still on their way to the disk.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dimse::{AssociateRequest, Command, FragmentKind, OperationsWindow, PDataWriter, Status, uids};
use domain::{
    Announced, AssociationId, InstanceIdentity, InstanceOrigin, Intake, Part, Parting, Refusal,
    Stored,
};
use scp::ScpSettings;
use tokio::time::{sleep, timeout};

use crate::support::*;

/// An intake that answers nothing before it is told to.
#[derive(Default)]
struct Holding(Mutex<Vec<(String, Stored)>>);

struct Handle(Arc<Holding>);

struct HeldPart(Arc<Holding>);

impl Intake for Handle {
    fn begin(&self, _: &InstanceOrigin, _: &Announced) -> Result<Box<dyn Part>, Refusal> {
        Ok(Box::new(HeldPart(Arc::clone(&self.0))))
    }

    fn association_closed(&self, _: AssociationId, _: Parting) {}
}

impl Part for HeldPart {
    fn write(&mut self, _: &[&[u8]]) -> Result<(), Refusal> {
        Ok(())
    }

    fn publish(self: Box<Self>, identity: InstanceIdentity, stored: Stored) {
        self.0.0.lock().unwrap().push((identity.sop_instance.to_string(), stored));
    }
}

impl Holding {
    fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|(name, _)| name.clone()).collect()
    }

    /// Waits until just these are held, and stay the only ones for a while.
    async fn holds(&self, names: &[&str]) {
        let reached = async {
            while self.names() != names {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = timeout(PATIENCE, reached).await;
        assert!(waited.is_ok(), "holds {:?}, not {names:?}", self.names());
        sleep(Duration::from_millis(100)).await;
        assert_eq!(self.names(), names);
    }

    fn answer(&self, name: &str, outcome: Result<(), Refusal>) {
        let mut held = self.0.lock().unwrap();
        let at = held.iter().position(|(held, _)| held == name).unwrap();
        let (_, stored) = held.remove(at);
        drop(held);
        stored(outcome);
    }
}

async fn start(window: Option<u16>) -> (Server, Peer, Arc<Holding>) {
    start_with(settings(), window).await
}

async fn start_with(settings: ScpSettings, window: Option<u16>) -> (Server, Peer, Arc<Holding>) {
    let holding = Arc::<Holding>::default();
    let intake = Arc::new(Handle(Arc::clone(&holding)));
    let server = Server::start_with(settings, intake, Memory::new(Mood::Good)).await;
    let contexts = vec![
        context(1, CT, uids::EXPLICIT_VR_LITTLE_ENDIAN),
        context(5, uids::VERIFICATION, uids::IMPLICIT_VR_LITTLE_ENDIAN),
    ];
    let mut asked: AssociateRequest = request(contexts);
    asked.user.operations_window = window.map(|invoked| OperationsWindow { invoked, performed: 1 });
    let peer = Peer::open_with(&server, asked).await.unwrap();
    (server, peer, holding)
}

async fn send(peer: &mut Peer, names: &[&str]) {
    for name in names {
        let message = peer.message(CT, name, &data_set(name, 50_000));
        peer.send(&message).await;
    }
}

/// The next response: which instance, and its status.
async fn answered(peer: &mut Peer) -> (String, Status) {
    let response = peer.response().await.unwrap();
    (response.sop_instance.unwrap_or_default(), response.status)
}

const NAMES: [&str; 5] = ["1.2.1", "1.2.2", "1.2.3", "1.2.4", "1.2.5"];

#[tokio::test]
async fn as_many_as_were_agreed_are_read_ahead_and_answered_in_order() {
    let (_server, mut peer, holding) = start(Some(4)).await;
    // One more than was agreed: it waits in the system's buffers.
    send(&mut peer, &NAMES).await;
    holding.holds(&NAMES[..4]).await;
    // Durable in any order; a failure in the middle is told as what it is.
    holding.answer(NAMES[3], Ok(()));
    holding.answer(NAMES[1], Err(Refusal::OutOfResources("full".into())));
    holding.answer(NAMES[2], Ok(()));
    let early = timeout(Duration::from_millis(100), answered(&mut peer)).await;
    assert!(early.is_err(), "nothing may overtake the first");
    holding.answer(NAMES[0], Ok(()));
    for (name, status) in NAMES.iter().zip([0, 0xA700, 0, 0]) {
        assert_eq!(answered(&mut peer).await, ((*name).to_owned(), Status(status)));
    }
    holding.holds(&NAMES[4..]).await;
    holding.answer(NAMES[4], Ok(()));
    assert_eq!(answered(&mut peer).await.1, Status::SUCCESS);
    assert_eq!(peer.release().await, Answer::Released);
}

#[tokio::test]
async fn without_a_window_nothing_is_read_before_the_answer() {
    for window in [None, Some(1)] {
        let (_server, mut peer, holding) = start(window).await;
        send(&mut peer, &NAMES[..2]).await;
        for name in &NAMES[..2] {
            holding.holds(&[name]).await;
            holding.answer(name, Ok(()));
            assert_eq!(answered(&mut peer).await.0, *name);
        }
    }
}

#[tokio::test]
async fn who_leaves_before_its_answers_keeps_its_place_until_they_are_known() {
    let mut settings = settings();
    settings.limits.associations_max = 1;
    let (server, mut peer, holding) = start_with(settings, Some(4)).await;
    send(&mut peer, &NAMES[..2]).await;
    holding.holds(&NAMES[..2]).await;
    drop(peer);
    sleep(Duration::from_millis(100)).await;
    assert!(Peer::open(&server).await.is_err(), "two files are still open");
    holding.answer(NAMES[0], Ok(()));
    assert!(Peer::open(&server).await.is_err(), "one is");
    holding.answer(NAMES[1], Ok(()));
    assert!(Peer::open(&server).await.is_ok());
}

#[tokio::test]
async fn no_limit_is_our_limit() {
    let (_server, mut peer, holding) = start(Some(0)).await;
    let names: Vec<String> = (0..17).map(|number| format!("1.2.{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    send(&mut peer, &names).await;
    holding.holds(&names[..16]).await;
}

#[tokio::test]
async fn an_echo_in_between_is_answered_in_its_turn_and_a_release_at_the_end() {
    let (_server, mut peer, holding) = start(Some(8)).await;
    send(&mut peer, &NAMES[..1]).await;
    let mut pdus = Vec::new();
    let echo = Command::EchoRequest { message_id: 99 };
    PDataWriter::new(5, 0).put(&mut pdus, FragmentKind::Command, &echo.encode());
    peer.send(&pdus).await;
    send(&mut peer, &NAMES[1..2]).await;
    peer.send(&dimse::encode_release_request()).await;
    holding.holds(&NAMES[..2]).await;
    holding.answer(NAMES[1], Ok(()));
    holding.answer(NAMES[0], Ok(()));
    let responses = [peer.response().await, peer.response().await, peer.response().await];
    let ids: Vec<_> = responses.into_iter().map(|r| r.unwrap().message_id).collect();
    assert_eq!(ids, [1, 99, 2]);
    assert_eq!(peer.answer().await, Answer::Released);
}

#[tokio::test]
async fn a_peer_that_aborts_with_instances_outstanding_takes_nobody_along() {
    let (server, mut peer, holding) = start(Some(8)).await;
    send(&mut peer, &NAMES[..3]).await;
    holding.holds(&NAMES[..3]).await;
    peer.send(&dimse::Abort::SERVICE_USER.encode()).await;
    assert_eq!(peer.answer().await, Answer::Closed);
    for name in &NAMES[..3] {
        holding.answer(name, Ok(()));
    }
    let mut other = Peer::open(&server).await.unwrap();
    assert_eq!(other.echo().await, SUCCESS);
}

#[tokio::test]
async fn a_node_that_stops_answers_what_is_outstanding_first() {
    let (server, mut peer, holding) = start(Some(8)).await;
    send(&mut peer, &NAMES[..2]).await;
    holding.holds(&NAMES[..2]).await;
    let stopping = tokio::spawn(server.stop());
    sleep(Duration::from_millis(50)).await;
    holding.answer(NAMES[0], Ok(()));
    holding.answer(NAMES[1], Ok(()));
    assert_eq!(answered(&mut peer).await.0, NAMES[0]);
    assert_eq!(answered(&mut peer).await.0, NAMES[1]);
    assert_eq!(peer.answer().await, Answer::Aborted(0, 0));
    drop(peer);
    stopping.await.unwrap();
}

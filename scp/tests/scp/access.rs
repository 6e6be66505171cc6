//! Who may what, and how much; who the user is.

use std::sync::Arc;
use std::time::Duration;

use dimse::{Command, FragmentKind, IdentityItem, PDataWriter, Pdu, Rejection, UserIdentity, uids};
use domain::{
    AeTitle, Allowance, Identities, IdentityClaim, IdentityDemand, IdentityFault, IdentityKind,
    PeerRule, PeerTable, Secret, Service, SopClassUid,
};
use scp::ScpSettings;

use crate::support::*;

/// A rule that everybody is.
pub(crate) fn peer(name: &str) -> PeerRule {
    PeerRule {
        name: name.into(),
        calling: vec![],
        addresses: vec![],
        fingerprints: vec![],
        certificate_names: vec![],
        allowance: Allowance::default(),
    }
}

fn allowing(allowance: Allowance) -> ScpSettings {
    ScpSettings { peers: PeerTable(vec![PeerRule { allowance, ..peer("test") }]), ..settings() }
}

fn codes(rejection: Rejection) -> (u8, u8, u8) {
    (rejection.result, rejection.source, rejection.reason)
}

#[tokio::test]
async fn strangers_by_title_and_by_address() {
    let calling = vec![AeTitle::parse("TEST").unwrap()];
    let addresses = vec!["192.0.2.0/24".parse().unwrap()];
    let elsewhere = PeerRule { calling: calling.clone(), addresses, ..peer("elsewhere") };
    let peers = PeerTable(vec![elsewhere.clone()]);
    let server = Server::start(ScpSettings { peers, ..settings() }, Mood::Good).await;
    assert_eq!(codes(Peer::open(&server).await.err().unwrap()), (1, 1, 1));
    let other = PeerRule { calling: vec![AeTitle::parse("CT1").unwrap()], ..peer("ct") };
    let server =
        Server::start(ScpSettings { peers: PeerTable(vec![other]), ..settings() }, Mood::Good);
    assert_eq!(codes(Peer::open(&server.await).await.err().unwrap()), (1, 1, 3));
    let here = PeerRule { addresses: vec!["127.0.0.0/8".parse().unwrap()], ..elsewhere.clone() };
    let peers = PeerTable(vec![elsewhere, here]);
    let server = Server::start(ScpSettings { peers, ..settings() }, Mood::Good).await;
    assert!(Peer::open(&server).await.is_ok());
}

#[tokio::test]
async fn services_and_sop_classes_decide_on_presentation_contexts() {
    let sop_classes = vec![SopClassUid::parse(CT).unwrap()];
    let services = vec![Service::Storage];
    let server = Server::start(
        allowing(Allowance { services, sop_classes, ..Allowance::default() }),
        Mood::Good,
    )
    .await;
    let mut peer = Peer::connect(&server).await;
    let contexts = vec![
        context(1, CT, uids::EXPLICIT_VR_LITTLE_ENDIAN),
        context(3, MR, uids::EXPLICIT_VR_LITTLE_ENDIAN),
        context(5, uids::VERIFICATION, uids::IMPLICIT_VR_LITTLE_ENDIAN),
    ];
    peer.send(&request(contexts).encode()).await;
    let Some(Pdu::AssociateAccept(accept)) = peer.pdu().await else { panic!("not accepted") };
    let outcomes: Vec<_> = accept.contexts.iter().map(|answer| answer.outcome).collect();
    let no = dimse::ContextOutcome::AbstractSyntaxNotSupported;
    assert_eq!(outcomes, [dimse::ContextOutcome::Acceptance, no, no]);
    assert_eq!(peer.store("1.2.3.4.5", &data_set("1.2.3.4.5", 100)).await, SUCCESS);
}

#[tokio::test]
async fn a_peer_has_its_own_number_of_associations() {
    let two = Allowance { associations_max: Some(2), ..Allowance::default() };
    let limited = PeerRule {
        calling: vec![AeTitle::parse("TEST").unwrap()],
        allowance: two,
        ..peer("limited")
    };
    let peers = PeerTable(vec![limited, peer("rest")]);
    let server = Server::start(ScpSettings { peers, ..settings() }, Mood::Good).await;
    let mut inside = Peer::open(&server).await.unwrap();
    let _second = Peer::open(&server).await.unwrap();
    assert_eq!(codes(Peer::open(&server).await.err().unwrap()), (2, 3, 2));
    let mut other = request(vec![]);
    other.calling = "OTHER".into();
    assert!(Peer::open_with(&server, other).await.is_ok(), "another peer has places of its own");
    assert_eq!(inside.release().await, Answer::Released);
    assert!(Peer::open(&server).await.is_ok());
}

#[tokio::test]
async fn a_peer_has_its_own_amounts() {
    let length = data_set("1.2.3.4.5", 1_000).len() as u64;
    let amounts = Allowance {
        instances_per_minute_max: Some(2),
        instance_bytes_max: Some(length),
        ..Allowance::default()
    };
    let server = Server::start(allowing(amounts), Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    let too_long = peer.store("1.2.3.4.5", &data_set("1.2.3.4.5", 1_002)).await;
    assert_eq!(too_long, Answer::Status(0xA700));
    assert_eq!(peer.store("1.2.3.4.5", &data_set("1.2.3.4.5", 1_000)).await, SUCCESS);
    let mut again = Peer::open(&server).await.unwrap();
    let over = again.store("1.2.3.4.6", &data_set("1.2.3.4.6", 100)).await;
    assert_eq!(over, Answer::Status(0xA700), "over all associations of the peer");
    assert_eq!(again.echo().await, SUCCESS, "the association lives on");
    let bytes = Allowance { bytes_per_minute_max: Some(1_000), ..Allowance::default() };
    let server = Server::start(allowing(bytes), Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    assert_eq!(peer.store("1.2.3.4.5", &data_set("1.2.3.4.5", 5_000)).await, SUCCESS);
    let over = peer.store("1.2.3.4.6", &data_set("1.2.3.4.6", 100)).await;
    assert_eq!(over, Answer::Status(0xA700));
    assert_eq!(server.memory.count(), 1);
}

#[tokio::test]
async fn bytes_count_whatever_becomes_of_them() {
    let amounts = Allowance {
        bytes_per_minute_max: Some(1_000),
        instance_bytes_max: Some(2_000),
        ..Allowance::default()
    };
    let server = Server::start(allowing(amounts), Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    let too_long = peer.store("1.2.3.4.5", &data_set("1.2.3.4.5", 5_000)).await;
    assert_eq!(too_long, Answer::Status(0xA700));
    let over = peer.store("1.2.3.4.6", &data_set("1.2.3.4.6", 100)).await;
    assert_eq!(over, Answer::Status(0xA700), "the first one was read, if not kept");
    assert_eq!(server.memory.count(), 0);
}

#[tokio::test]
async fn an_echo_belongs_to_verification() {
    let server = Server::start(allowing(Allowance::default()), Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    let mut pdu = Vec::new();
    let echo = Command::EchoRequest { message_id: 9 }.encode();
    PDataWriter::new(1, 16_384).put(&mut pdu, FragmentKind::Command, &echo);
    peer.send(&pdu).await;
    assert_eq!(peer.answer().await, Answer::Status(0x0122));
    assert_eq!(peer.echo().await, SUCCESS);
}

/// Knows the passcode of everybody.
#[derive(Debug)]
pub(crate) struct Swordfish;

impl Identities for Swordfish {
    fn check(&self, claim: &IdentityClaim) -> Result<String, IdentityFault> {
        let wrong = Err(IdentityFault::Refused("wrong".into()));
        let IdentityClaim::Passcode { username, passcode } = claim else { return wrong };
        if passcode.expose() == b"swordfish" { Ok(username.clone()) } else { wrong }
    }
}

pub(crate) fn identified(claim: IdentityClaim, wants_response: bool) -> dimse::AssociateRequest {
    let mut request = request(vec![]);
    let identity = IdentityItem::Claim(UserIdentity { claim, wants_response });
    request.user.identity = Some(Box::new(identity));
    request
}

pub(crate) fn passcode(text: &str) -> IdentityClaim {
    let passcode = Secret::new(text.as_bytes().to_vec());
    IdentityClaim::Passcode { username: "ct1".into(), passcode }
}

#[tokio::test]
async fn user_identities_are_asked_for_checked_and_answered() {
    let identity = IdentityDemand { kinds: vec![IdentityKind::Passcode], users: vec![] };
    let mut settings = allowing(Allowance { identity, ..Allowance::default() });
    settings.identities = Some(Arc::new(Swordfish));
    let server = Server::start(settings, Mood::Good).await;
    assert_eq!(codes(Peer::open(&server).await.err().unwrap()), (1, 2, 1), "none given");
    for claim in [passcode("x"), IdentityClaim::Username("ct1".into()), IdentityClaim::Saml] {
        let refused = Peer::open_with(&server, identified(claim, true)).await;
        assert_eq!(codes(refused.err().unwrap()), (1, 2, 1));
    }
    for (asks, answer) in [(true, Some(IdentityItem::Response(vec![]))), (false, None)] {
        let mut peer = Peer::connect(&server).await;
        peer.send(&identified(passcode("swordfish"), asks).encode()).await;
        let Some(Pdu::AssociateAccept(accept)) = peer.pdu().await else { panic!("not accepted") };
        assert_eq!(accept.user.identity.map(|item| *item), answer);
    }
}

#[tokio::test]
async fn an_identity_that_nobody_asks_for_is_not_looked_at() {
    let server = Server::start(settings(), Mood::Good).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(&identified(passcode("x"), true).encode()).await;
    let Some(Pdu::AssociateAccept(accept)) = peer.pdu().await else { panic!("not accepted") };
    assert_eq!(accept.user.identity, None);
}

#[tokio::test]
async fn who_sends_byte_by_byte_is_aborted() {
    let mut settings = settings();
    settings.limits.idle_timeout = Duration::from_millis(400);
    settings.limits.slow_bytes_min = 1_000;
    let server = Server::start(settings, Mood::Good).await;
    // Within a data set, within its PDU header, and within a PDU that is no P-DATA-TF.
    for begin in [300, 0] {
        let mut slow = Peer::open(&server).await.unwrap();
        let pdus = slow.message(CT, "1.2.3.4.5", &data_set("1.2.3.4.5", 5_000));
        slow.send(&pdus[..begin]).await;
        drip(&mut slow, &pdus[begin..]).await;
    }
    let mut slow = Peer::open(&server).await.unwrap();
    drip(&mut slow, &request(vec![]).encode()).await;
    assert_eq!(server.memory.closed(3).await.len(), 3);
    assert_eq!(server.memory.count(), 0);
    let mut honest = Peer::open(&server).await.unwrap();
    assert_eq!(honest.store("1.2.3.4.5", &data_set("1.2.3.4.5", 5_000)).await, SUCCESS);
}

/// Sends a byte each 20 ms, far less than the limit on silence, until the other side has had enough.
async fn drip(peer: &mut Peer, bytes: &[u8]) {
    let dripping = async {
        for byte in bytes {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if peer.connection.send(&[*byte], PATIENCE).await.is_err() {
                break;
            }
        }
    };
    drop(tokio::time::timeout(Duration::from_secs(2), dripping).await);
    assert_eq!(peer.answer().await, Answer::Aborted(2, 0));
}

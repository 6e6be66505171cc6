//! Who offends again and again waits for each answer, and nobody else does.

use std::time::{Duration, Instant};

use dimse::{Abort, Command, FragmentKind, PDataWriter, Pdu, StoreRequest};

use crate::support::*;

/// What a pause takes, less what clocks may differ by.
const A_PAUSE: Duration = Duration::from_millis(190);
const A900: Answer = Answer::Status(0xA900);
const C000: Answer = Answer::Status(0xC000);

#[expect(clippy::disallowed_methods, reason = "the server is a stranger that is timed")]
fn now() -> Instant {
    Instant::now()
}

/// A data set that is none.
const BROKEN: &[u8] = b"no DICOM";

#[tokio::test]
async fn the_second_broken_image_waits_for_its_answer_and_a_good_one_behind_it_is_stored() {
    let server = Server::start(settings(), Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    assert_eq!(peer.store("1.1", BROKEN).await, C000);
    let before = now();
    assert_eq!(peer.store("1.2", BROKEN).await, C000);
    assert!(before.elapsed() >= A_PAUSE, "{:?}", before.elapsed());
    assert_eq!(peer.store("1.3", &data_set("1.3", 100)).await, SUCCESS);
    assert_eq!(peer.release().await, Answer::Released);
}

#[tokio::test]
async fn who_comes_anew_for_each_broken_image_waits_no_less() {
    let server = Server::start(settings(), Mood::Good).await;
    let before = now();
    for _ in 0..3 {
        let mut peer = Peer::open(&server).await.unwrap();
        assert_eq!(peer.store("1.1", BROKEN).await, C000);
    }
    assert!(before.elapsed() >= A_PAUSE * 2, "{:?}", before.elapsed());
}

/// C-STORE under this SOP Class on context 1, which is of CT.
async fn store_as(peer: &mut Peer, sop_class: &str, name: &str, data_set: &[u8]) -> Answer {
    let pdus = peer.message(sop_class, name, data_set);
    peer.send(&pdus).await;
    peer.answer().await
}

#[tokio::test]
async fn commands_that_are_wrong_by_themselves_wait_like_broken_images() {
    let server = Server::start(settings(), Mood::Good).await;
    let good = data_set("1.1", 10);
    let cases = [(CT, "no UID", C000), (MR, "1.1", Answer::Status(0x0122)), (CT, "1.2", A900)];
    for (sop_class, name, answer) in cases {
        let mut peer = Peer::open(&server).await.unwrap();
        assert_eq!(store_as(&mut peer, sop_class, name, &good).await, answer);
        let before = now();
        assert_eq!(store_as(&mut peer, sop_class, name, &good).await, answer);
        assert!(before.elapsed() >= A_PAUSE, "{name} {:?}", before.elapsed());
        assert_eq!(peer.store("1.1", &good).await, SUCCESS);
    }
}

#[tokio::test]
async fn commands_without_a_data_set_wait_too() {
    let server = Server::start(settings(), Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    let before = now();
    for _ in 0..3 {
        let request = StoreRequest { has_data_set: false, ..peer.store_request(CT, "1.1") };
        let mut pdus = Vec::new();
        let command = Command::StoreRequest(request).encode();
        PDataWriter::new(1, 0).put(&mut pdus, FragmentKind::Command, &command);
        peer.send(&pdus).await;
        assert_eq!(peer.answer().await, C000);
    }
    assert!(before.elapsed() >= A_PAUSE * 2, "{:?}", before.elapsed());
}

#[tokio::test]
async fn instances_that_are_refused_for_other_reasons_do_not_wait() {
    let server = Server::start(settings(), Mood::RefusesToBegin).await;
    let mut peer = Peer::open(&server).await.unwrap();
    let before = now();
    for _ in 0..100 {
        assert_eq!(peer.store("1.1", &data_set("1.1", 10)).await, Answer::Status(0xA700));
    }
    assert!(before.elapsed() < A_PAUSE * 100, "{:?}", before.elapsed());
}

#[tokio::test]
async fn more_offenders_than_may_wait_are_all_aborted() {
    let server = Server::start(settings(), Mood::Good).await;
    let mut offenders = Vec::new();
    for _ in 0..200 {
        let mut peer = Peer::connect(&server).await;
        // P-DATA-TF before any Association.
        peer.send(b"\x04\0\0\0\0\x06\0\0\0\x02\x01\x03").await;
        offenders.push(peer);
    }
    for mut peer in offenders {
        assert_eq!(peer.pdu().await, Some(Pdu::Abort(Abort::SERVICE_USER)));
    }
    let mut peer = Peer::open(&server).await.unwrap();
    assert_eq!(peer.store("1.3", &data_set("1.3", 100)).await, SUCCESS);
}

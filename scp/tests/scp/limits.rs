//! Limits and configured access, on both sides of each; shutdown; an intake that fails.

use std::sync::atomic::Ordering;
use std::time::Duration;

use dimse::{Rejection, RejectionReason, uids};
use domain::AeTitle;

use crate::support::*;

fn with(change: impl FnOnce(&mut scp::ScpSettings)) -> scp::ScpSettings {
    let mut settings = settings();
    change(&mut settings);
    settings
}

async fn rejection(server: &Server) -> (u8, u8, u8) {
    let rejection = Peer::open(server).await.err().expect("accepted");
    (rejection.result, rejection.source, rejection.reason)
}

#[tokio::test]
async fn association_65_of_64_is_rejected_as_transient() {
    let server = Server::start(settings(), Mood::Good).await;
    let mut peers = Vec::new();
    for _ in 0..64 {
        peers.push(Peer::open(&server).await.unwrap());
    }
    assert_eq!(rejection(&server).await, (2, 3, 2));
    assert_eq!(server.counters.associations_open.load(Ordering::Relaxed), 64);
    for peer in &mut peers {
        assert_eq!(peer.echo().await, SUCCESS);
    }
    // A place is free as soon as the release is answered.
    assert_eq!(peers.pop().unwrap().release().await, Answer::Released);
    drop(Peer::open(&server).await.unwrap());
    assert_eq!(server.counters.associations_rejected.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn strangers_are_rejected_for_good() {
    let title = |text| AeTitle::parse(text).unwrap();
    let server = Server::start(with(|s| s.calling = vec![title("CT1")]), Mood::Good).await;
    assert_eq!(rejection(&server).await, (1, 1, 3));
    let server = Server::start(with(|s| s.called = vec![title("OTHER")]), Mood::Good).await;
    assert_eq!(rejection(&server).await, (1, 1, 7));
    let server = Server::start(with(|s| s.called = vec![title("NODE")]), Mood::Good).await;
    assert!(Peer::open(&server).await.is_ok());
}

#[tokio::test]
async fn the_longest_instance_is_taken_and_one_more_byte_is_a700() {
    let length = data_set("1.2.3.4.5", 100_000).len() as u64;
    let settings = with(|s| s.limits.instance_bytes_max = length);
    let server = Server::start(settings, Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    let too_long = peer.store("1.2.3.4.5", &data_set("1.2.3.4.5", 100_002)).await;
    assert_eq!(too_long, Answer::Status(0xA700));
    assert_eq!(server.memory.count(), 0);
    assert_eq!(peer.store("1.2.3.4.5", &data_set("1.2.3.4.5", 100_000)).await, SUCCESS);
}

#[tokio::test]
async fn an_intake_that_fails_is_told_by_status_without_its_own_words() {
    let table = [
        (Mood::RefusesToBegin, 0xA700),
        (Mood::FullAfter(50_000), 0xA700),
        (Mood::FailsToPublish, 0x0110),
        (Mood::ForgetsToAnswer, 0x0110),
    ];
    for (mood, status) in table {
        let server = Server::start(settings(), mood).await;
        let mut peer = Peer::open(&server).await.unwrap();
        let pdus = peer.message(CT, "1.2.3.4.5", &data_set("1.2.3.4.5", 100_000));
        peer.send(&pdus).await;
        let response = peer.response().await.unwrap();
        assert_eq!(response.status.0, status, "{mood:?}");
        assert!(!response.comment.is_empty() && !response.comment.contains('/'), "{mood:?}");
        assert_eq!(peer.echo().await, SUCCESS, "{mood:?}: the association lives on");
        assert_eq!(server.memory.parts_open.load(Ordering::SeqCst), 0, "{mood:?}");
    }
}

#[tokio::test]
async fn without_room_nobody_is_let_in_who_could_store() {
    let server = Server::start(settings(), Mood::Full).await;
    let rejection = Peer::open(&server).await.err().unwrap();
    assert_eq!(rejection, Rejection::from(RejectionReason::LocalLimitExceeded));
    assert!(rejection.is_transient());
    let verification = context(1, uids::VERIFICATION, uids::IMPLICIT_VR_LITTLE_ENDIAN);
    assert!(Peer::open_with(&server, request(vec![verification])).await.is_ok(), "to verify");
}

#[tokio::test]
async fn silence_ends_connections_and_associations() {
    let short = Duration::from_millis(100);
    let settings = with(|s| {
        s.limits.artim_timeout = short;
        s.limits.idle_timeout = short;
    });
    let server = Server::start(settings, Mood::Good).await;
    let mut silent = Peer::connect(&server).await;
    assert_eq!(silent.answer().await, Answer::Closed, "no request within ARTIM");
    let mut idle = Peer::open(&server).await.unwrap();
    assert_eq!(idle.answer().await, Answer::Aborted(2, 0));
    let mut stuck = Peer::open(&server).await.unwrap();
    let pdus = stuck.message(CT, "1.2.3.4.5", &data_set("1.2.3.4.5", 1_000));
    stuck.send(&pdus[..500]).await;
    assert_eq!(stuck.answer().await, Answer::Aborted(2, 0));
    assert_eq!(server.memory.closed(2).await.len(), 2);
    assert_eq!(server.memory.count(), 0);
}

#[tokio::test]
async fn a_pdu_that_drips_is_silence_in_pieces() {
    let settings = with(|s| s.limits.idle_timeout = Duration::from_millis(400));
    let server = Server::start(settings, Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    let pdus = peer.message(CT, "1.2.3.4.5", &data_set("1.2.3.4.5", 50_000));
    peer.send(&pdus[..1000]).await;
    let began = tokio::time::Instant::now();
    for byte in &pdus[1000..1400] {
        peer.try_send(&[*byte]).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
        if server.counters.associations_aborted.load(Ordering::Relaxed) == 1 {
            break;
        }
    }
    // Each byte came in time, and still it ended before all had come.
    assert!(began.elapsed() < Duration::from_millis(4000));
    assert_eq!(peer.answer().await, Answer::Aborted(2, 0));
    assert_eq!(server.memory.parts_open.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn shutdown_lets_a_message_end_and_aborts_the_idle() {
    let server = Server::start(settings(), Mood::Good).await;
    let mut idle = Peer::open(&server).await.unwrap();
    let mut busy = Peer::open(&server).await.unwrap();
    let pdus = busy.message(CT, "1.2.3.4.5", &data_set("1.2.3.4.5", 50_000));
    busy.send(&pdus[..20_000]).await;
    assert_eq!(idle.echo().await, SUCCESS);
    let counters = std::sync::Arc::clone(&server.counters);
    while counters.bytes_received.load(Ordering::Relaxed) < 20_000 {
        tokio::task::yield_now().await;
    }
    let stopping = tokio::spawn(server.stop());
    assert_eq!(idle.answer().await, Answer::Aborted(0, 0));
    busy.send(&pdus[20_000..]).await;
    assert_eq!(busy.answer().await, SUCCESS);
    assert_eq!(busy.answer().await, Answer::Aborted(0, 0));
    drop((idle, busy));
    let memory = stopping.await.unwrap();
    assert_eq!((memory.count(), memory.closed(2).await.len()), (1, 2));
}

#[tokio::test]
async fn shutdown_cuts_what_does_not_end_within_the_grace() {
    let settings = with(|s| s.limits.shutdown_grace = Duration::from_millis(100));
    let server = Server::start(settings, Mood::Good).await;
    let mut stuck = Peer::open(&server).await.unwrap();
    let pdus = stuck.message(CT, "1.2.3.4.5", &data_set("1.2.3.4.5", 50_000));
    stuck.send(&pdus[..20_000]).await;
    while server.counters.bytes_received.load(Ordering::Relaxed) < 20_000 {
        tokio::task::yield_now().await;
    }
    let memory = server.stop().await;
    assert_eq!((memory.count(), memory.closed(1).await.len()), (0, 1));
    assert_eq!(memory.parts_open.load(Ordering::SeqCst), 0);
}

//! Peers that send too much of something: a clear answer to each, no memory by their wish, and the next peer is served.

use std::io::Write;
use std::sync::atomic::Ordering;

use dimse::{Abort, Command, FragmentKind, PDataWriter, Pdu, uids};

use crate::support::*;

const C000: Answer = Answer::Status(0xC000);
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

/// The server still takes a good instance, and nothing but it is there.
async fn is_well(server: &Server) {
    let mut peer = Peer::open(server).await.unwrap();
    assert_eq!(peer.store("1.9", &data_set("1.9", 100)).await, SUCCESS);
    assert_eq!(peer.release().await, Answer::Released);
    assert_eq!(server.memory.count(), 1);
    assert_eq!(server.memory.parts_open.load(Ordering::SeqCst), 0, "a part is left");
}

#[tokio::test]
async fn presentation_contexts_by_the_thousand_are_aborted() {
    let server = Server::start(settings(), Mood::Good).await;
    let id = |index: usize| u8::try_from(index % 128 * 2 + 1).unwrap();
    let contexts =
        |count: usize| (0..count).map(|i| context(id(i), CT, uids::EXPLICIT_VR_LITTLE_ENDIAN));
    assert!(Peer::open_with(&server, request(contexts(128).collect())).await.is_ok());
    for count in [129, 5_000] {
        let mut peer = Peer::connect(&server).await;
        peer.send(&request(contexts(count).collect()).encode()).await;
        assert_eq!(peer.pdu().await, Some(Pdu::Abort(Abort::SERVICE_USER)), "{count}");
    }
    is_well(&server).await;
}

#[tokio::test]
async fn a_transfer_syntax_of_60_kb_is_answered_with_one_that_fits() {
    let server = Server::start(settings(), Mood::Good).await;
    let long = "\u{FFFD}".repeat(20_000);
    let contexts = vec![context(1, "1.2.840.10008.1.1", &long)];
    assert!(Peer::open_with(&server, request(contexts)).await.is_ok());
    is_well(&server).await;
}

#[tokio::test]
async fn empty_fragments_are_nothing_and_harm_nobody() {
    let server = Server::start(settings(), Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    let command = Command::StoreRequest(peer.store_request(CT, "1.9"));
    let mut pdus = Vec::new();
    PDataWriter::new(1, 0).put(&mut pdus, FragmentKind::Command, &command.encode());
    // A value of two bytes: the context and a control header that says data set, not the last.
    let empty = [4, 0, 0, 0, 0, 6, 0, 0, 0, 2, 1, 0];
    let (begun, some) = (pdus.clone(), empty.repeat(64));
    pdus.extend(&some);
    PDataWriter::new(1, 0).put(&mut pdus, FragmentKind::DataSet, &data_set("1.9", 10));
    for _ in 0..2 {
        peer.send(&pdus).await;
        assert_eq!(peer.answer().await, SUCCESS);
    }
    assert_eq!(server.memory.data_set("1.9"), data_set("1.9", 10));
    // So many are more work than message.
    peer.send(&[begun, some, empty.to_vec()].concat()).await;
    assert_eq!(peer.answer().await, Answer::Aborted(0, 0));
    is_well(&server).await;
}

#[tokio::test]
async fn a_command_within_a_data_set_aborts_the_association() {
    let server = Server::start(settings(), Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    let pdus = peer.message(CT, "1.2.3.4.5", &[]);
    // All but the last fragment, which ends the data set; then another command.
    let mut broken = pdus[..pdus.len() - 12].to_vec();
    broken.extend_from_slice(&[4, 0, 0, 0, 0, 8, 0, 0, 0, 4, 1, 0, 8, 0]);
    broken.extend(peer.message(CT, "1.2.3.4.6", &data_set("1.2.3.4.6", 10)));
    peer.send(&broken).await;
    assert_eq!(peer.answer().await, Answer::Aborted(0, 0));
    is_well(&server).await;
}

#[tokio::test]
async fn a_deflate_bomb_is_inflated_no_further_than_the_header_may_be() {
    let server = Server::start(settings(), Mood::Good).await;
    let contexts = vec![context(1, CT, DEFLATED)];
    let mut peer = Peer::open_with(&server, request(contexts)).await.unwrap();
    let mut deflater = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    // A private value of a gigabyte, in front of the UIDs that are looked for.
    deflater.write_all(&element((0x0009, 0x1001), "OB", 1 << 30, &[])).unwrap();
    for _ in 0..1024 {
        deflater.write_all(&[0; 1 << 20]).unwrap();
    }
    deflater.write_all(&header("1.2.3.4.5")).unwrap();
    let bomb = deflater.finish().unwrap();
    assert!(bomb.len() < 2 << 20, "{} bytes", bomb.len());
    let before = peak_kb();
    assert_eq!(peer.store("1.2.3.4.5", &bomb).await, C000);
    let more = peak_kb().zip(before).map(|(after, before)| after - before);
    assert!(more.is_none_or(|kb| kb < 64 << 10), "{more:?} KB");
    assert_eq!(server.memory.count(), 0);
}

/// Most memory of this process so far, where the system tells.
fn peak_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

#[tokio::test]
async fn sequences_ten_thousand_deep_are_c000() {
    let server = Server::start(settings(), Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    let item = [0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF];
    let begin = [element((0x0008, 0x1140), "SQ", u32::MAX, &[]), item.to_vec()].concat();
    let end = [0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0, 0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0];
    let undefined = [begin.repeat(10_000), end.repeat(10_000)].concat();
    // A sequence's header has twelve bytes, an item's eight.
    let level = |around: u32| {
        let item = [&[0xFE, 0xFF, 0x00, 0xE0], (20 * around).to_le_bytes().as_slice()].concat();
        element((0x0008, 0x1140), "SQ", 20 * around + 8, &item)
    };
    let defined = (0..10_000).rev().flat_map(level).collect();
    for nested in [undefined, defined] {
        let bytes = [nested, header("1.2.3.4.5")].concat();
        assert_eq!(peer.store("1.2.3.4.5", &bytes).await, C000);
    }
    is_well(&server).await;
}

#[tokio::test]
async fn associations_that_are_left_free_their_places() {
    let server = Server::start(settings(), Mood::Good).await;
    for _ in 0..4 {
        let mut peers = Vec::new();
        for _ in 0..32 {
            peers.push(Peer::open(&server).await.unwrap());
        }
        drop(peers);
    }
    assert_eq!(server.memory.closed(128).await.len(), 128);
    assert_eq!(server.counters.associations_open.load(Ordering::Relaxed), 0);
    is_well(&server).await;
}

#[tokio::test]
async fn two_hundred_silent_connections_hold_nobody_up() {
    let server = Server::start(settings(), Mood::Good).await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(Peer::connect(&server).await);
    }
    is_well(&server).await;
    drop(silent);
}

//! Peers that behave.

use std::sync::atomic::Ordering;

use dimse::{Command, FragmentKind, PDataWriter, uids};
use domain::Parting;
use scu::{Outcome, Outgoing, Timeouts};

use crate::support::*;

const TIMEOUTS: Timeouts = Timeouts { connect: PATIENCE, io: PATIENCE };

#[tokio::test]
async fn an_instance_arrives_byte_for_byte_in_fragments_of_any_size() {
    let server = Server::start(settings(), Mood::AnswersElsewhere).await;
    let mut peer = Peer::open(&server).await.unwrap();
    for (n, pdu_length_max) in [8, 50, 1_000, 16_384, 131_072].into_iter().enumerate() {
        peer.pdu_length_max = pdu_length_max;
        let name = format!("1.2.3.4.{n}");
        let sent = data_set(&name, 10_000);
        assert_eq!(peer.store(&name, &sent).await, SUCCESS, "{pdu_length_max}");
        assert!(server.memory.data_set(&name) == sent, "{pdu_length_max}");
    }
    assert_eq!(peer.echo().await, SUCCESS);
    assert_eq!(peer.release().await, Answer::Released);
    let closed = server.memory.closed(1).await;
    assert!(matches!(closed[..], [(_, Parting::Released)]), "{closed:?}");
    let memory = server.stop().await;
    let instances = memory.instances.lock().unwrap();
    let Kept { identity, origin, .. } = &instances["1.2.3.4.0"];
    assert_eq!((identity.study.as_str(), identity.series.as_str()), ("1.2.3", "1.2.3.4"));
    assert_eq!((origin.calling.as_str(), origin.called.as_str()), ("TEST", "NODE"));
    assert!(origin.peer.starts_with("127.0.0.1:"));
}

#[tokio::test]
async fn a_response_names_what_it_answers() {
    let server = Server::start(settings(), Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    let pdus = peer.message(CT, "1.2.3.4.5", &data_set("1.2.3.4.5", 10));
    peer.send(&pdus).await;
    let response = peer.response().await.unwrap();
    assert!(response.is_to_store() && is_success(response.status));
    assert_eq!(response.message_id, 1);
    assert_eq!(response.sop_class.as_deref(), Some(CT));
    assert_eq!(response.sop_instance.as_deref(), Some("1.2.3.4.5"));
    assert_eq!(response.comment, "");
}

#[tokio::test]
async fn requests_that_do_not_wait_for_their_answers_are_answered_in_order() {
    let server = Server::start(settings(), Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    let mut pdus = Vec::new();
    for n in 1..=20 {
        let name = format!("1.2.3.4.{n}");
        pdus.extend(peer.message(CT, &name, &data_set(&name, 100)));
    }
    peer.send(&pdus).await;
    for n in 1..=20 {
        let response = peer.response().await.unwrap();
        assert!(is_success(response.status));
        assert_eq!(response.message_id, n);
    }
    assert_eq!(server.memory.count(), 20);
}

#[tokio::test]
async fn uids_behind_long_sequences_are_found() {
    // A Segmentation of a long series refers to each source image before its own Series Instance UID.
    let server = Server::start(settings(), Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    let name = "1.2.3.4.5";
    let whole = header(name);
    let split = 8 + 26 + 8 + 10;
    let reference = [element((0x0008, 0x1155), "UI", 60, &[b'1'; 60])].concat();
    let item = [&[0xFE, 0xFF, 0x00, 0xE0], 68u32.to_le_bytes().as_slice(), &reference].concat();
    let items = item.repeat(2_000);
    let sequence = element((0x0008, 0x1115), "SQ", u32::try_from(items.len()).unwrap(), &items);
    let sent = [&whole[..split], &sequence, &whole[split..]].concat();
    assert!(sent.len() > 150_000);
    assert_eq!(peer.store(name, &sent).await, SUCCESS);
    assert!(server.memory.data_set(name) == sent);
}

#[tokio::test]
async fn a_request_that_we_do_not_know_is_answered_0211_with_and_without_data_set() {
    let server = Server::start(settings(), Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    for has_data_set in [false, true] {
        let request = dimse::OtherRequest {
            field: 0x0020, // C-FIND-RQ
            message_id: 7,
            sop_class: Some(CT.into()),
            has_data_set,
        };
        let writer = PDataWriter::new(1, 0);
        let mut pdus = Vec::new();
        writer.put(&mut pdus, FragmentKind::Command, &Command::OtherRequest(request).encode());
        if has_data_set {
            writer.put(&mut pdus, FragmentKind::DataSet, &[0; 1000]);
        }
        peer.send(&pdus).await;
        let response = peer.response().await.unwrap();
        assert_eq!((response.request_field, response.status.0), (0x0020, 0x0211));
        assert_eq!(response.message_id, 7);
    }
    assert_eq!(peer.echo().await, SUCCESS, "the association lives on");
}

#[tokio::test]
async fn our_own_scu_echoes_and_stores() {
    let server = Server::start(settings(), Mood::Good).await;
    scu::echo(&server.destination(), &TIMEOUTS).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let instances: Vec<Outgoing> = (0..5).map(|n| file(dir.path(), n, n * 100_000)).collect();
    let mut heard = vec![];
    let outcomes =
        scu::store(&server.destination(), &instances, &TIMEOUTS, &mut |n, _| heard.push(n))
            .await
            .unwrap();
    assert_eq!(outcomes, vec![Outcome::Stored; 5]);
    assert_eq!(heard, [0, 1, 2, 3, 4]);
    for n in 0..5 {
        let name = format!("1.2.3.4.{n}");
        assert!(server.memory.data_set(&name) == data_set(&name, n * 100_000));
    }
    assert_eq!(server.memory.closed(2).await.len(), 2);
    assert_eq!(server.counters.associations_aborted.load(Ordering::Relaxed), 0);
    assert_eq!(server.counters.instances_stored.load(Ordering::Relaxed), 5);
    assert!(server.counters.bytes_received.load(Ordering::Relaxed) > 1_000_000);
}

/// The file of instance `n`, with `pixels` bytes of Pixel Data.
pub(crate) fn file(dir: &std::path::Path, n: usize, pixels: usize) -> Outgoing {
    use domain::*;
    let name = format!("1.2.3.4.{n}");
    let identity = InstanceIdentity {
        study: StudyInstanceUid::parse("1.2.3").unwrap(),
        series: SeriesInstanceUid::parse("1.2.3.4").unwrap(),
        sop_instance: SopInstanceUid::parse(&name).unwrap(),
        sop_class: SopClassUid::parse(CT).unwrap(),
        transfer_syntax: TransferSyntaxUid::parse(uids::EXPLICIT_VR_LITTLE_ENDIAN).unwrap(),
    };
    let meta = dataset::FileMeta::of(&identity);
    let path = dir.join(format!("{name}.dcm"));
    let bytes = [dataset::file_meta_bytes(&meta), data_set(&name, pixels)].concat();
    std::fs::write(&path, bytes).unwrap();
    Outgoing { identity, path }
}

#[tokio::test]
async fn what_the_scu_sends_and_is_not_taken_is_told() {
    let server = Server::start(settings(), Mood::RefusesToBegin).await;
    let dir = tempfile::tempdir().unwrap();
    let mut other = file(dir.path(), 2, 10);
    other.identity.sop_class = domain::SopClassUid::parse("1.2.840.10008.5.1.4.38.1").unwrap();
    let instances = [file(dir.path(), 1, 10), other];
    let outcomes =
        scu::store(&server.destination(), &instances, &TIMEOUTS, &mut |_, _| {}).await.unwrap();
    let comment = "no room, try again later".to_owned();
    assert_eq!(outcomes, [Outcome::Refused { status: 0xA700, comment }, Outcome::NotAccepted]);
}

//! Peers that misbehave: a clear answer to each, nothing published, and the next peer is served.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use dimse::{Abort, Command, FragmentKind, PDataWriter, Pdu, uids};
use domain::Parting;

use crate::support::*;

const A900: Answer = Answer::Status(0xA900);
const C000: Answer = Answer::Status(0xC000);

/// The server still takes a good instance, and nothing but it is there.
async fn is_well(server: &Server) {
    let before = server.memory.count();
    let mut peer = Peer::open(server).await.unwrap();
    let name = format!("1.9.{before}");
    assert_eq!(peer.store(&name, &data_set(&name, 100)).await, SUCCESS);
    assert_eq!(peer.release().await, Answer::Released);
    assert_eq!(server.memory.count(), before + 1);
    assert_eq!(server.memory.parts_open.load(Ordering::SeqCst), 0, "a part is left");
}

/// What comes back for bytes sent without an association: the PDU, and then the end.
async fn shout(server: &Server, bytes: &[u8]) -> Option<Pdu> {
    let mut peer = Peer::connect(server).await;
    peer.try_send(bytes).await;
    peer.pdu().await
}

/// What the log of this thread says.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_uid_as_long_as_a_command_set_is_not_logged_whole() {
    let log = Log::default();
    let writer = log.clone();
    let logging = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
    let _logging = tracing::subscriber::set_default(logging);
    let server = Server::start(settings(), Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    // Each of them would be escaped.
    let name = "\u{1}".repeat(16_000);
    assert_eq!(peer.store(&name, &data_set("1.1", 10)).await, C000);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("not stored") && text.len() < 4_000, "{} bytes", text.len());
}

#[tokio::test]
async fn what_is_no_association_request_is_aborted() {
    let server = Server::start(settings(), Mood::Good).await;
    let abort = Some(Pdu::Abort(Abort::SERVICE_USER));
    // HTTP; A-ASSOCIATE-RQ and P-DATA-TF of 4 GB; P-DATA-TF and A-RELEASE-RQ before any association.
    assert_eq!(shout(&server, b"GET / HTTP/1.1\r\n\r\n").await, abort);
    assert_eq!(shout(&server, &[1, 0, 0xFF, 0xFF, 0xFF, 0xFF]).await, abort);
    assert_eq!(shout(&server, &[4, 0, 0xFF, 0xFF, 0xFF, 0xFF]).await, abort);
    assert_eq!(shout(&server, b"\x04\0\0\0\0\x06\0\0\0\x02\x01\x03").await, abort);
    assert_eq!(shout(&server, &dimse::encode_release_request()).await, abort);
    // A-ASSOCIATE-RQ whose items are longer than it is.
    let mut request = request(vec![]).encode();
    request[76..78].copy_from_slice(&[0xFF, 0xFF]);
    assert_eq!(shout(&server, &request).await, abort);
    assert_eq!(server.memory.closed(0).await.len(), 0, "no association was ever accepted");
    is_well(&server).await;
}

#[tokio::test]
async fn a_truncated_request_is_no_association() {
    let server = Server::start(settings(), Mood::Good).await;
    let whole = request(vec![context(1, CT, uids::EXPLICIT_VR_LITTLE_ENDIAN)]).encode();
    for length in [1, 5, 6, 40, whole.len() - 1] {
        let mut peer = Peer::connect(&server).await;
        peer.send(&whole[..length]).await;
        drop(peer);
    }
    is_well(&server).await;
}

#[tokio::test]
async fn pdus_that_break_the_protocol_abort_the_association() {
    let server = Server::start(settings(), Mood::Good).await;
    let whole = request(vec![]).encode();
    let cases: [(&str, &[u8], Answer); 8] = [
        ("4 GB of P-DATA-TF", &[4, 0, 0xFF, 0xFF, 0xFF, 0xFF], Answer::Aborted(2, 6)),
        ("longer than agreed", &[4, 0, 0, 2, 0, 1], Answer::Aborted(2, 6)),
        ("an unknown PDU", &[0x99, 0, 0, 0, 0, 0], Answer::Aborted(2, 1)),
        ("a second request", &whole, Answer::Aborted(2, 2)),
        (
            "a value longer than its PDU",
            b"\x04\0\0\0\0\x06\0\0\x0F\x02\x01\x03",
            Answer::Aborted(2, 6),
        ),
        ("an empty P-DATA-TF", &[4, 0, 0, 0, 0, 0], Answer::Aborted(2, 6)),
        (
            "a data set without command",
            b"\x04\0\0\0\0\x07\0\0\0\x03\x01\x02x",
            Answer::Aborted(0, 0),
        ),
        ("an empty command", b"\x04\0\0\0\0\x06\0\0\0\x02\x01\x03", Answer::Aborted(0, 0)),
    ];
    let count = cases.len();
    for (name, bytes, answer) in cases {
        let mut peer = Peer::open(&server).await.unwrap();
        peer.send(bytes).await;
        assert_eq!(peer.answer().await, answer, "{name}");
        assert_eq!(peer.answer().await, Answer::Closed, "{name}");
    }
    let closed = server.memory.closed(count).await;
    assert_eq!(closed.len(), count);
    assert!(closed.iter().all(|(_, parting)| *parting == Parting::Aborted), "{closed:?}");
    assert_eq!(server.counters.associations_aborted.load(Ordering::Relaxed), count as u64);
    is_well(&server).await;
}

#[tokio::test]
async fn messages_on_contexts_that_were_not_accepted_abort_the_association() {
    let server = Server::start(settings(), Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    let mut pdus = Vec::new();
    let command = Command::EchoRequest { message_id: 1 }.encode();
    PDataWriter::new(77, 0).put(&mut pdus, FragmentKind::Command, &command);
    peer.send(&pdus).await;
    assert_eq!(peer.answer().await, Answer::Aborted(2, 5));
    is_well(&server).await;
}

#[tokio::test]
async fn a_response_without_a_request_aborts_the_association() {
    let server = Server::start(settings(), Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    let mut pdus = Vec::new();
    let command = Command::Response(dimse::Response::to_echo(1, true)).encode();
    PDataWriter::new(5, 0).put(&mut pdus, FragmentKind::Command, &command);
    peer.send(&pdus).await;
    assert_eq!(peer.answer().await, Answer::Aborted(0, 0));
    is_well(&server).await;
}

#[tokio::test]
async fn a_release_within_a_data_set_aborts_the_association() {
    let server = Server::start(settings(), Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    let pdus = peer.message(CT, "1.2.3.4.5", &[]);
    peer.send(&pdus[..pdus.len() - 12]).await;
    assert_eq!(peer.release().await, Answer::Aborted(2, 2));
    is_well(&server).await;
}

#[tokio::test]
async fn a_command_in_fragments_of_one_byte_is_understood() {
    let server = Server::start(settings(), Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    let command = Command::StoreRequest(peer.store_request(CT, "1.2.3.4.5")).encode();
    let mut pdus = Vec::new();
    for (n, byte) in command.iter().enumerate() {
        let last = if n + 1 == command.len() { 3 } else { 1 };
        pdus.extend_from_slice(&[4, 0, 0, 0, 0, 7, 0, 0, 0, 3, 1, last, *byte]);
    }
    PDataWriter::new(1, 0).put(&mut pdus, FragmentKind::DataSet, &data_set("1.2.3.4.5", 10));
    peer.send(&pdus).await;
    assert_eq!(peer.answer().await, SUCCESS);
}

#[tokio::test]
async fn an_association_that_is_cut_in_a_data_set_publishes_nothing() {
    let server = Server::start(settings(), Mood::Good).await;
    for length in [13, 200, 400, 50_000] {
        let mut peer = Peer::open(&server).await.unwrap();
        let pdus = peer.message(CT, "1.2.3.4.5", &data_set("1.2.3.4.5", 100_000));
        peer.send(&pdus[..length]).await;
        drop(peer);
    }
    let mut peer = Peer::open(&server).await.unwrap();
    let pdus = peer.message(CT, "1.2.3.4.5", &data_set("1.2.3.4.5", 1_000_000));
    // Between two PDUs: within one, the bytes of the A-ABORT would be taken for a part of it.
    peer.send(&pdus[..end_of_second_pdu(&pdus)]).await;
    peer.send(&Abort::SERVICE_USER.encode()).await;
    assert_eq!(server.memory.closed(5).await.len(), 5);
    assert_eq!(server.memory.count(), 0);
    is_well(&server).await;
}

/// The command is the first PDU; the data set begins with the second.
fn end_of_second_pdu(pdus: &[u8]) -> usize {
    let end = |start: usize| {
        let length: [u8; 4] = pdus[start + 2..start + 6].try_into().unwrap();
        start + 6 + u32::from_be_bytes(length) as usize
    };
    let end = end(end(0));
    assert!(end < pdus.len(), "the data set needs more than one PDU");
    end
}

#[tokio::test]
async fn a_data_set_that_contradicts_its_command_is_a900() {
    let server = Server::start(settings(), Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    // Short ones are looked at when they end, long ones while they arrive.
    for pixels in [10, 100_000] {
        assert_eq!(peer.store("1.2.3.4.5", &data_set("1.2.3.4.6", pixels)).await, A900);
        let mut other_class = data_set("1.2.3.4.5", pixels);
        other_class[8 + CT.len() - 1] = b'4';
        assert_eq!(peer.store("1.2.3.4.5", &other_class).await, A900);
    }
    assert_eq!(peer.store("1.2.3.4.5", &data_set("1.2.3.4.5", 10)).await, SUCCESS);
    assert_eq!(server.memory.count(), 1);
    assert_eq!(server.counters.instances_refused.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn a_command_that_contradicts_its_context_is_0122() {
    let server = Server::start(settings(), Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    let pdus = peer.message(MR, "1.2.3.4.5", &data_set("1.2.3.4.5", 10));
    peer.send(&pdus).await;
    assert_eq!(peer.answer().await, Answer::Status(0x0122));
    is_well(&server).await;
}

#[tokio::test]
async fn uids_that_are_paths_are_c000() {
    let server = Server::start(settings(), Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    for evil in ["../../evil", "/tmp/evil", "1.2/3", "..", "1.2.3\\..\\x", "", "1..2"] {
        assert_eq!(peer.store(evil, &data_set(evil, 10)).await, C000, "command: {evil}");
        for tag in [(0x0020, 0x000D), (0x0020, 0x000E)] {
            let class = uid((0x0008, 0x0016), CT);
            let instance = uid((0x0008, 0x0018), "1.2.3.4.5");
            let (study, series) = match tag.1 {
                0x000D => (evil, "1.2.3.4"),
                _ => ("1.2.3", evil),
            };
            let study = uid((0x0020, 0x000D), study);
            let series = uid((0x0020, 0x000E), series);
            let bytes = [class, instance, study, series].concat();
            assert_eq!(peer.store("1.2.3.4.5", &bytes).await, C000, "data set: {evil}");
        }
    }
    assert_eq!(server.memory.count(), 0);
    is_well(&server).await;
}

#[tokio::test]
async fn data_sets_that_cannot_be_read_are_c000_and_the_association_lives_on() {
    let server = Server::start(settings(), Mood::Good).await;
    let mut peer = Peer::open(&server).await.unwrap();
    let class = uid((0x0008, 0x0016), CT);
    let endless = {
        let item = [0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF];
        let sequence = element((0x0008, 0x1140), "SQ", u32::MAX, &item.repeat(300_000));
        [class.clone(), sequence].concat()
    };
    let flat = {
        let item = [0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0];
        let sequence = element((0x0008, 0x1140), "SQ", u32::MAX, &item.repeat(300_000));
        [class.clone(), sequence].concat()
    };
    let huge = [class.clone(), element((0x0008, 0x2111), "UT", 0x7FFF_FFFE, b"short")].concat();
    let implicit = {
        let mut bytes = vec![0x08, 0, 0x16, 0, 26, 0, 0, 0];
        bytes.extend_from_slice(CT.as_bytes());
        bytes.push(0);
        bytes
    };
    let cases: [(&str, Vec<u8>); 8] = [
        ("no DICOM", b"%PDF-1.7 this is not the data set you are looking for".to_vec()),
        ("nothing", vec![]),
        ("cut in the header", header("1.2.3.4.5")[..60].to_vec()),
        ("an endless nesting", endless),
        ("an endless sequence", flat),
        ("a length of 2 GB", huge),
        ("another encoding than agreed", implicit),
        ("no Series Instance UID", data_set("1.2.3.4.5", 10)[..74].to_vec()),
    ];
    for (name, bytes) in cases {
        assert_eq!(peer.store("1.2.3.4.5", &bytes).await, C000, "{name}");
    }
    assert_eq!(server.memory.count(), 0);
    assert_eq!(peer.store("1.2.3.4.5", &data_set("1.2.3.4.5", 10)).await, SUCCESS);
}

#[tokio::test]
async fn a_bug_in_one_association_is_its_end_only() {
    let server = Server::start(settings(), Mood::Panics).await;
    let mut good = Peer::open(&server).await.unwrap();
    let mut bad = Peer::open(&server).await.unwrap();
    assert_eq!(bad.store("1.2.3.4.5", &data_set("1.2.3.4.5", 10)).await, Answer::Aborted(2, 0));
    assert_eq!(server.memory.closed(1).await.len(), 1);
    assert_eq!(good.echo().await, SUCCESS);
    assert_eq!(Peer::open(&server).await.unwrap().echo().await, SUCCESS);
    assert_eq!(server.memory.parts_open.load(Ordering::SeqCst), 0);
}

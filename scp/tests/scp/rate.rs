//! How fast instances come in over loopback. Prints, and has no bound that a slow machine would fail.
//!
//! `SCP_RATE_INSTANCES=500 cargo test -p scp --test scp rate -- --nocapture` measures longer; `SCP_RATE_DIR` says
//! where files go (a tmpfs shows the SCP, a disk shows the disk); `SCP_RATE_TO=127.0.0.1:104` measures another SCP
//! with the same sender.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dimse::{Command, FragmentKind, PDataWriter, StoreRequest, uids};
use domain::{
    Announced, AssociationId, InstanceIdentity, InstanceOrigin, Intake, Part, Parting, Refusal,
    Stored,
};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

use crate::secure::{World, read_pdu as read_pdu_of, secure_peer};
use crate::support::*;

/// A CT slice of 512 × 512.
const PIXEL_BYTES: usize = 530_000;

/// Writes files into a folder, or nothing at all, and makes nothing durable.
struct Files {
    dir: Option<PathBuf>,
    count: AtomicU64,
}

struct FilePart(Option<File>);

impl Intake for Files {
    fn begin(&self, _: &InstanceOrigin, _: &Announced) -> Result<Box<dyn Part>, Refusal> {
        let n = self.count.fetch_add(1, Ordering::Relaxed);
        let file = self.dir.as_ref().map(|dir| File::create(dir.join(format!("{n}.dcm"))).unwrap());
        Ok(Box::new(FilePart(file)))
    }

    fn association_closed(&self, _: AssociationId, _: Parting) {}
}

impl Part for FilePart {
    fn write(&mut self, data_set_bytes: &[&[u8]]) -> Result<(), Refusal> {
        let Some(file) = &mut self.0 else { return Ok(()) };
        data_set_bytes
            .iter()
            .try_for_each(|piece| file.write_all(piece))
            .map_err(|error| Refusal::ProcessingFailure(error.to_string()))
    }

    fn publish(self: Box<Self>, _: InstanceIdentity, stored: Stored) {
        stored(Ok(()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_a_second() {
    let count = std::env::var("SCP_RATE_INSTANCES").map_or(40, |text| text.parse().unwrap());
    for associations in [1, 4] {
        if let Ok(other) = std::env::var("SCP_RATE_TO") {
            let took = load(other.parse().unwrap(), associations, count).await;
            let rate = f64::from(count) / took.as_secs_f64();
            println!("{associations} association(s), {count} instances: {rate:.0}/s by {other}");
            continue;
        }
        let discarded = measure(None, associations, count).await;
        let scratch = match std::env::var_os("SCP_RATE_DIR") {
            Some(dir) => tempfile::tempdir_in(dir).unwrap(),
            None => tempfile::tempdir().unwrap(),
        };
        let written = measure(Some(scratch.path().into()), associations, count).await;
        let rate = |took: Duration| f64::from(count) / took.as_secs_f64();
        let megabytes = rate(written) * 0.53;
        println!(
            "{associations} association(s), {count} instances: {:.0}/s written ({megabytes:.0} MB/s), \
             {:.0}/s discarded",
            rate(written),
            rate(discarded)
        );
    }
}

/// The same message over a plain connection and over TLS, in turn: what the encryption costs on this machine, where sender
/// and receiver share the cores.
#[tokio::test(flavor = "multi_thread")]
async fn instances_a_second_over_tls() {
    let count = std::env::var("SCP_RATE_INSTANCES").map_or(40, |text| text.parse().unwrap());
    let world = World::new();
    for _ in 0..3 {
        let mut rates = Vec::new();
        for secure in [false, true] {
            let memory = Memory::new(Mood::Good);
            let intake = Arc::new(Files { dir: None, count: AtomicU64::new(0) });
            let server = if secure {
                world.server_with(settings(), intake, memory).await
            } else {
                Server::start_with(settings(), intake, memory).await
            };
            #[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
            let begin = Instant::now();
            if secure {
                let contexts = vec![context(1, CT, uids::EXPLICIT_VR_LITTLE_ENDIAN)];
                let stream = secure_peer(&server, &world.known(), contexts).await;
                send_again(stream, count).await;
            } else {
                let address = server.address;
                tokio::task::spawn_blocking(move || send(address, count)).await.unwrap();
            }
            rates.push(f64::from(count) / begin.elapsed().as_secs_f64());
            let stored = server.counters.instances_stored.load(Ordering::Relaxed);
            assert_eq!(stored, u64::from(count));
        }
        let megabytes = rates[1] * 0.53;
        println!(
            "{count} instances, discarded: {:.0}/s plain, {:.0}/s over TLS 1.3 ({megabytes:.0} MB/s)",
            rates[0], rates[1]
        );
    }
}

/// Sends one instance `count` times over an association that is open.
async fn send_again(mut stream: impl AsyncRead + AsyncWrite + Unpin, count: u32) {
    let message = message();
    for _ in 0..count {
        stream.write_all(&message).await.unwrap();
        stream.flush().await.unwrap();
        assert_eq!(read_pdu_of(&mut stream).await, 4);
    }
}

async fn measure(dir: Option<PathBuf>, associations: u32, count: u32) -> Duration {
    let intake = Arc::new(Files { dir, count: AtomicU64::new(0) });
    let server = Server::start_with(settings(), intake, Memory::new(Mood::Good)).await;
    let took = load(server.address, associations, count).await;
    drop(server.stop().await);
    took
}

async fn load(address: std::net::SocketAddr, associations: u32, count: u32) -> Duration {
    #[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
    let begin = Instant::now();
    let senders: Vec<_> = (0..associations)
        .map(|_| tokio::task::spawn_blocking(move || send(address, count / associations)))
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
    begin.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_a_second_from_storescu() {
    let count: usize = std::env::var("SCP_RATE_INSTANCES").map_or(20, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    for n in 0..count {
        crate::good::file(dir.path(), n, PIXEL_BYTES);
    }
    for nodelay in ["0", "1"] {
        let memory = Memory::new(Mood::Good);
        let intake = Arc::new(Files { dir: None, count: AtomicU64::new(0) });
        let server = Server::start_with(settings(), intake, memory).await;
        let mut command = std::process::Command::new("storescu");
        let port = server.address.port().to_string();
        command.args(["+sd", "127.0.0.1", &port]).arg(dir.path()).env("TCP_NODELAY", nodelay);
        #[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
        let begin = Instant::now();
        let ran = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
        let Ok(output) = ran else { return println!("skipped: storescu is not installed") };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(server.counters.instances_stored.load(Ordering::Relaxed), count as u64);
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let rate = count as f64 / begin.elapsed().as_secs_f64();
        println!("storescu with TCP_NODELAY={nodelay}: {count} instances, {rate:.0}/s discarded");
    }
}

/// Sends one instance `count` times; everything is prepared before.
fn send(address: std::net::SocketAddr, count: u32) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let syntax = uids::EXPLICIT_VR_LITTLE_ENDIAN;
    stream.write_all(&request(vec![context(1, CT, syntax)]).encode()).unwrap();
    assert_eq!(read_pdu(&mut stream), 2);
    let message = message();
    for _ in 0..count {
        stream.write_all(&message).unwrap();
        assert_eq!(read_pdu(&mut stream), 4);
    }
    stream.write_all(&dimse::encode_release_request()).unwrap();
    assert_eq!(read_pdu(&mut stream), 6);
}

/// A C-STORE-RQ on presentation context 1 with its data set.
fn message() -> Vec<u8> {
    let sop_instance = "1.2.3.4.5";
    let command = Command::StoreRequest(StoreRequest {
        message_id: 1,
        sop_class: CT.into(),
        sop_instance: sop_instance.into(),
        has_data_set: true,
    });
    let mut message = Vec::new();
    let writer = PDataWriter::new(1, 131_072);
    writer.put(&mut message, FragmentKind::Command, &command.encode());
    writer.put(&mut message, FragmentKind::DataSet, &data_set(sop_instance, PIXEL_BYTES));
    message
}

/// Reads one PDU and gives its type.
fn read_pdu(stream: &mut TcpStream) -> u8 {
    let mut head = [0; 6];
    stream.read_exact(&mut head).unwrap();
    let length = u32::from_be_bytes(*head.last_chunk().unwrap());
    let mut body = vec![0; usize::try_from(length).unwrap()];
    stream.read_exact(&mut body).unwrap();
    head[0]
}

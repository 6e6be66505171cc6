//! Who waits for its A-ABORT, and who does not.

use super::*;
use std::net::Ipv4Addr;

use dimse::{ProposedContext, UserInformation, encode_release_request, uids};
use domain::{Announced, IdentityKind, InstanceOrigin, Part, Parting, Refusal};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

use crate::pause::PAUSE;

/// Takes nothing.
struct Nobody;

impl Intake for Nobody {
    fn begin(&self, _: &InstanceOrigin, _: &Announced) -> Result<Box<dyn Part>, Refusal> {
        Err(Refusal::OutOfResources("no room".into()))
    }

    fn association_closed(&self, _: AssociationId, _: Parting) {}
}

fn shared() -> (watch::Sender<bool>, Arc<Shared>) {
    shared_with(ScpSettings::new(Limits::default()))
}

fn shared_with(settings: ScpSettings) -> (watch::Sender<bool>, Arc<Shared>) {
    let (stop, stopping) = watch::channel(false);
    let shared = Arc::new(Shared {
        settings: Arc::new(settings),
        intake: Arc::new(Nobody),
        counters: Arc::default(),
        places: Arc::new(Semaphore::new(1)),
        peers: Peers::new(&domain::PeerTable::default()),
        identifying: Identifying::new(None),
        commitment: Service::new(None, &Limits::default()),
        pauses: Arc::new(Pauses::new(stopping.clone())),
        next_id: AtomicU64::new(1),
        stopping,
    });
    (stop, shared)
}

/// A peer whose connection is attended to.
fn connect(shared: &Arc<Shared>) -> DuplexStream {
    let (ours, theirs) = duplex(100_000);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 104));
    let arrived = Arrived {
        id: AssociationId(1),
        address,
        visitor: Visitor { address: address.ip(), certificate: None },
        until: Instant::now() + Duration::from_secs(30),
    };
    let shared = Arc::clone(shared);
    tokio::spawn(async move { shared.converse(ours, arrived).await });
    theirs
}

async fn associate(peer: &mut DuplexStream) {
    let request = AssociateRequest {
        protocol_version: 1,
        called: "NODE".into(),
        calling: "CT1".into(),
        application_context: uids::APPLICATION_CONTEXT.into(),
        contexts: vec![ProposedContext {
            id: 1,
            abstract_syntax: uids::VERIFICATION.into(),
            transfer_syntaxes: vec![uids::IMPLICIT_VR_LITTLE_ENDIAN.into()],
        }],
        user: UserInformation::ours(16_384),
    };
    peer.write_all(&request.encode()).await.unwrap();
}

/// The type of the next PDU, and how long it took to come.
async fn answer(peer: &mut DuplexStream) -> (u8, Duration) {
    let before = Instant::now();
    let mut head = [0; 6];
    peer.read_exact(&mut head).await.unwrap();
    let [pdu_type, _, length @ ..] = head;
    let mut body = vec![0; u32::from_be_bytes(length) as usize];
    peer.read_exact(&mut body).await.unwrap();
    (pdu_type, before.elapsed())
}

const NOTHING: &[u8] = b"\x04\0\0\0\0\x06\0\0\0\x02\x01\x02";

#[tokio::test(start_paused = true)]
async fn data_before_an_association_is_aborted_after_a_pause() {
    let (_stop, shared) = shared();
    let mut peer = connect(&shared);
    peer.write_all(NOTHING).await.unwrap();
    let (pdu_type, took) = answer(&mut peer).await;
    assert!(pdu_type == 7 && took >= PAUSE && took < PAUSE * 2, "{pdu_type} {took:?}");
}

#[tokio::test(start_paused = true)]
async fn an_abort_before_an_association_closes_the_connection_without_a_word() {
    let (_stop, shared) = shared();
    let mut peer = connect(&shared);
    let before = Instant::now();
    peer.write_all(&Abort::SERVICE_USER.encode()).await.unwrap();
    let mut said = Vec::new();
    peer.read_to_end(&mut said).await.unwrap();
    assert_eq!((said, before.elapsed()), (vec![], Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn who_is_not_who_it_says_is_rejected_after_a_pause() {
    let mut settings = ScpSettings::new(Limits::default());
    settings.everyone.identity.kinds = vec![IdentityKind::Passcode];
    let (_stop, shared) = shared_with(settings);
    let mut peer = connect(&shared);
    associate(&mut peer).await;
    let (pdu_type, took) = answer(&mut peer).await;
    assert!(pdu_type == 3 && took >= PAUSE && took < PAUSE * 2, "{pdu_type} {took:?}");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_its_abort_holds_no_place() {
    let (_stop, shared) = shared();
    let mut peer = connect(&shared);
    associate(&mut peer).await;
    assert_eq!(answer(&mut peer).await, (2, Duration::ZERO));
    peer.write_all(NOTHING).await.unwrap();
    // The only place there is.
    sleep(PAUSE / 2).await;
    let mut next = connect(&shared);
    associate(&mut next).await;
    assert_eq!(answer(&mut next).await, (2, Duration::ZERO));
    let (pdu_type, took) = answer(&mut peer).await;
    assert!(pdu_type == 7 && took >= PAUSE / 2, "{pdu_type} {took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_correct_peer_and_one_without_a_place_do_not_wait() {
    let (_stop, shared) = shared();
    let mut peer = connect(&shared);
    associate(&mut peer).await;
    assert_eq!(answer(&mut peer).await, (2, Duration::ZERO));
    let mut late = connect(&shared);
    associate(&mut late).await;
    assert_eq!(answer(&mut late).await, (3, Duration::ZERO));
    peer.write_all(&encode_release_request()).await.unwrap();
    assert_eq!(answer(&mut peer).await, (6, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_stops_aborts_at_once_who_waits() {
    let (stop, shared) = shared();
    let mut peer = connect(&shared);
    peer.write_all(NOTHING).await.unwrap();
    sleep(PAUSE / 4).await;
    stop.send_replace(true);
    assert_eq!(answer(&mut peer).await, (7, Duration::ZERO));
}

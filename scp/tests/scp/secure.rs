//! TLS on the secure port: who gets in, what is said to whom, and certificates that are replaced while the port is open.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use dimse::ProposedContext;
use domain::{Destination, Fingerprint, Moment, PeerTable, TlsProfile};
use scp::{CurrentTls, Doors, SecureDoor};
use scu::{Route, ScuError, Security, Timeouts};
use tests::{Authority, Issued, Wishes};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use trust::{ClientCertificates, ClientTrust, Clock, Credentials, ServerName};

use crate::access::peer;
use crate::support::*;

const TIMEOUTS: Timeouts = Timeouts { connect: PATIENCE, io: PATIENCE };

/// 2026-11-24.
fn clock() -> Clock {
    Clock::new(|| Moment::from_unix_millis(1_795_500_000_000))
}

/// A CA with certificates of a node and of a peer.
pub(crate) struct World {
    authority: Authority,
    node: Issued,
    peer: Issued,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_key(None)
    }

    /// The node has this key, PEM, or a new one on P-256.
    pub(crate) fn with_key(key: Option<String>) -> Self {
        let authority = Authority::new("test CA").unwrap();
        let issue = |name: &str, key| {
            authority.issue(name, &["127.0.0.1"], &Wishes { expired: false, key }).unwrap()
        };
        let (node, peer) = (issue("node", key), issue("CT 1", None));
        Self { authority, node, peer }
    }

    fn authorities(&self) -> Vec<trust::CertificateDer<'static>> {
        trust::certificates(self.authority.certificate().as_bytes()).unwrap()
    }

    fn answering(&self, clients: ClientCertificates) -> Arc<trust::ServerConfig> {
        let own = credentials(&self.node);
        trust::server_config(TlsProfile::Bcp195, own, clients, &clock()).unwrap()
    }

    fn required(&self) -> Arc<trust::ServerConfig> {
        self.answering(ClientCertificates::Required(self.authorities()))
    }

    /// Reaches the node, showing a certificate or none.
    fn security(&self, shown: Option<&Issued>) -> Security {
        let trust =
            ClientTrust { authorities: self.authorities(), credentials: shown.map(credentials) };
        let config = trust::client_config(TlsProfile::Bcp195, trust, &clock()).unwrap();
        let server_name = ServerName::try_from("127.0.0.1").unwrap();
        // A receiver keeps its value when the sender is gone.
        let (_, config) = watch::channel(config);
        Security { tls: Some(scu::Tls { config, server_name }), identity: None }
    }

    /// A server that asks for no certificate.
    pub(crate) async fn open_server(&self, profile: TlsProfile) -> Server {
        let own = credentials(&self.node);
        let answering = trust::server_config(profile, own, ClientCertificates::None, &clock());
        let (_, tls) = watch::channel(answering.unwrap());
        secure_server(settings(), tls).await
    }

    /// A server whose every port is secure, asking for certificates.
    pub(crate) async fn server(&self, settings: scp::ScpSettings) -> Server {
        let (_, tls) = watch::channel(self.required());
        secure_server(settings, tls).await
    }

    /// The same, over an intake of one's own.
    pub(crate) async fn server_with(
        &self,
        settings: scp::ScpSettings,
        intake: Arc<dyn domain::Intake>,
        memory: Arc<Memory>,
    ) -> Server {
        let (_, tls) = watch::channel(self.required());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let doors = Doors { plain: None, secure: Some(SecureDoor { listener, tls }) };
        Server::serve(doors, address, settings, intake, memory)
    }

    /// The peer with its certificate.
    pub(crate) fn known(&self) -> Security {
        self.security(Some(&self.peer))
    }
}

fn credentials(issued: &Issued) -> Credentials {
    Credentials::from_pem(issued.certificate.as_bytes(), issued.key.as_bytes()).unwrap()
}

async fn secure_server(settings: scp::ScpSettings, tls: CurrentTls) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let doors = Doors { plain: None, secure: Some(SecureDoor { listener, tls }) };
    Server::start_at(doors, address, settings, Mood::Good).await
}

async fn echo(to: &Destination, security: &Security) -> Result<(), ScuError> {
    scu::echo(Route { to, security: Some(security) }, &TIMEOUTS).await
}

fn failed_handshakes(server: &Server) -> u64 {
    server.counters.handshakes_failed.load(Ordering::Relaxed)
}

#[tokio::test]
async fn both_sides_show_a_certificate_or_there_is_no_association() {
    let world = World::new();
    let server = world.server(settings()).await;
    let to = server.destination();
    echo(&to, &world.known()).await.unwrap();
    let other = World::new();
    let strangers = [world.security(None), world.security(Some(&other.peer))];
    for (n, security) in (1..).zip(&strangers) {
        let error = echo(&to, security).await.unwrap_err();
        assert!(matches!(error, ScuError::Handshake(_) | ScuError::Connection(_)), "{error}");
        while failed_handshakes(&server) < n {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    // We, too, look at whom we speak with.
    let error = echo(&to, &other.security(Some(&world.peer))).await.unwrap_err();
    assert!(error.to_string().contains("invalid peer certificate"), "{error}");
    assert_eq!(server.counters.associations_accepted.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn names_and_dates_are_checked() {
    let world = World::new();
    let server = world.server(settings()).await;
    let mut security = world.known();
    let tls = security.tls.as_mut().unwrap();
    tls.server_name = ServerName::try_from("pacs.example.org").unwrap();
    let error = echo(&server.destination(), &security).await.unwrap_err();
    assert!(error.to_string().contains("not valid for name"), "{error}");
    let over = Wishes { expired: true, key: None };
    let over = world.authority.issue("CT 2", &[], &over).unwrap();
    let error = echo(&server.destination(), &world.security(Some(&over))).await.unwrap_err();
    assert!(error.to_string().to_lowercase().contains("expired"), "{error}");
}

#[tokio::test]
async fn a_certificate_may_be_optional_or_not_asked_for() {
    let world = World::new();
    for clients in [ClientCertificates::Optional(world.authorities()), ClientCertificates::None] {
        let (_, tls) = watch::channel(world.answering(clients));
        let server = secure_server(settings(), tls).await;
        echo(&server.destination(), &world.security(None)).await.unwrap();
        echo(&server.destination(), &world.known()).await.unwrap();
    }
}

#[tokio::test]
async fn a_self_signed_certificate_stands_for_itself() {
    let world = World::new();
    let key = Issued::self_signed("CT 9").unwrap();
    let anchors = trust::certificates(key.certificate.as_bytes()).unwrap();
    let (_, tls) = watch::channel(world.answering(ClientCertificates::Required(anchors)));
    let server = secure_server(settings(), tls).await;
    echo(&server.destination(), &world.security(Some(&key))).await.unwrap();
    assert!(echo(&server.destination(), &world.known()).await.is_err());
}

#[tokio::test]
async fn peers_are_known_by_their_certificates() {
    let world = World::new();
    let facts = trust::facts(&world.peer.der).unwrap();
    let by_print = domain::PeerRule { fingerprints: vec![facts.fingerprint], ..peer("print") };
    let by_name = domain::PeerRule { certificate_names: vec!["CT 1".into()], ..peer("name") };
    let other = domain::PeerRule { fingerprints: vec![Fingerprint([1; 32])], ..peer("other") };
    for (rule, welcome) in [(by_print, true), (by_name, true), (other, false)] {
        let peers = PeerTable(vec![rule]);
        let server = world.server(scp::ScpSettings { peers, ..settings() }).await;
        let echoed = echo(&server.destination(), &world.known()).await;
        match echoed {
            Ok(()) => assert!(welcome),
            Err(ScuError::Rejected(rejection)) => {
                assert!(!welcome);
                assert_eq!((rejection.result, rejection.source, rejection.reason), (1, 1, 1));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_new_certificate_is_shown_to_the_next_and_who_is_inside_stays() {
    let world = World::new();
    let (sender, tls) = watch::channel(world.required());
    let server = secure_server(settings(), tls).await;
    let security = world.known();
    let mut inside = secure_peer(&server, &security, vec![]).await;
    let next = World::new();
    sender.send_replace(next.required());
    let error = echo(&server.destination(), &security).await.unwrap_err();
    assert!(error.to_string().contains("invalid peer certificate"), "{error}");
    echo(&server.destination(), &next.known()).await.unwrap();
    // An A-RELEASE-RQ of who came in before is answered.
    inside.write_all(&dimse::encode_release_request()).await.unwrap();
    inside.flush().await.unwrap();
    assert_eq!(read_pdu(&mut inside).await, 6);
}

/// An association over TLS, as a stream of bytes.
pub(crate) async fn secure_peer(
    server: &Server,
    security: &Security,
    contexts: Vec<ProposedContext>,
) -> tokio_rustls::client::TlsStream<TcpStream> {
    let tls = security.tls.as_ref().unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::clone(&tls.config.borrow()));
    let stream = TcpStream::connect(server.address).await.unwrap();
    let mut stream = connector.connect(tls.server_name.clone(), stream).await.unwrap();
    stream.write_all(&request(contexts).encode()).await.unwrap();
    stream.flush().await.unwrap();
    assert_eq!(read_pdu(&mut stream).await, 2, "A-ASSOCIATE-AC");
    stream
}

/// Reads one PDU and gives its type.
pub(crate) async fn read_pdu(stream: &mut (impl AsyncReadExt + Unpin)) -> u8 {
    let mut head = [0; 6];
    stream.read_exact(&mut head).await.unwrap();
    let length = u32::from_be_bytes(*head.last_chunk().unwrap());
    let mut body = vec![0; usize::try_from(length).unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    head[0]
}

#[tokio::test]
async fn who_comes_to_the_wrong_port_is_sent_away_at_once() {
    let world = World::new();
    let secure = world.server(settings()).await;
    let error = scu::echo(&secure.destination(), &TIMEOUTS).await.unwrap_err();
    assert!(matches!(error, ScuError::Connection(_)), "{error}");
    assert_eq!(failed_handshakes(&secure), 1);
    let plain = Server::start(settings(), Mood::Good).await;
    let error = echo(&plain.destination(), &world.security(None)).await.unwrap_err();
    assert!(matches!(error, ScuError::Handshake(_)), "{error}");
    assert_eq!(plain.counters.associations_accepted.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_ended_by_artim() {
    let world = World::new();
    let mut settings = settings();
    settings.limits.artim_timeout = Duration::from_millis(200);
    let server = world.server(settings).await;
    // Nothing; a record that never ends; a ClientHello that drips; a handshake without A-ASSOCIATE-RQ.
    for (head, drips) in [(&b""[..], false), (b"\x16\x03\x01\x02\x00\x01", false), (b"\x16", true)]
    {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(head).await.unwrap();
        let closed = tokio::time::timeout(PATIENCE, async {
            loop {
                let mut one = [0];
                let pause = tokio::time::sleep(Duration::from_millis(20));
                tokio::select! {
                    read = stream.read(&mut one) => if matches!(read, Ok(0) | Err(_)) { return },
                    () = pause, if drips => drop(stream.try_write(b"\x03")),
                }
            }
        });
        closed.await.expect("still open");
    }
    let stream = TcpStream::connect(server.address).await.unwrap();
    let security = world.known();
    let tls = security.tls.as_ref().unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::clone(&tls.config.borrow()));
    let mut stream = connector.connect(tls.server_name.clone(), stream).await.unwrap();
    let end = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut vec![])).await;
    drop(end.expect("still open"));
    assert_eq!(server.counters.associations_accepted.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn instances_arrive_over_tls_byte_for_byte() {
    let world = World::new();
    let server = world.server(settings()).await;
    let dir = tempfile::tempdir().unwrap();
    let sent: Vec<_> = (0..3).map(|n| crate::good::file(dir.path(), n, 200_000)).collect();
    let security = world.known();
    let to = server.destination();
    let route = Route { to: &to, security: Some(&security) };
    let outcomes = scu::store(route, &sent, &TIMEOUTS, &mut |_, _| {}).await.unwrap();
    assert_eq!(outcomes, vec![scu::Outcome::Stored; 3]);
    for outgoing in &sent {
        let name = outgoing.identity.sop_instance.as_str();
        let file = std::fs::read(&outgoing.path).unwrap();
        assert!(file.ends_with(&server.memory.data_set(name)), "{name}");
    }
}

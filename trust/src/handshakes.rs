//! Whole TLS handshakes in memory: who gets in, and who does not.

use std::sync::Arc;

use domain::{Moment, TlsProfile};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::client::Resumption;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConnection, Connection, HandshakeKind, ServerConnection, SupportedProtocolVersion,
};

use crate::{
    ClientCertificates, ClientConfig, ClientTrust, Clock, Credentials, ServerConfig, client_config,
    server_config,
};

/// Everybody's name.
const HOST: &str = "ct1.example.org";
/// 2026-11-24, and ten years later.
const NOW: u64 = 1_795_500_000_000;
const LATER: u64 = NOW + 10 * 365 * 86_400_000;

/// A certificate, and its key.
struct Holder {
    params: CertificateParams,
    key: KeyPair,
    der: CertificateDer<'static>,
}

/// For [`HOST`], until this year.
fn params(year: i32) -> CertificateParams {
    let mut params = CertificateParams::new(vec![HOST.into()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "CT 1");
    params.not_before = date_time_ymd(2019, 1, 1);
    params.not_after = date_time_ymd(year, 1, 1);
    params
}

fn self_signed(params: CertificateParams) -> Holder {
    let key = KeyPair::generate().unwrap();
    let der = params.self_signed(&key).unwrap().der().clone();
    Holder { params, key, der }
}

fn authority(year: i32) -> Holder {
    let mut params = params(year);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name.push(DnType::CommonName, format!("CA until {year}"));
    self_signed(params)
}

impl Holder {
    /// Signs a certificate, whether it may or not.
    fn sign(&self) -> Self {
        let issuer = Issuer::from_params(&self.params, &self.key);
        let (params, key) = (params(2099), KeyPair::generate().unwrap());
        let der = params.signed_by(&key, &issuer).unwrap().der().clone();
        Self { params, key, der }
    }

    fn credentials(&self) -> Credentials {
        let key = self.key.serialize_der().try_into().unwrap();
        Credentials { chain: vec![self.der.clone()], key }
    }
}

fn ders(holders: &[&Holder]) -> Vec<CertificateDer<'static>> {
    holders.iter().map(|holder| holder.der.clone()).collect()
}

fn clock(millis: u64) -> Clock {
    Clock::new(move || Moment::from_unix_millis(millis))
}

fn answering(own: &Holder, trusted: &[&Holder], millis: u64) -> Arc<ServerConfig> {
    let clients = ClientCertificates::Required(ders(trusted));
    server_config(TlsProfile::Bcp195, own.credentials(), clients, &clock(millis)).unwrap()
}

fn asking(shown: &Holder, trusted: &[&Holder], millis: u64) -> Arc<ClientConfig> {
    let trust = ClientTrust { authorities: ders(trusted), credentials: Some(shown.credentials()) };
    client_config(TlsProfile::Bcp195, trust, &clock(millis)).unwrap()
}

/// Moves what one side has written to the other.
fn carry(from: &mut Connection, to: &mut Connection) -> Result<(), String> {
    while from.wants_write() {
        let mut bytes = Vec::new();
        from.write_tls(&mut bytes).unwrap();
        to.read_tls(&mut bytes.as_slice()).unwrap();
        to.process_new_packets().map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Both ends of a connection, with all that is said before the first word; or why there is none.
fn shake(
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
) -> Result<(Connection, Connection), String> {
    let name = ServerName::try_from(HOST).unwrap();
    let mut client = Connection::from(ClientConnection::new(client, name).unwrap());
    let mut server = Connection::from(ServerConnection::new(server).unwrap());
    while client.wants_write() || server.wants_write() {
        carry(&mut client, &mut server)?;
        carry(&mut server, &mut client)?;
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Ok((client, server))
}

/// Whether who shows this gets in where these are trusted.
fn lets_in(trusted: &[&Holder], shown: &Holder, millis: u64) -> Result<(), String> {
    let own = authority(2099).sign();
    let client = asking(shown, &[&own], millis);
    shake(client, answering(&own, trusted, millis)).map(drop)
}

/// Whether we go on with a server that shows this, where we trust these.
fn goes_on(trusted: &[&Holder], shown: &Holder, millis: u64) -> Result<(), String> {
    let own = self_signed(params(2099));
    let client = asking(&own, trusted, millis);
    shake(client, answering(shown, &[&own], millis)).map(drop)
}

#[test]
fn who_is_signed_by_a_ca_gets_in_and_so_does_a_certificate_for_itself() {
    let (ca, pinned, issued) = (authority(2099), self_signed(params(2099)), authority(2099).sign());
    let trusted = [&ca, &pinned, &issued];
    for judge in [lets_in, goes_on] {
        assert_eq!(judge(&trusted, &ca.sign(), NOW), Ok(()));
        assert_eq!(judge(&trusted, &pinned, NOW), Ok(()));
        assert_eq!(judge(&trusted, &issued, NOW), Ok(()), "one of an unknown CA, by itself");
        let stranger = judge(&trusted, &authority(2098).sign(), NOW).unwrap_err();
        assert!(stranger.contains("UnknownIssuer"), "{stranger}");
    }
}

#[test]
fn a_certificate_for_itself_signs_nobody() {
    let (ca, pinned) = (authority(2099), self_signed(params(2099)));
    for judge in [lets_in, goes_on] {
        for trusted in [&[&ca, &pinned][..], &[&pinned]] {
            let forged = judge(trusted, &pinned.sign(), NOW).unwrap_err();
            assert!(forged.contains("UnknownIssuer"), "{forged}");
        }
    }
}

#[test]
fn what_is_over_lets_nobody_in() {
    let (ca, pinned) = (authority(2030), self_signed(params(2030)));
    for judge in [lets_in, goes_on] {
        let trusted = [&ca, &pinned];
        assert_eq!(judge(&trusted, &ca.sign(), NOW), Ok(()));
        assert_eq!(judge(&trusted, &pinned, NOW), Ok(()));
        // The same files, ten years later.
        let signed = judge(&trusted, &ca.sign(), LATER).unwrap_err();
        assert!(signed.contains("UnknownIssuer"), "{signed}");
        let over = judge(&trusted, &pinned, LATER).unwrap_err();
        assert!(over.contains("Expired"), "{over}");
        let next = authority(2099);
        assert_eq!(judge(&[&ca, &next], &next.sign(), LATER), Ok(()), "the CA beside it");
    }
}

#[test]
fn a_pinned_server_has_the_name_it_is_reached_by() {
    let named = CertificateParams::new(vec!["pacs.example.org".into()]).unwrap();
    let other = self_signed(named);
    let wrong = goes_on(&[&other], &other, NOW).unwrap_err();
    assert!(wrong.contains("not valid for name"), "{wrong}");
}

/// A client that would resume sessions if it could, by one version.
fn resuming(
    shown: &Holder,
    trusted: &Holder,
    version: &'static SupportedProtocolVersion,
) -> Arc<ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted.der.clone()).unwrap();
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_details(ring, Arc::new(clock(NOW)));
    let builder = builder.with_protocol_versions(&[version]).unwrap().with_root_certificates(roots);
    let Credentials { chain, key } = shown.credentials();
    let mut config = builder.with_client_auth_cert(chain, key).unwrap();
    config.resumption = Resumption::in_memory_sessions(8);
    Arc::new(config)
}

/// A server that would let sessions be resumed.
fn letting_resume(own: &Holder) -> Arc<ServerConfig> {
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_details(ring, Arc::new(clock(NOW)));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let Credentials { chain, key } = own.credentials();
    Arc::new(builder.with_single_cert(chain, key).unwrap())
}

/// How the second connection between these two begins.
fn second(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> HandshakeKind {
    let shake = || shake(Arc::clone(client), Arc::clone(server)).unwrap();
    assert_eq!(shake().1.handshake_kind(), Some(HandshakeKind::Full));
    shake().1.handshake_kind().unwrap()
}

#[test]
fn certificates_are_shown_each_time() {
    let ca = authority(2099);
    let (node, peer) = (ca.sign(), ca.sign());
    let (ours, theirs) = (answering(&node, &[&ca], NOW), letting_resume(&node));
    for version in [&TLS12, &TLS13] {
        let client = resuming(&peer, &ca, version);
        assert_eq!(second(&client, &theirs), HandshakeKind::Resumed, "where the server lets it");
        let client = resuming(&peer, &ca, version);
        assert_eq!(second(&client, &ours), HandshakeKind::Full);
    }
    assert_eq!(second(&asking(&peer, &[&ca], NOW), &theirs), HandshakeKind::Full);
}

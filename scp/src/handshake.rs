//! TLS on a connection that has just come in: the handshake, and who the peer says it is by its certificate.

use std::io;
use std::sync::Arc;

use domain::CertificateFacts;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use trust::ServerConfig;

/// The first byte of a TLS handshake record (RFC 8446 §5.1); no PDU type has this number.
pub(crate) const TLS_HANDSHAKE: u8 = 0x16;
/// PDU type of A-ASSOCIATE-RQ.
const ASSOCIATE_REQUEST: u8 = 0x01;

/// A secured connection.
pub(crate) struct Secured {
    pub(crate) stream: TlsStream<TcpStream>,
    /// Of the peer; `None` when it showed none.
    pub(crate) certificate: Option<CertificateFacts>,
    /// Version and suite, for the log.
    pub(crate) terms: String,
}

/// Why there is no secured connection.
#[derive(Debug, Error)]
pub(crate) enum Unsecured {
    /// A DICOM peer without TLS.
    #[error("a peer without TLS on the secure port; it has to use TLS here, or the plain port")]
    Plain,
    /// The connection was closed before anything came: port scans and health checks.
    #[error("closed before anything came")]
    Silent,
    /// The handshake failed: a version or suite that we do not take, a certificate that does not convince one side.
    #[error("the TLS handshake failed: {0}")]
    Handshake(io::Error),
    /// The peer did not end its handshake within ARTIM.
    #[error("no TLS handshake within ARTIM")]
    TimedOut,
    /// A certificate that was verified, and cannot be read.
    #[error("the peer's certificate cannot be read")]
    Certificate,
}

/// Secures a connection, at the latest at `until`.
pub(crate) async fn secure(
    stream: TcpStream,
    tls: Arc<ServerConfig>,
    until: Instant,
) -> Result<Secured, Unsecured> {
    let shaking = async {
        let mut first = [0];
        // Looked at, not taken: the handshake begins with it.
        match stream.peek(&mut first).await {
            Ok(0) => return Err(Unsecured::Silent),
            Ok(_) if first == [ASSOCIATE_REQUEST] => return Err(Unsecured::Plain),
            Ok(_) => {}
            Err(error) => return Err(Unsecured::Handshake(error)),
        }
        TlsAcceptor::from(tls).accept(stream).await.map_err(Unsecured::Handshake)
    };
    let stream = timeout_at(until, shaking).await.map_err(|_| Unsecured::TimedOut)??;
    let (_, session) = stream.get_ref();
    let terms = match (session.protocol_version(), session.negotiated_cipher_suite()) {
        (Some(version), Some(suite)) => format!("{version:?} {:?}", suite.suite()),
        (_, _) => String::new(),
    };
    let shown = session.peer_certificates().and_then(<[_]>::first);
    let certificate = match shown {
        Some(der) => Some(trust::facts(der).ok_or(Unsecured::Certificate)?),
        None => None,
    };
    Ok(Secured { stream, certificate, terms })
}

//! The side that makes TLS connections.

use std::sync::Arc;

use domain::TlsProfile;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use crate::anchors::{Anchors, Trusted};
use crate::profile::provider;
use crate::server::tls;
use crate::{Clock, Credentials, TrustError};

/// Whom we trust, and what we show.
#[derive(Debug, Clone)]
pub struct ClientTrust {
    /// The server's certificate leads to one of these, or is one of them.
    pub authorities: Vec<CertificateDer<'static>>,
    /// What is shown to a server that asks; nothing without.
    pub credentials: Option<Credentials>,
}

/// How a TLS connection is asked for: TLS 1.3, else 1.2, by the suites of `profile`. The server's certificate is
/// checked at each connection, and its name too.
///
/// # Errors
/// [`TrustError`] when key and certificate do not fit, or a CA cannot be one.
pub fn client_config(
    profile: TlsProfile,
    trust: ClientTrust,
    clock: &Clock,
) -> Result<Arc<ClientConfig>, TrustError> {
    let ring = Arc::new(provider(profile));
    let builder = ClientConfig::builder_with_details(Arc::clone(&ring), Arc::new(clock.clone()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| tls(&error))?;
    let verifier = ServerVerifier { anchors: Anchors::new(trust.authorities)?, provider: ring };
    // Of webpki's check nothing is left out but what a certificate in the file itself does not need.
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match trust.credentials {
        None => builder.with_no_client_auth(),
        Some(Credentials { chain, key }) => builder
            .with_client_auth_cert(chain, key)
            .map_err(|error| TrustError::Key(error.to_string()))?,
    };
    // In a session that is resumed nobody shows a certificate.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// Whom we go on speaking with.
#[derive(Debug)]
struct ServerVerifier {
    anchors: Anchors,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let roots = match self.anchors.trusted(shown, now)? {
            Trusted::Itself => {
                verify_server_name(&ParsedCertificate::try_from(shown)?, name)?;
                return Ok(ServerCertVerified::assertion());
            }
            Trusted::Through(roots) => roots,
        };
        let provider = Arc::clone(&self.provider);
        let webpki = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
        let webpki = webpki.map_err(|error| Error::General(error.to_string()))?;
        webpki.verify_server_cert(shown, intermediates, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, shown, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, shown, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

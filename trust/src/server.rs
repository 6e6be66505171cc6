//! The side that takes TLS connections.

use std::sync::Arc;

use domain::TlsProfile;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};

use crate::anchors::{Anchors, Trusted};
use crate::profile::provider;
use crate::{Clock, Credentials, TrustError};

/// Which certificates clients have to show. The certificates are those of CAs, or of clients themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCertificates {
    /// One that leads to one of these.
    Required(Vec<CertificateDer<'static>>),
    /// None, or one that leads to one of these.
    Optional(Vec<CertificateDer<'static>>),
    /// None; one is not asked for.
    None,
}

/// How TLS is answered: TLS 1.2 or 1.3, by the suites of `profile`, each time with a full handshake.
///
/// # Errors
/// [`TrustError`] when key and certificate do not fit, or a CA cannot be one.
pub fn server_config(
    profile: TlsProfile,
    credentials: Credentials,
    clients: ClientCertificates,
    clock: &Clock,
) -> Result<Arc<ServerConfig>, TrustError> {
    let ring = Arc::new(provider(profile));
    let verifier = verifier(clients, &ring)?;
    let builder = ServerConfig::builder_with_details(ring, Arc::new(clock.clone()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| tls(&error))?;
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let Credentials { chain, key } = credentials;
    let config = builder.with_single_cert(chain, key);
    let mut config = config.map_err(|error| TrustError::Key(error.to_string()))?;
    // Who resumes a session shows no certificate, and what it showed once may be over by now.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// Who is let in, of those that show a certificate.
#[derive(Debug)]
struct ClientVerifier {
    anchors: Anchors,
    subjects: Vec<DistinguishedName>,
    demand: Demand,
    provider: Arc<CryptoProvider>,
}

/// What becomes of a client without a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Demand {
    /// It is sent away.
    Required,
    /// It gets in.
    Optional,
}

fn verifier(
    clients: ClientCertificates,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, TrustError> {
    let (demand, authorities) = match clients {
        ClientCertificates::None => return Ok(None),
        ClientCertificates::Required(authorities) => (Demand::Required, authorities),
        ClientCertificates::Optional(authorities) => (Demand::Optional, authorities),
    };
    let anchors = Anchors::new(authorities)?;
    let subjects = anchors.subjects()?.subjects();
    let provider = Arc::clone(provider);
    Ok(Some(Arc::new(ClientVerifier { anchors, subjects, demand, provider })))
}

impl ClientCertVerifier for ClientVerifier {
    fn client_auth_mandatory(&self) -> bool {
        self.demand == Demand::Required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.subjects
    }

    fn verify_client_cert(
        &self,
        shown: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let roots = match self.anchors.trusted(shown, now)? {
            Trusted::Itself => return Ok(ClientCertVerified::assertion()),
            Trusted::Through(roots) => roots,
        };
        let provider = Arc::clone(&self.provider);
        let webpki = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
        let webpki = webpki.map_err(|error| Error::General(error.to_string()))?;
        webpki.verify_client_cert(shown, intermediates, now)
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

pub(crate) fn tls(error: &Error) -> TrustError {
    TrustError::Tls(error.to_string())
}

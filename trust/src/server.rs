//! The side that takes TLS connections.

use std::sync::Arc;

use domain::TlsProfile;
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};

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

/// How TLS is answered: TLS 1.2 or 1.3, by the suites of `profile`.
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
    Ok(Arc::new(config.map_err(|error| TrustError::Key(error.to_string()))?))
}

fn verifier(
    clients: ClientCertificates,
    provider: &Arc<rustls::crypto::CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, TrustError> {
    let builder = |authorities| {
        let roots = Arc::new(roots(authorities)?);
        Ok(WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(provider)))
    };
    let built = match clients {
        ClientCertificates::None => return Ok(None),
        ClientCertificates::Required(authorities) => builder(authorities)?.build(),
        ClientCertificates::Optional(authorities) => {
            builder(authorities)?.allow_unauthenticated().build()
        }
    };
    built.map(Some).map_err(|error| TrustError::Tls(error.to_string()))
}

/// A store of these anchors.
pub(crate) fn roots(
    authorities: Vec<CertificateDer<'static>>,
) -> Result<RootCertStore, TrustError> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority).map_err(|error| TrustError::Authority(error.to_string()))?;
    }
    Ok(roots)
}

pub(crate) fn tls(error: &rustls::Error) -> TrustError {
    TrustError::Tls(error.to_string())
}

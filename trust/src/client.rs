//! The side that makes TLS connections.

use std::sync::Arc;

use domain::TlsProfile;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;

use crate::profile::provider;
use crate::server::{roots, tls};
use crate::{Clock, Credentials, TrustError};

/// Whom we trust, and what we show.
#[derive(Debug, Clone)]
pub struct ClientTrust {
    /// The server's certificate leads to one of these, or is one of them.
    pub authorities: Vec<CertificateDer<'static>>,
    /// What is shown to a server that asks; nothing without.
    pub credentials: Option<Credentials>,
}

/// How a TLS connection is asked for: TLS 1.3, else 1.2, by the suites of `profile`. The server's certificate is always
/// checked, and its name too.
///
/// # Errors
/// [`TrustError`] when key and certificate do not fit, or a CA cannot be one.
pub fn client_config(
    profile: TlsProfile,
    trust: ClientTrust,
    clock: &Clock,
) -> Result<Arc<ClientConfig>, TrustError> {
    let ring = Arc::new(provider(profile));
    let builder = ClientConfig::builder_with_details(ring, Arc::new(clock.clone()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| tls(&error))?;
    let builder = builder.with_root_certificates(roots(trust.authorities)?);
    Ok(Arc::new(match trust.credentials {
        None => builder.with_no_client_auth(),
        Some(Credentials { chain, key }) => builder
            .with_client_auth_cert(chain, key)
            .map_err(|error| TrustError::Key(error.to_string()))?,
    }))
}

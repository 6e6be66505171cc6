//! PEM: certificates and private keys (RFC 7468).

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::TrustError;

/// What one side shows of itself: its certificate, those between it and its CA, and its key.
pub struct Credentials {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({} certificates, key ***)", self.chain.len())
    }
}

impl Credentials {
    /// From the PEM of the certificates, own one first, and of the key.
    ///
    /// # Errors
    /// [`TrustError`] when one of them is none.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, TrustError> {
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| {
            if matches!(error, pem::Error::NoItemsFound) {
                TrustError::NoKey
            } else {
                TrustError::Pem(error.to_string())
            }
        })?;
        Ok(Self { chain: self::certificates(certificates)?, key })
    }
}

impl Clone for Credentials {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

/// The certificates of a PEM file, at least one, as DER.
///
/// # Errors
/// [`TrustError`] when there is none, or one cannot be read.
pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err(TrustError::NoCertificate),
        Ok(found) => Ok(found),
        Err(error) => Err(TrustError::Pem(error.to_string())),
    }
}

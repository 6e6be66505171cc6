//! Whom a file of CAs lets in: who shows a certificate that a CA in it has signed, and who shows a certificate in it that is no CA.
//!
//! webpki asks nothing of an anchor but its name and its key. So what is no CA never becomes one, and a CA is one only while it is
//! valid.

use std::sync::Arc;

use domain::Moment;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{CertificateError, Error, RootCertStore};

use crate::certificate::Role;
use crate::{Certificate, TrustError};

/// CAs, and certificates that stand for themselves.
#[derive(Debug)]
pub(crate) struct Anchors {
    authorities: Vec<Authority>,
    holders: Vec<Holder>,
}

/// What a certificate that was shown leads to.
#[derive(Debug)]
pub(crate) enum Trusted {
    /// It is in the file itself, and valid.
    Itself,
    /// It has to lead to one of these.
    Through(Arc<RootCertStore>),
}

/// A CA.
#[derive(Debug)]
struct Authority {
    root: RootCertStore,
    valid: Valid,
}

/// A certificate that stands for itself, whoever has signed it.
#[derive(Debug)]
struct Holder {
    certificate: CertificateDer<'static>,
    valid: Valid,
}

/// From when and until when, both inclusive (RFC 5280 §4.1.2.5).
#[derive(Debug, Clone, Copy)]
struct Valid {
    from: Moment,
    to: Moment,
}

impl Anchors {
    /// From the certificates of a file.
    pub(crate) fn new(certificates: Vec<CertificateDer<'static>>) -> Result<Self, TrustError> {
        let mut anchors = Self { authorities: vec![], holders: vec![] };
        for certificate in certificates {
            let Certificate { not_before: from, not_after: to, .. } =
                Certificate::from_der(&certificate)?;
            let valid = Valid { from, to };
            match Role::of(&certificate)? {
                Role::Authority => {
                    let root = root(certificate)?;
                    anchors.authorities.push(Authority { root, valid });
                }
                Role::Holder => anchors.holders.push(Holder { certificate, valid }),
            }
        }
        Ok(anchors)
    }

    /// The subjects of all, by which peers choose what they show.
    pub(crate) fn subjects(&self) -> Result<RootCertStore, TrustError> {
        let mut all = RootCertStore::empty();
        all.extend(self.authorities.iter().flat_map(|authority| authority.root.roots.clone()));
        for holder in &self.holders {
            all.extend(root(holder.certificate.clone())?.roots);
        }
        Ok(all)
    }

    /// What this certificate leads to now.
    pub(crate) fn trusted(
        &self,
        shown: &CertificateDer<'_>,
        now: UnixTime,
    ) -> Result<Trusted, Error> {
        let now = Moment::from_unix_millis(now.as_secs().saturating_mul(1000));
        if let Some(holder) = self.holders.iter().find(|holder| holder.certificate == *shown) {
            return holder.valid.check(now).map(|()| Trusted::Itself).map_err(Error::from);
        }
        let valid = self.authorities.iter().filter(|authority| authority.valid.check(now).is_ok());
        let roots: RootCertStore =
            valid.flat_map(|authority| authority.root.roots.clone()).collect();
        if roots.is_empty() {
            return Err(CertificateError::UnknownIssuer.into());
        }
        Ok(Trusted::Through(Arc::new(roots)))
    }
}

impl Valid {
    fn check(self, now: Moment) -> Result<(), CertificateError> {
        if now < self.from {
            return Err(CertificateError::NotValidYet);
        }
        if now > self.to { Err(CertificateError::Expired) } else { Ok(()) }
    }
}

/// A store of one.
fn root(certificate: CertificateDer<'static>) -> Result<RootCertStore, TrustError> {
    let mut root = RootCertStore::empty();
    root.add(certificate).map_err(|error| TrustError::Authority(error.to_string()))?;
    Ok(root)
}

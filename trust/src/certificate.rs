//! What a certificate says: whose it is, from when, and until when (RFC 5280).

use domain::{CertificateFacts, Fingerprint, Moment};
use sha2::{Digest, Sha256};
use x509_parser::error::X509Error;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate, X509Version};

use crate::{TrustError, certificates};

/// A certificate, as operators ask about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Which it is and whose.
    pub facts: CertificateFacts,
    /// Subject as text.
    pub subject: String,
    /// From when it is valid.
    pub not_before: Moment,
    /// Until when.
    pub not_after: Moment,
}

impl Certificate {
    /// The certificates of a PEM file in their order, at least one.
    ///
    /// # Errors
    /// [`TrustError`] when there is none, or one cannot be read.
    pub fn from_pem(pem: &[u8]) -> Result<Vec<Self>, TrustError> {
        certificates(pem)?.iter().map(|der| Self::from_der(der)).collect()
    }

    /// A certificate as it comes in a handshake.
    ///
    /// # Errors
    /// [`TrustError::Certificate`] when it is none.
    pub fn from_der(der: &[u8]) -> Result<Self, TrustError> {
        let x509 = parsed(der)?;
        let validity = x509.validity();
        let moment = |seconds: i64| {
            let seconds = u64::try_from(seconds).unwrap_or_default();
            Moment::from_unix_millis(seconds.saturating_mul(1000))
        };
        Ok(Self {
            facts: CertificateFacts {
                fingerprint: Fingerprint(Sha256::digest(der).into()),
                names: names(&x509),
            },
            subject: x509.subject().to_string(),
            not_before: moment(validity.not_before.timestamp()),
            not_after: moment(validity.not_after.timestamp()),
        })
    }
}

/// Whom a certificate speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// For those whose certificates its key signs.
    Authority,
    /// For its holder alone.
    Holder,
}

impl Role {
    /// A CA says that it is one, and that its key may sign certificates where it says anything of its key (RFC 5280
    /// §4.2.1.9, §4.2.1.3).
    pub(crate) fn of(der: &[u8]) -> Result<Self, TrustError> {
        let x509 = parsed(der)?;
        if x509.version() != X509Version::V3 {
            return Err(TrustError::Authority(
                "it has no extensions to say so: no X.509 v3".into(),
            ));
        }
        let wrong = |error: X509Error| TrustError::Certificate(error.to_string());
        let basic = x509.basic_constraints().map_err(wrong)?;
        let usage = x509.key_usage().map_err(wrong)?;
        let is_ca = basic.is_some_and(|extension| extension.value.ca);
        let signs = usage.is_none_or(|extension| extension.value.key_cert_sign());
        Ok(if is_ca && signs { Self::Authority } else { Self::Holder })
    }
}

fn parsed(der: &[u8]) -> Result<X509Certificate<'_>, TrustError> {
    let parsed = X509Certificate::from_der(der);
    parsed.map(|(_, x509)| x509).map_err(|error| TrustError::Certificate(error.to_string()))
}

/// What a verified certificate of a handshake says of its holder; `None` when it cannot be read.
#[must_use]
pub fn facts(der: &[u8]) -> Option<CertificateFacts> {
    Certificate::from_der(der).ok().map(|certificate| certificate.facts)
}

fn names(x509: &X509Certificate<'_>) -> Vec<String> {
    let common = x509.subject().iter_common_name();
    let common = common.filter_map(|name| name.as_str().ok().map(str::to_owned));
    let alternative = x509.subject_alternative_name().ok().flatten();
    let alternative = alternative.map(|extension| extension.value.general_names.iter());
    common.chain(alternative.into_iter().flatten().filter_map(name)).collect()
}

fn name(general: &GeneralName<'_>) -> Option<String> {
    match general {
        GeneralName::DNSName(name) | GeneralName::RFC822Name(name) | GeneralName::URI(name) => {
            Some((*name).to_owned())
        }
        GeneralName::IPAddress(bytes) => address(bytes),
        GeneralName::OtherName(..)
        | GeneralName::X400Address(_)
        | GeneralName::DirectoryName(_)
        | GeneralName::EDIPartyName(_)
        | GeneralName::RegisteredID(_)
        | GeneralName::Invalid(..) => None,
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(bytes).ok().map(std::net::IpAddr::from);
    let v6 = <[u8; 16]>::try_from(bytes).ok().map(std::net::IpAddr::from);
    v4.or(v6).map(|address| address.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{
        BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, KeyUsagePurpose, SanType,
        date_time_ymd,
    };

    #[test]
    fn names_dates_and_fingerprint() {
        let names = vec!["ct1.example.org".to_owned(), "10.0.0.7".to_owned()];
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, "CT 1");
        let mail = "ct@example.org".try_into().unwrap();
        params.subject_alt_names.push(SanType::Rfc822Name(mail));
        params.not_before = date_time_ymd(2026, 1, 2);
        params.not_after = date_time_ymd(2027, 3, 4);
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let twice = made.pem().repeat(2);
        let [read, second] = &Certificate::from_pem(twice.as_bytes()).unwrap()[..] else {
            panic!()
        };
        assert_eq!(read, second);
        let expected = ["CT 1", "ct1.example.org", "10.0.0.7", "ct@example.org"];
        assert_eq!(read.facts.names, expected);
        assert!(read.subject.contains("CT 1"), "{}", read.subject);
        let (from, to) = (read.not_before.dicom_date(), read.not_after.dicom_date());
        assert_eq!((from.as_str(), to.as_str()), ("20260102", "20270304"));
        let digest: [u8; 32] = Sha256::digest(made.der()).into();
        assert_eq!(read.facts.fingerprint, Fingerprint(digest));
        assert_eq!(facts(made.der()).as_ref(), Some(&read.facts));
    }

    #[test]
    fn who_is_a_ca() {
        let role = |is_ca: IsCa, usages: &[KeyUsagePurpose]| {
            let mut params = CertificateParams::new(vec![]).unwrap();
            params.is_ca = is_ca;
            params.key_usages = usages.to_vec();
            Role::of(params.self_signed(&KeyPair::generate().unwrap()).unwrap().der()).unwrap()
        };
        let ca = || IsCa::Ca(BasicConstraints::Unconstrained);
        assert_eq!(role(ca(), &[]), Role::Authority);
        assert_eq!(role(ca(), &[KeyUsagePurpose::KeyCertSign]), Role::Authority);
        assert_eq!(role(ca(), &[KeyUsagePurpose::DigitalSignature]), Role::Holder);
        assert_eq!(role(IsCa::NoCa, &[KeyUsagePurpose::KeyCertSign]), Role::Holder);
        assert_eq!(role(IsCa::ExplicitNoCa, &[]), Role::Holder);
    }

    #[test]
    fn what_is_none() {
        assert_eq!(Certificate::from_pem(b"hello"), Err(TrustError::NoCertificate));
        assert!(matches!(Certificate::from_der(b"hello"), Err(TrustError::Certificate(_))));
        let cut = b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n";
        assert!(matches!(Certificate::from_pem(cut), Err(TrustError::Pem(_))));
    }
}

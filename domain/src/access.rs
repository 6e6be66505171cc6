//! Who may: the table of peers, and what each of them may do. A pure machine: a [`Caller`] in, a verdict out.
//!
//! It knows titles, addresses and what a certificate says; it does not know how these were learned or whether they are
//! true. A certificate is only ever one whose chain was verified.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use crate::{AeTitle, SopClassUid};

/// Verification SOP Class (PS3.4 Annex A).
const VERIFICATION: &str = "1.2.840.10008.1.1";
/// Storage Commitment Push Model SOP Class (PS3.4 Annex J).
const STORAGE_COMMITMENT: &str = "1.2.840.10008.1.20.1";

/// What a peer may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// C-ECHO.
    Verification,
    /// C-STORE.
    Storage,
    /// The Storage Commitment Push Model: N-ACTION to us, N-EVENT-REPORT to us.
    StorageCommitment,
}

impl Service {
    /// The service that an abstract syntax belongs to. What is nothing else belongs to Storage.
    #[must_use]
    pub fn of(abstract_syntax: &str) -> Self {
        match abstract_syntax {
            VERIFICATION => Self::Verification,
            STORAGE_COMMITMENT => Self::StorageCommitment,
            _ => Self::Storage,
        }
    }

    /// As it is written in a configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::Storage => "storage",
            Self::StorageCommitment => "commitment",
        }
    }
}

/// SHA-256 of the DER form of a certificate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

impl FromStr for Fingerprint {
    type Err = String;

    /// 64 hexadecimal digits, with or without colons between them.
    fn from_str(text: &str) -> Result<Self, String> {
        let digits: String = text.chars().filter(|c| *c != ':').collect();
        let wrong = || format!("{text:?} is no SHA-256 fingerprint: 64 hexadecimal digits");
        if digits.len() != 64 || !digits.is_ascii() {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            let pair = digits.get(at..at + 2).unwrap_or_default();
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What a verified certificate says of its holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Which certificate it is.
    pub fingerprint: Fingerprint,
    /// Common names of the subject, then the subject alternative names: DNS names, addresses, URIs, mail addresses.
    pub names: Vec<String>,
}

/// Who asks for an Association.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Calling AE title.
    pub calling: AeTitle,
    /// Its network address; IPv4 as IPv4.
    pub address: IpAddr,
    /// Its certificate; `None` over a plain connection, and where it showed none.
    pub certificate: Option<CertificateFacts>,
}

/// How a requestor says who its user is (PS3.7 §D.3.3.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IdentityKind {
    /// 1: a name, which proves nothing.
    Username,
    /// 2: a name and a passcode.
    Passcode,
    /// 5: a JSON Web Token.
    Token,
}

impl IdentityKind {
    /// As it is written in a configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Username => "username",
            Self::Passcode => "passcode",
            Self::Token => "token",
        }
    }
}

/// Which user identity a requestor must show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdentityDemand {
    /// Kinds of which it must show one; empty: it need not show any, and none is looked at.
    pub kinds: Vec<IdentityKind>,
    /// Users that are welcome; empty: every user whose identity is verified.
    pub users: Vec<String>,
}

/// What a peer may do, and how much. At each bound it is written what happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// Services. Presentation contexts of others are rejected.
    pub services: Vec<Service>,
    /// Storage SOP Classes; empty: all. Presentation contexts of others are rejected.
    pub sop_classes: Vec<SopClassUid>,
    /// Associations at a time of all who are this peer. One more is rejected: transient, local limit exceeded.
    pub associations_max: Option<usize>,
    /// Instances a minute. At the limit instances are answered A700.
    pub instances_per_minute_max: Option<u64>,
    /// Bytes of data sets a minute. At the limit instances are answered A700.
    pub bytes_per_minute_max: Option<u64>,
    /// Longest data set, in bytes. A longer one is answered A700.
    pub instance_bytes_max: Option<u64>,
    /// Which user identity it must show. Without it: rejected for good.
    pub identity: IdentityDemand,
}

impl Default for Allowance {
    /// Everything that the node does.
    fn default() -> Self {
        Self {
            services: vec![Service::Verification, Service::Storage, Service::StorageCommitment],
            sop_classes: vec![],
            associations_max: None,
            instances_per_minute_max: None,
            bytes_per_minute_max: None,
            instance_bytes_max: None,
            identity: IdentityDemand::default(),
        }
    }
}

impl Allowance {
    /// Whether a presentation context with this abstract syntax may be accepted.
    #[must_use]
    pub fn allows(&self, abstract_syntax: &str) -> bool {
        let service = Service::of(abstract_syntax);
        let any = service != Service::Storage || self.sop_classes.is_empty();
        self.services.contains(&service)
            && (any || self.sop_classes.iter().any(|class| class.as_str() == abstract_syntax))
    }
}

/// One kind of peer: by what it is known, and what it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerRule {
    /// Name in the configuration.
    pub name: String,
    /// Calling AE titles; empty: any.
    pub calling: Vec<AeTitle>,
    /// Network addresses; empty: any.
    pub addresses: Vec<IpNet>,
    /// Fingerprints of its certificates; empty: any, or none.
    pub fingerprints: Vec<Fingerprint>,
    /// Names that its certificate must have one of; empty: any, or no certificate.
    pub certificate_names: Vec<String>,
    /// What it may.
    pub allowance: Allowance,
}

impl PeerRule {
    fn is(&self, caller: &Caller) -> bool {
        self.is_titled(caller)
            && (self.addresses.is_empty()
                || self.addresses.iter().any(|range| range.contains(&caller.address)))
            && self.is_certified(caller.certificate.as_ref())
    }

    fn is_titled(&self, caller: &Caller) -> bool {
        self.calling.is_empty() || self.calling.contains(&caller.calling)
    }

    fn is_certified(&self, certificate: Option<&CertificateFacts>) -> bool {
        if self.fingerprints.is_empty() && self.certificate_names.is_empty() {
            return true;
        }
        let Some(CertificateFacts { fingerprint, names }) = certificate else { return false };
        let named = |wanted: &String| names.iter().any(|name| name.eq_ignore_ascii_case(wanted));
        (self.fingerprints.is_empty() || self.fingerprints.contains(fingerprint))
            && (self.certificate_names.is_empty() || self.certificate_names.iter().any(named))
    }
}

/// Why nobody in the table is the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stranger {
    /// No peer calls itself so.
    Title,
    /// A peer calls itself so, but has another address or certificate.
    AddressOrCertificate,
}

/// Peers in order; the first that the caller is decides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeerTable(pub Vec<PeerRule>);

impl PeerTable {
    /// Which peer the caller is, by its place in the table; `None` when the table is empty and everybody may everything.
    ///
    /// # Errors
    /// [`Stranger`] when it is nobody in the table.
    pub fn find(&self, caller: &Caller) -> Result<Option<usize>, Stranger> {
        if self.0.is_empty() {
            return Ok(None);
        }
        match self.0.iter().position(|peer| peer.is(caller)) {
            Some(index) => Ok(Some(index)),
            None if self.0.iter().any(|peer| peer.is_titled(caller)) => {
                Err(Stranger::AddressOrCertificate)
            }
            None => Err(Stranger::Title),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str) -> PeerRule {
        PeerRule {
            name: name.into(),
            calling: vec![],
            addresses: vec![],
            fingerprints: vec![],
            certificate_names: vec![],
            allowance: Allowance::default(),
        }
    }

    fn title(text: &str) -> AeTitle {
        AeTitle::parse(text).unwrap()
    }

    fn caller(calling: &str, address: &str) -> Caller {
        Caller { calling: title(calling), address: address.parse().unwrap(), certificate: None }
    }

    fn with_certificate(caller: Caller) -> Caller {
        let names = vec!["ct1".to_owned(), "CT1.example.org".to_owned()];
        let certificate = Some(CertificateFacts { fingerprint: Fingerprint([7; 32]), names });
        Caller { certificate, ..caller }
    }

    #[test]
    fn without_peers_everybody_is_welcome() {
        assert_eq!(PeerTable::default().find(&caller("X", "10.0.0.1")), Ok(None));
    }

    #[test]
    fn the_first_that_fits_decides_and_strangers_are_told_apart() {
        let ranges = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let ct = PeerRule {
            calling: vec![title("CT1"), title("CT2")],
            addresses: ranges(&["10.1.0.0/16", "fd00::/8"]),
            ..rule("ct")
        };
        let table = PeerTable(vec![ct, PeerRule { calling: vec![title("CT1")], ..rule("lab") }]);
        let find = |calling, address| table.find(&caller(calling, address));
        assert_eq!(find("CT1", "10.1.255.255"), Ok(Some(0)));
        assert_eq!(find("CT2", "fd12::1"), Ok(Some(0)));
        assert_eq!(find("CT1", "10.2.0.0"), Ok(Some(1)), "the second has no address");
        assert_eq!(find("CT2", "10.2.0.0"), Err(Stranger::AddressOrCertificate));
        assert_eq!(find("CT3", "10.1.0.1"), Err(Stranger::Title));
    }

    #[test]
    fn certificates_by_fingerprint_and_by_name() {
        let table = |rule| PeerTable(vec![rule]);
        let plain = caller("CT1", "10.0.0.1");
        let secure = with_certificate(plain.clone());
        let fingerprint = |byte| vec![Fingerprint([byte; 32])];
        let by_print = table(PeerRule { fingerprints: fingerprint(7), ..rule("a") });
        assert_eq!(by_print.find(&secure), Ok(Some(0)));
        assert_eq!(by_print.find(&plain), Err(Stranger::AddressOrCertificate));
        let other = table(PeerRule { fingerprints: fingerprint(8), ..rule("b") });
        assert_eq!(other.find(&secure), Err(Stranger::AddressOrCertificate));
        let named = |name: &str| PeerRule { certificate_names: vec![name.into()], ..rule("c") };
        assert_eq!(table(named("ct1.EXAMPLE.org")).find(&secure), Ok(Some(0)));
        let wrong = table(named("ct1.example"));
        assert_eq!(wrong.find(&secure), Err(Stranger::AddressOrCertificate));
        let both = PeerRule { fingerprints: fingerprint(8), ..named("ct1") };
        assert_eq!(table(both).find(&secure), Err(Stranger::AddressOrCertificate), "both must fit");
    }

    #[test]
    fn services_and_sop_classes() {
        let (ct, mr) = ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4");
        let all = Allowance::default();
        assert!([VERIFICATION, STORAGE_COMMITMENT, ct].iter().all(|uid| all.allows(uid)));
        let class = SopClassUid::parse(ct).unwrap();
        let only_ct = Allowance { sop_classes: vec![class], ..Allowance::default() };
        assert!(only_ct.allows(ct) && only_ct.allows(VERIFICATION) && !only_ct.allows(mr));
        let echo = Allowance { services: vec![Service::Verification], ..Allowance::default() };
        assert!(echo.allows(VERIFICATION) && !echo.allows(ct) && !echo.allows(STORAGE_COMMITMENT));
    }

    #[test]
    fn fingerprints_as_text() {
        let text = "0a".repeat(32);
        let parsed: Fingerprint = text.parse().unwrap();
        assert_eq!((parsed, parsed.to_string()), (Fingerprint([10; 32]), text));
        let with_colons = vec!["0A"; 32].join(":");
        assert_eq!(with_colons.parse::<Fingerprint>(), Ok(parsed));
        for wrong in ["", "0a", &"g0".repeat(32), &"é".repeat(32)] {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong}");
        }
    }
}

//! TLS profiles of PS3.15 Annex B as data: which suites and curves are negotiated, and where it is said that they may be.
//!
//! TLS 1.2 and 1.3, nothing below (RFC 8996). Of what B.13 asks a server to have, the CCM suites are missing, because
//! rustls has none: a peer that has nothing else cannot connect.

use domain::TlsProfile;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::{CipherSuite, NamedGroup};

/// A cipher suite that is negotiated under at least one profile.
#[derive(Debug, Clone, Copy)]
pub struct Suite {
    /// Its name in the registry of IANA.
    pub name: &'static str,
    /// Profiles under which it is negotiated.
    pub profiles: &'static [TlsProfile],
    /// Where it is said that it may be, for each of the profiles.
    pub sections: &'static [&'static str],
    suite: CipherSuite,
}

/// A group for the exchange of keys.
#[derive(Debug, Clone, Copy)]
pub struct Curve {
    /// Its name in the registry of IANA.
    pub name: &'static str,
    /// Profiles under which it is offered. B.13 asks for 256 bits or more; x25519 has 255 and is left out there.
    pub profiles: &'static [TlsProfile],
    group: NamedGroup,
}

const BOTH: &[TlsProfile] = &[TlsProfile::Bcp195, TlsProfile::Modified];
const MODIFIED: &[TlsProfile] = &[TlsProfile::Modified];
const TLS13: &[&str] = &["RFC 9325 §4.2.1, RFC 8446 §9.1", "PS3.15 §B.13, TLS 1.3"];
const TLS12: &[&str] = &["RFC 9325 §4.2, recommended", "PS3.15 §B.13, TLS 1.2"];
const TLS12_MODIFIED: &[&str] = &["PS3.15 §B.13, TLS 1.2"];

/// All suites, best first.
pub const SUITES: [Suite; 9] = [
    Suite {
        name: "TLS_AES_256_GCM_SHA384",
        profiles: BOTH,
        sections: TLS13,
        suite: CipherSuite::TLS13_AES_256_GCM_SHA384,
    },
    Suite {
        name: "TLS_AES_128_GCM_SHA256",
        profiles: BOTH,
        sections: TLS13,
        suite: CipherSuite::TLS13_AES_128_GCM_SHA256,
    },
    Suite {
        name: "TLS_CHACHA20_POLY1305_SHA256",
        profiles: BOTH,
        sections: TLS13,
        suite: CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
    },
    Suite {
        name: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        profiles: BOTH,
        sections: TLS12,
        suite: CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    },
    Suite {
        name: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        profiles: BOTH,
        sections: TLS12,
        suite: CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    },
    Suite {
        name: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        profiles: BOTH,
        sections: TLS12,
        suite: CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    },
    Suite {
        name: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        profiles: BOTH,
        sections: TLS12,
        suite: CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    },
    Suite {
        name: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        profiles: MODIFIED,
        sections: TLS12_MODIFIED,
        suite: CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    },
    Suite {
        name: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        profiles: MODIFIED,
        sections: TLS12_MODIFIED,
        suite: CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    },
];

/// All groups, best first.
pub const CURVES: [Curve; 3] = [
    Curve { name: "x25519", profiles: &[TlsProfile::Bcp195], group: NamedGroup::X25519 },
    Curve { name: "secp256r1", profiles: BOTH, group: NamedGroup::secp256r1 },
    Curve { name: "secp384r1", profiles: BOTH, group: NamedGroup::secp384r1 },
];

/// ring, with the suites and groups of a profile only, in the order of the tables.
pub(crate) fn provider(profile: TlsProfile) -> CryptoProvider {
    let ring = default_provider();
    let suites = SUITES.iter().filter(|suite| suite.profiles.contains(&profile));
    let suite = |ours: &Suite| ring.cipher_suites.iter().find(|had| had.suite() == ours.suite);
    let curves = CURVES.iter().filter(|curve| curve.profiles.contains(&profile));
    let group = |ours: &Curve| ring.kx_groups.iter().find(|had| had.name() == ours.group);
    CryptoProvider {
        cipher_suites: suites.filter_map(suite).copied().collect(),
        kx_groups: curves.filter_map(group).copied().collect(),
        ..ring
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rustls::SupportedCipherSuite;

    use super::*;

    /// What RFC 9325 §4.2 recommends for TLS 1.2, and the suites of RFC 8446 §9.1 (PS3.15 2026b §B.12).
    const BCP195: [&str; 7] = [
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    ];
    /// What a server shall support under PS3.15 §B.13.
    const B13: [&str; 15] = [
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_128_CCM_SHA256",
        "TLS_AES_128_CCM_8_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CCM",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CCM",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8",
    ];

    /// What rustls really has under a profile, in the names of IANA.
    fn negotiated(profile: TlsProfile) -> BTreeSet<String> {
        let name = |suite: &SupportedCipherSuite| format!("{:?}", suite.suite());
        let suites = provider(profile).cipher_suites;
        suites.iter().map(|suite| name(suite).replace("TLS13_", "TLS_")).collect()
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_default_profile_has_what_bcp_195_recommends_and_nothing_else() {
        assert_eq!(negotiated(TlsProfile::Bcp195), set(&BCP195));
    }

    #[test]
    fn the_modified_profile_has_nothing_outside_b_13_and_lacks_only_ccm() {
        let (ours, asked) = (negotiated(TlsProfile::Modified), set(&B13));
        assert!(ours.is_subset(&asked), "{ours:?}");
        let missing: Vec<_> = asked.difference(&ours).collect();
        assert!(missing.iter().all(|name| name.contains("_CCM")), "{missing:?}");
        assert_eq!(missing.len(), 6);
    }

    #[test]
    fn names_of_the_table_are_those_of_the_suites() {
        for suite in SUITES {
            let name = format!("{:?}", suite.suite).replace("TLS13_", "TLS_");
            assert_eq!(name, suite.name);
            assert_eq!(suite.profiles.len(), suite.sections.len(), "{name}");
        }
    }

    #[test]
    fn groups_of_both_profiles() {
        let groups = |profile: TlsProfile| -> Vec<NamedGroup> {
            provider(profile).kx_groups.iter().map(|group| group.name()).collect()
        };
        let nist = [NamedGroup::secp256r1, NamedGroup::secp384r1];
        assert_eq!(groups(TlsProfile::Modified), nist);
        assert_eq!(groups(TlsProfile::Bcp195), [&[NamedGroup::X25519][..], &nist].concat());
    }
}

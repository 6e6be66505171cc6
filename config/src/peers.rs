//! `[[peer]]`: who may what, as written → resolved.

use std::net::IpAddr;

use domain::{
    AeTitle, Allowance, IdentityDemand, IdentityKind, PeerRule, PeerTable, Service, SopClassUid,
};
use ipnet::{IpNet, Ipv4Net};

use crate::Faults;
use crate::resolve::{ASSOCIATIONS_MAX, ae_titles, at_most, check_unique};
use crate::sop_classes::sop_classes;
use crate::written_security as written;

/// Bits before the IPv4 address in an IPv6 address that stands for it.
const MAPPED_BITS: u8 = 96;

/// The table of peers; faults go to `faults` under their names. `demand` is what holds where a peer says nothing.
pub(crate) fn peers(
    written: &[written::Peer],
    demand: &IdentityDemand,
    faults: &mut Faults,
) -> PeerTable {
    check_unique("peer", written.iter().map(|peer| peer.name.as_str()), faults);
    PeerTable(written.iter().map(|written| peer(written, demand, faults)).collect())
}

fn peer(written: &written::Peer, demand: &IdentityDemand, faults: &mut Faults) -> PeerRule {
    let key = format!("peer {:?}", written.name);
    let calling: Vec<AeTitle> = ae_titles(&format!("{key} calling"), &written.calling, faults);
    let mut each = |name: &str, texts: &[String], check: &dyn Fn(&str) -> Result<(), String>| {
        for text in texts {
            faults.take(&format!("{key} {name}"), check(text));
        }
    };
    each("addresses", &written.addresses, &|text| range(text).map(drop));
    each("certificate_sha256", &written.certificate_sha256, &|text| {
        text.parse::<domain::Fingerprint>().map(drop)
    });
    each("sop_classes", &written.sop_classes, &|text| sop_classes(text).map(drop));
    check_amounts(&key, written, faults);
    PeerRule {
        name: written.name.clone(),
        calling,
        addresses: written.addresses.iter().filter_map(|text| range(text).ok()).collect(),
        fingerprints: written.certificate_sha256.iter().filter_map(|t| t.parse().ok()).collect(),
        certificate_names: written.certificate_names.clone(),
        allowance: allowance(&key, written, demand, faults),
    }
}

fn allowance(
    key: &str,
    written: &written::Peer,
    demand: &IdentityDemand,
    faults: &mut Faults,
) -> Allowance {
    let kinds = match &written.accept {
        Some(kinds) => kinds.iter().map(|kind| identity_kind(*kind)).collect(),
        None => demand.kinds.clone(),
    };
    if kinds.is_empty() && !written.users.is_empty() {
        faults.add(key, "users are named, and no user identity is accepted");
    }
    let all = Allowance::default();
    let services = written.services.as_ref();
    let services = services.map(|list| list.iter().map(|one| service(*one)).collect());
    let classes = written.sop_classes.iter().filter_map(|text| sop_classes(text).ok());
    let mut classes: Vec<SopClassUid> = classes.flatten().collect();
    classes.dedup();
    Allowance {
        services: services.unwrap_or(all.services),
        sop_classes: classes,
        associations_max: written.associations_max,
        instances_per_minute_max: written.instances_per_minute_max,
        bytes_per_minute_max: written.bytes_per_minute_max,
        instance_bytes_max: written.instance_bytes_max,
        identity: IdentityDemand { kinds, users: written.users.clone() },
    }
}

fn check_amounts(key: &str, written: &written::Peer, faults: &mut Faults) {
    let amounts = [
        ("associations_max", written.associations_max.map(|count| count > 0)),
        ("instances_per_minute_max", written.instances_per_minute_max.map(|count| count > 0)),
        ("bytes_per_minute_max", written.bytes_per_minute_max.map(|count| count > 0)),
        ("instance_bytes_max", written.instance_bytes_max.map(|count| count > 0)),
    ];
    for (name, _) in amounts.iter().filter(|(_, sound)| *sound == Some(false)) {
        faults.add(&format!("{key} {name}"), "must be above 0");
    }
    let associations = written.associations_max.unwrap_or_default();
    at_most(&format!("{key} associations_max"), associations, ASSOCIATIONS_MAX, faults);
}

/// A range such as `10.1.0.0/16` or `fd00::/8`, or one address.
fn range(text: &str) -> Result<IpNet, String> {
    let one = || text.parse::<IpAddr>().map(IpNet::from);
    let wrong = |_| format!("{text:?} is no address and no range such as 10.1.0.0/16 or fd00::/8");
    let range = text.parse::<IpNet>().or_else(|_| one()).map_err(wrong)?;
    canonical(range).ok_or_else(|| {
        format!("{text:?} has addresses of IPv4 and others; IPv4 is written as 10.1.0.0/16")
    })
}

/// Callers over IPv4 have their IPv4 address, on a port for both, too. So IPv4 as `::ffff:10.1.0.0/112` would be nobody's
/// (RFC 4291 §2.5.5.2); `None` for a range that begins there and is wider than IPv4.
fn canonical(range: IpNet) -> Option<IpNet> {
    let IpNet::V6(v6) = range else { return Some(range) };
    let Some(v4) = v6.addr().to_ipv4_mapped() else { return Some(range) };
    let bits = v6.prefix_len().checked_sub(MAPPED_BITS)?;
    Ipv4Net::new(v4, bits).ok().map(IpNet::from)
}

fn service(written: written::Service) -> Service {
    match written {
        written::Service::Verification => Service::Verification,
        written::Service::Storage => Service::Storage,
        written::Service::Commitment => Service::StorageCommitment,
    }
}

pub(crate) fn identity_kind(written: written::IdentityKind) -> IdentityKind {
    match written {
        written::IdentityKind::Username => IdentityKind::Username,
        written::IdentityKind::Passcode => IdentityKind::Passcode,
        written::IdentityKind::Token => IdentityKind::Token,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_as_callers_have_them() {
        let read = |text: &str| range(text).map(|range| range.to_string());
        for (written, meant) in [
            ("10.1.2.3", "10.1.2.3/32"),
            ("10.1.2.0/24", "10.1.2.0/24"),
            ("::ffff:10.1.2.3", "10.1.2.3/32"),
            ("::ffff:10.1.2.0/120", "10.1.2.0/24"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("fd00::/8", "fd00::/8"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(read(written), Ok(meant.to_owned()), "{written}");
        }
        assert!(read("::ffff:10.0.0.0/95").unwrap_err().contains("IPv4"));
        let caller = "::ffff:10.1.2.77".parse::<IpAddr>().unwrap().to_canonical();
        assert!(range("::ffff:10.1.2.0/120").unwrap().contains(&caller));
    }
}

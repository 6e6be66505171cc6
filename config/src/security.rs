//! `[tls]`, `[identity]`, and how destinations are secured, as written → resolved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::{Allowance, IdentityDemand, IdentityKind, PeerTable, TlsProfile, TokenAlgorithm};

use crate::Faults;
use crate::peers::{identity_kind, peers};
use crate::resolve::check_address;
use crate::resolved_security::{
    ClientCertificatesConfig, CredentialFiles, DestinationSecurity, DestinationTls,
    DestinationUser, IdentityConfig, SecurityConfig, TlsConfig, TokenConfig,
};
use crate::written::{Destination, Written};
use crate::written_security as written;

/// Seconds of a day.
const DAY_S: u64 = 86_400;

/// All of it; faults go to `faults`.
pub(crate) fn security(all: &Written, folder: &Path, faults: &mut Faults) -> SecurityConfig {
    let tls = tls(&all.tls, folder, faults);
    let identity = identity(&all.identity, folder, faults);
    let kinds = all.identity.accept.iter().map(|kind| identity_kind(*kind)).collect();
    let demand = IdentityDemand { kinds, users: vec![] };
    let peers = peers(&all.peer, &demand, faults);
    let everyone = Allowance { identity: demand, ..Allowance::default() };
    let destinations = destinations(&all.destination, &tls, folder, faults);
    let mut security =
        SecurityConfig { tls, peers, everyone, identity, destinations, warnings: vec![] };
    check_ports(all, faults);
    check_certificates(&security, faults);
    check_identities(&security, faults);
    security.warnings = warnings(&security, all.node.listen != OFF);
    security
}

/// What `node.listen` says where there is no plain port.
pub(crate) const OFF: &str = "off";

fn tls(tls: &written::Tls, folder: &Path, faults: &mut Faults) -> TlsConfig {
    let own = credentials("tls", tls.certificate.as_ref(), tls.key.as_ref(), folder, faults);
    if let Some(listen) = &tls.listen {
        check_address("tls.listen", listen, faults);
        if own.is_none() {
            faults.add("tls", "listen needs certificate and key");
        }
    }
    let clients = match (tls.client_certificates, &tls.client_ca) {
        (written::ClientCertificates::None, _) => ClientCertificatesConfig::None,
        (written::ClientCertificates::Required, Some(ca)) => {
            ClientCertificatesConfig::Required(folder.join(ca))
        }
        (written::ClientCertificates::Optional, Some(ca)) => {
            ClientCertificatesConfig::Optional(folder.join(ca))
        }
        (written::ClientCertificates::Required | written::ClientCertificates::Optional, None) => {
            if tls.listen.is_some() {
                let text = "is missing: the CAs of the certificates that clients show; \
                            or client_certificates = \"none\"";
                faults.add("tls.client_ca", text);
            }
            ClientCertificatesConfig::None
        }
    };
    TlsConfig {
        listen: tls.listen.clone(),
        own,
        clients,
        profile: profile(tls.profile),
        expiry_warning: Duration::from_secs(tls.expiry_warning_days.saturating_mul(DAY_S)),
    }
}

fn credentials(
    key_path: &str,
    certificate: Option<&PathBuf>,
    key: Option<&PathBuf>,
    folder: &Path,
    faults: &mut Faults,
) -> Option<CredentialFiles> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            Some(CredentialFiles { certificate: folder.join(certificate), key: folder.join(key) })
        }
        (None, None) => None,
        (Some(_), None) => {
            faults.add(key_path, "certificate needs key");
            None
        }
        (None, Some(_)) => {
            faults.add(key_path, "key needs certificate");
            None
        }
    }
}

fn profile(written: written::Profile) -> TlsProfile {
    match written {
        written::Profile::Bcp195 => TlsProfile::Bcp195,
        written::Profile::Modified => TlsProfile::Modified,
    }
}

fn identity(written: &written::Identity, folder: &Path, faults: &mut Faults) -> IdentityConfig {
    let token = written.token_key.as_ref().and_then(|key| {
        let (Some(algorithm), Some(audience)) =
            (written.token_algorithm, written.token_audience.clone())
        else {
            faults.add("identity.token_key", "needs token_algorithm and token_audience");
            return None;
        };
        let algorithm = match algorithm {
            written::TokenAlgorithm::Hs256 => TokenAlgorithm::Hs256,
            written::TokenAlgorithm::Rs256 => TokenAlgorithm::Rs256,
            written::TokenAlgorithm::Es256 => TokenAlgorithm::Es256,
        };
        let issuer = written.token_issuer.clone();
        Some(TokenConfig { key: folder.join(key), algorithm, audience, issuer })
    });
    let passcodes = written.passcodes.as_ref().map(|path| folder.join(path));
    IdentityConfig { passcodes, token }
}

fn destinations(
    written: &[Destination],
    tls: &TlsConfig,
    folder: &Path,
    faults: &mut Faults,
) -> BTreeMap<String, DestinationSecurity> {
    let secured = |to: &Destination| {
        let key = format!("destination {:?}", to.name);
        let tls = to.tls.as_ref().map(|written| {
            let (certificate, own_key) = (written.certificate.as_ref(), written.key.as_ref());
            let own = credentials(&format!("{key} tls"), certificate, own_key, folder, faults);
            DestinationTls {
                ca: folder.join(&written.ca),
                server_name: written.server_name.clone().unwrap_or_else(|| host(&to.to)),
                own: own.or_else(|| tls.own.clone()),
                profile: profile(written.profile),
            }
        });
        let user = to.user.as_ref().map(|user| DestinationUser {
            name: user.user_name.clone(),
            passcode_file: user.passcode_file.as_ref().map(|path| folder.join(path)),
        });
        (to.name.clone(), DestinationSecurity { tls, user })
    };
    let is_secured = |to: &&Destination| to.tls.is_some() || to.user.is_some();
    written.iter().filter(is_secured).map(secured).collect()
}

/// The host of `AE@host:port`; whether it has this form is checked elsewhere.
fn host(to: &str) -> String {
    let address = to.split_once('@').map_or(to, |(_, address)| address);
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']').to_owned()
}

fn check_ports(all: &Written, faults: &mut Faults) {
    if all.node.listen == OFF {
        if all.tls.listen.is_none() {
            faults.add("node.listen", "is off, and there is no tls.listen: nobody could connect");
        }
    } else {
        check_address("node.listen", &all.node.listen, faults);
        if all.tls.listen.as_ref() == Some(&all.node.listen) {
            faults.add("tls.listen", "is the plain port; TLS needs one of its own");
        }
    }
}

/// A peer that asks for a certificate that nobody can show would be nobody.
fn check_certificates(security: &SecurityConfig, faults: &mut Faults) {
    let shown =
        security.tls.listen.is_some() && security.tls.clients != ClientCertificatesConfig::None;
    for peer in security.peers.0.iter().filter(|_| !shown) {
        if !peer.fingerprints.is_empty() || !peer.certificate_names.is_empty() {
            let key = format!("peer {:?}", peer.name);
            faults.add(&key, "asks for a certificate, and no port takes one: [tls]");
        }
    }
}

fn check_identities(security: &SecurityConfig, faults: &mut Faults) {
    let can = |kind: &IdentityKind| match kind {
        IdentityKind::Username => true,
        IdentityKind::Passcode => security.identity.passcodes.is_some(),
        IdentityKind::Token => security.identity.token.is_some(),
    };
    for (key, allowance) in allowances(security) {
        for kind in allowance.identity.kinds.iter().filter(|kind| !can(kind)) {
            let needs = match kind {
                IdentityKind::Token => "identity.token_key",
                IdentityKind::Passcode | IdentityKind::Username => "identity.passcodes",
            };
            faults.add(&key, format!("{:?} cannot be checked without {needs}", kind.as_str()));
        }
    }
}

/// What each may who can come in, with its key.
fn allowances(security: &SecurityConfig) -> Vec<(String, &Allowance)> {
    let PeerTable(peers) = &security.peers;
    if peers.is_empty() {
        return vec![("identity.accept".into(), &security.everyone)];
    }
    peers.iter().map(|peer| (format!("peer {:?} accept", peer.name), &peer.allowance)).collect()
}

fn warnings(security: &SecurityConfig, has_plain_port: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for (key, allowance) in allowances(security).into_iter().filter(|_| has_plain_port) {
        let secret = [IdentityKind::Passcode, IdentityKind::Token];
        if allowance.identity.kinds.iter().any(|kind| secret.contains(kind)) {
            lines
                .push(format!("{key}: on the plain port, passcodes and tokens can be read by all"));
        }
    }
    for (name, to) in &security.destinations {
        let has_passcode = to.user.as_ref().is_some_and(|user| user.passcode_file.is_some());
        if has_passcode && to.tls.is_none() {
            lines.push(format!("destination {name:?}: its passcode is sent without TLS"));
        }
    }
    let everybody = security.peers.0.iter().position(|peer| {
        peer.calling.is_empty()
            && peer.addresses.is_empty()
            && peer.fingerprints.is_empty()
            && peer.certificate_names.is_empty()
    });
    let behind = everybody.map_or(0, |at| security.peers.0.len().saturating_sub(at + 1));
    if let (Some(at), 1..) = (everybody, behind) {
        let name = &security.peers.0[at].name;
        lines.push(format!("peer {name:?} is everybody: the {behind} behind it are never asked"));
    }
    lines
}

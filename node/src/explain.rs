//! What `parsenode config check` says of who may, and of certificates: so that an operator reads what was meant.

use config::{ClientCertificatesConfig, Config};
use domain::{Allowance, Moment, PeerRule};

use crate::security::{Expiring, Expiry};

/// One line for each port, peer, certificate and warning.
pub(crate) fn lines(config: &Config, now: Moment) -> Vec<String> {
    let security = &config.security;
    let mut lines = vec![ports(config)];
    if security.peers.0.is_empty() {
        lines.push(format!("everybody may: {}", allowance(&security.everyone)));
    }
    lines.extend(security.peers.0.iter().map(|rule| {
        format!("peer {:?} ({}) may: {}", rule.name, known_by(rule), allowance(&rule.allowance))
    }));
    for Expiry { file, subject, sha256, days_left, .. } in Expiring::of(config).now(now) {
        lines.push(format!(
            "certificate {file}: {subject}, {days_left} days left, SHA-256 {sha256}"
        ));
    }
    lines.extend(security.warnings.iter().map(|warning| format!("warning: {warning}")));
    lines
}

fn ports(config: &Config) -> String {
    let plain = config.node.listen.as_ref().map(|at| format!("plain port {at}"));
    let clients = match config.security.tls.clients {
        ClientCertificatesConfig::Required(_) => "required",
        ClientCertificatesConfig::Optional(_) => "optional",
        ClientCertificatesConfig::None => "not asked for",
    };
    let secure = config.security.tls.listen.as_ref();
    let secure = secure.map(|at| format!("secure port {at}, certificates of clients {clients}"));
    plain.into_iter().chain(secure).collect::<Vec<_>>().join("; ")
}

fn known_by(rule: &PeerRule) -> String {
    let list = |what: &str, texts: Vec<String>| {
        (!texts.is_empty()).then(|| format!("{what} {}", texts.join(" or ")))
    };
    let parts = [
        list("called", rule.calling.iter().map(ToString::to_string).collect()),
        list("from", rule.addresses.iter().map(ToString::to_string).collect()),
        list("with certificate", rule.fingerprints.iter().map(ToString::to_string).collect()),
        list("with a certificate for", rule.certificate_names.clone()),
    ];
    let known: Vec<_> = parts.into_iter().flatten().collect();
    if known.is_empty() { "everybody".into() } else { known.join(", ") }
}

fn allowance(allowance: &Allowance) -> String {
    let services: Vec<_> = allowance.services.iter().map(|service| service.as_str()).collect();
    let mut parts = vec![services.join(" and ")];
    match allowance.sop_classes.len() {
        0 => parts.push("all SOP Classes".into()),
        count => parts.push(format!("{count} SOP Classes")),
    }
    let mut bound = |bound: Option<String>, what: &str| {
        parts.extend(bound.map(|count| format!("at most {count} {what}")));
    };
    let text = |count: Option<u64>| count.map(|count| count.to_string());
    bound(allowance.associations_max.map(|count| count.to_string()), "associations");
    bound(text(allowance.instances_per_minute_max), "instances a minute");
    bound(text(allowance.bytes_per_minute_max), "bytes a minute");
    bound(text(allowance.instance_bytes_max), "bytes an instance");
    let kinds: Vec<_> = allowance.identity.kinds.iter().map(|kind| kind.as_str()).collect();
    if !kinds.is_empty() {
        parts.push(format!("by {}", kinds.join(" or ")));
    }
    if !allowance.identity.users.is_empty() {
        parts.push(format!("as user {}", allowance.identity.users.join(" or ")));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_configuration_in_words() {
        let text = "[node]\nae_title = \"A\"\ndata = \"d\"\nlisten = \"0.0.0.0:104\"\n\
                    [[peer]]\nname = \"ct\"\ncalling = [\"CT1\", \"CT2\"]\naddresses = [\"10.0.0.0/8\"]\n\
                    services = [\"storage\"]\nsop_classes = [\"nm\"]\nassociations_max = 2\n\
                    [[peer]]\nname = \"rest\"\n";
        let config = config::parse(text, Path::new(".")).unwrap();
        let lines = lines(&config, Moment::default());
        assert_eq!(
            lines,
            [
                "plain port 0.0.0.0:104",
                "peer \"ct\" (called CT1 or CT2, from 10.0.0.0/8) may: storage, 1 SOP Classes, \
                 at most 2 associations",
                "peer \"rest\" (everybody) may: verification and storage and commitment, \
                 all SOP Classes",
            ]
        );
    }
}

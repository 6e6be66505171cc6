//! Certificates that the node works with, and when they expire: for the log, for `status`, for metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{ClientCertificatesConfig, Config};
use domain::Moment;
use serde::Serialize;
use trust::Certificate;

use super::files::{in_file, read};

const DAY_S: u64 = 86_400;

/// The files of certificates that a configuration names.
#[derive(Debug, Clone)]
pub(crate) struct Expiring {
    paths: Vec<PathBuf>,
    warning: Duration,
}

/// A certificate of a file, as operators ask about it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Expiry {
    /// The file.
    pub(crate) file: String,
    /// Subject, or what is wrong with the file.
    pub(crate) subject: String,
    /// SHA-256 of the certificate.
    pub(crate) sha256: String,
    /// Milliseconds since the Unix epoch until which it is valid.
    pub(crate) not_after: u64,
    /// Whole days that are left; 0 when it has expired or is not valid yet.
    pub(crate) days_left: u64,
}

impl Expiring {
    /// Those of a configuration, each file once: our own, CAs, those shown to destinations.
    pub(crate) fn of(config: &Config) -> Self {
        let security = &config.security;
        let mut paths = BTreeSet::new();
        paths.extend(security.tls.own.iter().map(|own| own.certificate.clone()));
        match &security.tls.clients {
            ClientCertificatesConfig::Required(ca) | ClientCertificatesConfig::Optional(ca) => {
                paths.insert(ca.clone());
            }
            ClientCertificatesConfig::None => {}
        }
        for tls in security.destinations.values().filter_map(|to| to.tls.as_ref()) {
            paths.insert(tls.ca.clone());
            paths.extend(tls.own.iter().map(|own| own.certificate.clone()));
        }
        Self { paths: paths.into_iter().collect(), warning: security.tls.expiry_warning }
    }

    /// What the files hold now: each certificate, those between our own and its CA, too.
    pub(crate) fn now(&self, now: Moment) -> Vec<Expiry> {
        self.paths.iter().flat_map(|path| Expiry::of(path, now)).collect()
    }

    /// The first moment at which one of a file expires, by file; milliseconds since the Unix epoch.
    pub(crate) fn first(&self, now: Moment) -> BTreeMap<String, u64> {
        let mut first = BTreeMap::new();
        for Expiry { file, not_after, .. } in self.now(now) {
            first
                .entry(file)
                .and_modify(|at: &mut u64| *at = not_after.min(*at))
                .or_insert(not_after);
        }
        first
    }

    /// Writes what has expired, or soon will, into the log.
    pub(crate) fn warn(&self, now: Moment) {
        for expiry in self.now(now) {
            let Expiry { file, subject, days_left, .. } = &expiry;
            if *days_left == 0 {
                tracing::error!(
                    file,
                    subject,
                    "a certificate is not valid: nobody is let in by it"
                );
            } else if Duration::from_secs(days_left * DAY_S) <= self.warning {
                tracing::warn!(file, subject, days_left, "a certificate expires soon");
            }
        }
    }
}

impl Expiry {
    fn of(path: &Path, now: Moment) -> Vec<Self> {
        let read = read(path)
            .and_then(|pem| Certificate::from_pem(&pem).map_err(|error| in_file(path, error)));
        let file = path.display().to_string();
        match read {
            Ok(all) => all.into_iter().map(|one| Self::known(file.clone(), one, now)).collect(),
            Err(fault) => vec![Self::unknown(file, fault)],
        }
    }

    fn known(file: String, certificate: Certificate, now: Moment) -> Self {
        Self {
            file,
            sha256: certificate.facts.fingerprint.to_string(),
            not_after: certificate.not_after.unix_millis(),
            days_left: days_left(&certificate, now),
            subject: certificate.subject,
        }
    }

    fn unknown(file: String, fault: String) -> Self {
        Self { file, subject: fault, sha256: String::new(), not_after: 0, days_left: 0 }
    }
}

fn days_left(certificate: &Certificate, now: Moment) -> u64 {
    if now < certificate.not_before || now >= certificate.not_after {
        return 0;
    }
    // The last day counts as one.
    certificate.not_after.since(now).as_secs().div_ceil(DAY_S)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

    /// 2026-11-24.
    const NOW: Moment = Moment::from_unix_millis(1_795_500_000_000);

    fn pem(name: &str, year: i32) -> String {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
    }

    #[test]
    fn every_certificate_of_a_file_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.crt");
        std::fs::write(&path, pem("long", 2099) + &pem("over", 2020) + &pem("soon", 2027)).unwrap();
        let missing = folder.path().join("none.crt");
        let paths = vec![path.clone(), missing.clone()];
        let expiring = Expiring { paths, warning: Duration::ZERO };
        let rows = expiring.now(NOW);
        let subjects: Vec<&str> = rows.iter().map(|row| row.subject.as_str()).collect();
        assert_eq!(subjects[..3], ["CN=long", "CN=over", "CN=soon"]);
        assert!(rows[0].days_left > 20_000 && rows[1].days_left == 0 && rows[2].days_left < 40);
        assert_eq!((rows.len(), rows[3].days_left), (4, 0), "{:?}", rows[3]);
        let first = expiring.first(NOW);
        assert_eq!(first[&path.display().to_string()], rows[1].not_after);
        assert_eq!(first[&missing.display().to_string()], 0);
    }
}

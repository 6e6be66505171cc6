//! Certificates that the node works with, and when they expire: for the log, for `status`, for metrics.

use std::collections::BTreeSet;
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

/// The certificate of a file, as operators ask about it.
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

    /// What the files hold now; the first certificate of each.
    pub(crate) fn now(&self, now: Moment) -> Vec<Expiry> {
        self.paths.iter().map(|path| Expiry::of(path, now)).collect()
    }

    /// Writes what has expired, or soon will, into the log.
    pub(crate) fn warn(&self, now: Moment) {
        for expiry in self.now(now) {
            let Expiry { file, subject, days_left, .. } = &expiry;
            if *days_left == 0 {
                tracing::error!(file, subject, "a certificate is not valid: peers will refuse it");
            } else if Duration::from_secs(days_left * DAY_S) <= self.warning {
                tracing::warn!(file, subject, days_left, "a certificate expires soon");
            }
        }
    }
}

impl Expiry {
    fn of(path: &Path, now: Moment) -> Self {
        let file = path.display().to_string();
        let read = read(path)
            .and_then(|pem| Certificate::from_pem(&pem).map_err(|error| in_file(path, error)));
        match read {
            Ok(certificate) => Self {
                file,
                sha256: certificate.facts.fingerprint.to_string(),
                not_after: certificate.not_after.unix_millis(),
                days_left: days_left(&certificate, now),
                subject: certificate.subject,
            },
            Err(fault) => {
                Self { file, subject: fault, sha256: String::new(), not_after: 0, days_left: 0 }
            }
        }
    }
}

fn days_left(certificate: &Certificate, now: Moment) -> u64 {
    if now < certificate.not_before || now >= certificate.not_after {
        return 0;
    }
    // The last day counts as one.
    certificate.not_after.since(now).as_secs().div_ceil(DAY_S)
}

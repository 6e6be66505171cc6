//! A certificate authority of our own, for tests: certificates and keys as PEM files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};

/// A CA, and its certificate.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority")
    }
}

/// A certificate and its key.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The certificate, PEM.
    pub certificate: String,
    /// SHA-256 of its DER form is the fingerprint.
    pub der: Vec<u8>,
    /// The key, PKCS #8 PEM.
    pub key: String,
}

/// An issued certificate as files.
#[derive(Debug, Clone)]
pub struct IssuedFiles {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key; nobody else may read it.
    pub key: PathBuf,
}

impl Authority {
    /// A CA with a P-256 key.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn new(name: &str) -> Result<Self> {
        let mut params = named(name, &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().context("making a key")?;
        let certificate = params.self_signed(&key).context("signing a CA")?.pem();
        Ok(Self { issuer: Issuer::new(params, key), certificate })
    }

    /// The CA's certificate, PEM.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A certificate for `name` and these hosts, valid until 2099 or, where it has `expired`, until 2020; with a P-256 key,
    /// or with the one in `key`.
    ///
    /// # Errors
    /// When a host is no name, or the key cannot be used.
    pub fn issue(&self, name: &str, hosts: &[&str], wishes: &Wishes) -> Result<Issued> {
        let mut params = named(name, hosts)?;
        if wishes.expired {
            params.not_after = date_time_ymd(2020, 1, 1);
        }
        let key = match &wishes.key {
            Some(pem) => KeyPair::from_pem(pem).context("reading a key")?,
            None => KeyPair::generate().context("making a key")?,
        };
        let made = params.signed_by(&key, &self.issuer).context("signing a certificate")?;
        let der = made.der().to_vec();
        Ok(Issued { certificate: made.pem(), der, key: key.serialize_pem() })
    }
}

/// What a certificate has beyond its names.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// It is over.
    pub expired: bool,
    /// PEM of the key.
    pub key: Option<String>,
}

fn named(name: &str, hosts: &[&str]) -> Result<CertificateParams> {
    let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
    let mut params = CertificateParams::new(hosts).context("naming a certificate")?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2019, 1, 1);
    params.not_after = date_time_ymd(2099, 1, 1);
    Ok(params)
}

impl Issued {
    /// A certificate that only its own key has signed, and that is no CA.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn self_signed(name: &str) -> Result<Self> {
        let key = KeyPair::generate().context("making a key")?;
        let made = named(name, &[])?.self_signed(&key).context("signing a certificate")?;
        let der = made.der().to_vec();
        Ok(Self { certificate: made.pem(), der, key: key.serialize_pem() })
    }

    /// Writes both as `NAME.crt` and `NAME.key` into a folder.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&self, folder: &Path, name: &str) -> Result<IssuedFiles> {
        let certificate = folder.join(format!("{name}.crt"));
        let key = folder.join(format!("{name}.key"));
        fs::write(&certificate, &self.certificate)
            .with_context(|| format!("writing {}", certificate.display()))?;
        write_secret(&key, &self.key)?;
        Ok(IssuedFiles { certificate, key })
    }
}

/// Writes a file that only its owner can read.
///
/// # Errors
/// When it cannot be written.
pub fn write_secret(path: &Path, text: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let on = || format!("writing {}", path.display());
    fs::write(path, text).with_context(on)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).with_context(on)
}

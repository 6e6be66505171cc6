//! Who may, and how connections are secured: checked and typed. Files are named, not read.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use domain::{Allowance, PeerTable, TlsProfile, TokenAlgorithm};

/// What secures the node.
#[derive(Debug, Clone)]
pub struct SecurityConfig {
    /// The secure port, and our own certificate.
    pub tls: TlsConfig,
    /// Who may what; empty: everybody, as [`SecurityConfig::everyone`] says.
    pub peers: PeerTable,
    /// What may who comes while there is no table.
    pub everyone: Allowance,
    /// What user identities are checked with.
    pub identity: IdentityConfig,
    /// How destinations are reached, by name; those that are not in it are reached plainly.
    pub destinations: BTreeMap<String, DestinationSecurity>,
    /// What is no fault, and not wise either: one line each.
    pub warnings: Vec<String>,
}

/// A certificate, with those between it and its CA, and its key: PEM files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CredentialFiles {
    /// Certificates, own one first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// Which certificates clients of the secure port have to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCertificatesConfig {
    /// One that leads to one of the CAs in this file.
    Required(PathBuf),
    /// None, or one that leads to one of the CAs in this file.
    Optional(PathBuf),
    /// None is asked for.
    None,
}

/// The secure port, and our own certificate.
#[derive(Debug, Clone)]
pub struct TlsConfig {
    /// `host:port` of the secure listener; none without.
    pub listen: Option<String>,
    /// What we show; there is one where there is a secure port.
    pub own: Option<CredentialFiles>,
    /// What clients show.
    pub clients: ClientCertificatesConfig,
    /// Suites.
    pub profile: TlsProfile,
    /// How long before a certificate expires there are warnings.
    pub expiry_warning: Duration,
}

/// What user identities are checked with.
#[derive(Debug, Clone, Default)]
pub struct IdentityConfig {
    /// A file of passcodes.
    pub passcodes: Option<PathBuf>,
    /// How tokens are checked.
    pub token: Option<TokenConfig>,
}

/// How tokens are checked.
#[derive(Debug, Clone)]
pub struct TokenConfig {
    /// The file of the key.
    pub key: PathBuf,
    /// What they are signed with.
    pub algorithm: TokenAlgorithm,
    /// Who they must be made for.
    pub audience: String,
    /// Who must have made them; anybody with the key without.
    pub issuer: Option<String>,
}

/// How a destination is reached.
#[derive(Debug, Clone, Default)]
pub struct DestinationSecurity {
    /// TLS; plain without.
    pub tls: Option<DestinationTls>,
    /// Who we say our user is.
    pub user: Option<DestinationUser>,
}

/// TLS to a destination.
#[derive(Debug, Clone)]
pub struct DestinationTls {
    /// The CAs that its certificate may lead to, or its own certificate.
    pub ca: PathBuf,
    /// The name in its certificate.
    pub server_name: String,
    /// What we show; nothing without.
    pub own: Option<CredentialFiles>,
    /// Suites.
    pub profile: TlsProfile,
}

/// Our user at a destination.
#[derive(Debug, Clone)]
pub struct DestinationUser {
    /// The name.
    pub name: String,
    /// The file with the passcode; the name alone without.
    pub passcode_file: Option<PathBuf>,
}

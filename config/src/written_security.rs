//! The parts of `node.toml` that say who may, and how connections are secured, as they are written.

use std::path::PathBuf;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Tls {
    pub(crate) listen: Option<String>,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) client_certificates: ClientCertificates,
    pub(crate) client_ca: Option<PathBuf>,
    pub(crate) profile: Profile,
    pub(crate) expiry_warning_days: u64,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            listen: None,
            certificate: None,
            key: None,
            client_certificates: ClientCertificates::Required,
            client_ca: None,
            profile: Profile::Bcp195,
            expiry_warning_days: 30,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ClientCertificates {
    Required,
    Optional,
    None,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Profile {
    #[default]
    Bcp195,
    Modified,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Identity {
    pub(crate) accept: Vec<IdentityKind>,
    pub(crate) passcodes: Option<PathBuf>,
    pub(crate) token_key: Option<PathBuf>,
    pub(crate) token_algorithm: Option<TokenAlgorithm>,
    pub(crate) token_audience: Option<String>,
    pub(crate) token_issuer: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum IdentityKind {
    Username,
    Passcode,
    Token,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) enum TokenAlgorithm {
    #[serde(rename = "HS256")]
    Hs256,
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "ES256")]
    Es256,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Peer {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) calling: Vec<String>,
    #[serde(default)]
    pub(crate) addresses: Vec<String>,
    #[serde(default)]
    pub(crate) certificate_sha256: Vec<String>,
    #[serde(default)]
    pub(crate) certificate_names: Vec<String>,
    pub(crate) services: Option<Vec<Service>>,
    #[serde(default)]
    pub(crate) sop_classes: Vec<String>,
    pub(crate) associations_max: Option<usize>,
    pub(crate) instances_per_minute_max: Option<u64>,
    pub(crate) bytes_per_minute_max: Option<u64>,
    pub(crate) instance_bytes_max: Option<u64>,
    pub(crate) accept: Option<Vec<IdentityKind>>,
    #[serde(default)]
    pub(crate) users: Vec<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Service {
    Verification,
    Storage,
    Commitment,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DestinationTls {
    pub(crate) ca: PathBuf,
    pub(crate) server_name: Option<String>,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    #[serde(default)]
    pub(crate) profile: Profile,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DestinationUser {
    pub(crate) user_name: String,
    pub(crate) passcode_file: Option<PathBuf>,
}

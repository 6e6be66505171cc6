//! Names of what secures a connection or an identity, for those who configure it.

/// A secure transport connection profile of PS3.15 Annex B.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum TlsProfile {
    /// BCP 195 RFC 8996, 9325 TLS Secure Transport Connection Profile (PS3.15 §B.12).
    #[default]
    Bcp195,
    /// Modified BCP 195 RFC 8996, 9325 TLS Secure Transport Connection Profile (PS3.15 §B.13).
    Modified,
}

/// The one algorithm that JSON Web Tokens may be signed with; a token's own word on it only has to agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenAlgorithm {
    /// HMAC with SHA-256 and a shared secret.
    Hs256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

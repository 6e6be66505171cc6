//! What is wrong with certificates and keys. No variant holds a byte of a key.

use thiserror::Error;

/// Certificates or keys cannot be used; each text is for the operator.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TrustError {
    /// The file is no PEM, or has a block that cannot be read.
    #[error("not readable as PEM: {0}")]
    Pem(String),
    /// A file of certificates has none.
    #[error("no certificate in it (-----BEGIN CERTIFICATE-----)")]
    NoCertificate,
    /// A file of keys has none that can be used: PKCS #8, PKCS #1 or SEC 1, not encrypted.
    #[error("no private key in it (-----BEGIN PRIVATE KEY-----; an encrypted one cannot be used)")]
    NoKey,
    /// A certificate is no X.509 certificate.
    #[error("not readable as an X.509 certificate: {0}")]
    Certificate(String),
    /// Key and certificate do not belong together, or the key is of a kind that cannot be used.
    #[error("key and certificate cannot be used together: {0}")]
    Key(String),
    /// A CA certificate cannot be an anchor of trust.
    #[error("a certificate cannot be a CA: {0}")]
    Authority(String),
    /// The key of tokens is not of the kind that its algorithm needs.
    #[error("not a key for {0}")]
    TokenKey(&'static str),
    /// Anything else that rustls does not take.
    #[error("{0}")]
    Tls(String),
}

//! Certificates, passcodes and tokens: from the bytes of files to what can be checked with them.
//!
//! All cryptography but hashing of content is in this room, and all of it is `ring`'s or argon2's. The room opens no file
//! and no socket and reads no clock: bytes and a [`Clock`] come in, configurations of rustls and verdicts go out. It does
//! not know what an Association is, or who may what.
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod anchors;
mod certificate;
mod client;
mod clock;
mod error;
#[cfg(test)]
mod handshakes;
mod passcodes;
mod pem;
mod profile;
mod server;
mod signatures;
mod token;

pub use certificate::{Certificate, facts};
pub use client::{ClientTrust, client_config};
pub use clock::Clock;
pub use error::TrustError;
pub use passcodes::{PasscodeError, Passcodes, passcode_line};
pub use pem::{Credentials, certificates};
pub use profile::{CURVES, Curve, SUITES, Suite};
pub use rustls::pki_types::{CertificateDer, ServerName};
pub use rustls::{ClientConfig, ServerConfig};
pub use server::{ClientCertificates, server_config};
pub use token::{TokenKey, TokenRules};

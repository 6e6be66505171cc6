//! `--tls-ca` and what belongs to it: how commands reach a peer that asks for more than a connection.

use std::path::PathBuf;

use clap::Args;
use config::{CredentialFiles, DestinationSecurity, DestinationTls, DestinationUser};
use domain::TlsProfile;

use crate::failure::{Failure, Fault};
use crate::peer::Peer;
use crate::security;

/// Options of commands that connect.
#[derive(Debug, Args)]
pub(crate) struct Dialing {
    /// Connects by TLS; the peer's certificate leads to one in this PEM file, or is one of them.
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// The name in the peer's certificate, where it is not HOST.
    #[arg(long, value_name = "NAME", requires = "tls_ca")]
    tls_name: Option<String>,
    /// Our certificate, for peers that ask for one.
    #[arg(long, value_name = "FILE", requires = "tls_ca", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its key.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// The name of our user, for peers that ask for one.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// A file with the passcode of our user.
    #[arg(long, value_name = "FILE", requires = "user")]
    passcode_file: Option<PathBuf>,
}

impl Dialing {
    /// How `peer` is reached.
    pub(crate) fn to(&self, peer: &Peer) -> Result<scu::Security, Failure> {
        let own = self.tls_cert.clone().zip(self.tls_key.clone());
        let own = own.map(|(certificate, key)| CredentialFiles { certificate, key });
        let server_name = || self.tls_name.clone().unwrap_or_else(|| peer.host().to_owned());
        let tls = self.tls_ca.clone().map(|ca| DestinationTls {
            ca,
            server_name: server_name(),
            own: own.clone(),
            profile: TlsProfile::default(),
        });
        let user = self
            .user
            .clone()
            .map(|name| DestinationUser { name, passcode_file: self.passcode_file.clone() });
        let secured = security::reach(&DestinationSecurity { tls, user });
        secured.map_err(|faults| Failure::new(Fault::Misuse, faults))
    }
}
